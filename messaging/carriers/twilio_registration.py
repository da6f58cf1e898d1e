"""Tell from Twilio's API whether a number may send: toll-free verification, 10DLC campaign.

Follows "Toll-Free Verification" and "UsAppToPerson resource" of Messaging v1. What the login may
not read is left out and told as a gap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

import phonenumbers

from messaging.carriers import results
from messaging.carriers.api_calls import Api, Interrupted
from messaging.carriers.numbers import Kind, NotThere, Registration
from messaging.carriers.twilio_lists import read_pages

VERIFIED = Registration("Verified", "The toll-free number is verified.", "good")
IN_REVIEW = Registration(
    "In review",
    "Its toll-free verification is in review. Until it is approved, networks refuse its texts.",
    "waiting",
    blocks_sending=True,
)
NOT_VERIFIED = Registration(
    "Not verified",
    "The networks refuse texts from a toll-free number that isn't verified. Verify it in Twilio's "
    "console, then look again.",
    "bad",
    blocks_sending=True,
)
REFUSED_VERIFICATION = Registration(
    "Verification refused",
    "Its toll-free verification was refused. Twilio's console says why; correct it there, then "
    "look again.",
    "bad",
    blocks_sending=True,
)
VERIFICATIONS = {
    "TWILIO_APPROVED": VERIFIED,
    "PENDING_REVIEW": IN_REVIEW,
    "IN_REVIEW": IN_REVIEW,
    "TWILIO_REJECTED": REFUSED_VERIFICATION,
}

REGISTERED = Registration("Registered", "It belongs to a registered 10DLC campaign.", "good")
CAMPAIGN_PENDING = Registration(
    "Registration pending",
    "Its 10DLC campaign isn't approved yet. Until then, networks in the United States refuse its "
    "texts.",
    "waiting",
    blocks_sending=True,
)
CAMPAIGN_FAILED = Registration(
    "Registration failed",
    "Its 10DLC campaign was refused. Twilio's console says why; correct it, then look again.",
    "bad",
    blocks_sending=True,
)
NOT_REGISTERED = Registration(
    "Not registered",
    "It belongs to no 10DLC campaign, so networks in the United States refuse its texts. Register "
    "it in Twilio's console, then look again.",
    "bad",
    blocks_sending=True,
)
CAMPAIGNS = {
    "VERIFIED": REGISTERED,
    "PENDING": CAMPAIGN_PENDING,
    "IN_PROGRESS": CAMPAIGN_PENDING,
    "FAILED": CAMPAIGN_FAILED,
    "SUSPENDED": CAMPAIGN_FAILED,
}


class InService(Protocol):
    """Describe what is read of a Messaging Service that a number belongs to."""

    id: str
    is_registered: bool


@dataclass(slots=True)
class Registrations:
    """Read registrations, each of them once."""

    api: Api
    messaging_url: str = field(repr=False)
    gaps: dict[str, None] = field(default_factory=dict)
    _campaigns: dict[str, Registration | None] = field(default_factory=dict)
    _verifications: dict[str, str] | None = field(default=None, repr=False)
    _is_read: bool = False

    def of(
        self, address: str, sid: str, kind: Kind, services: Iterable[InService]
    ) -> Registration | None:
        """Return a number's registration; None if none is needed, or nothing can be told."""
        if kind == "toll_free":
            return self._verification(sid)
        is_us = address.startswith("+1") and _region(address) == "US"
        return self._campaign(services) if is_us else None

    def _verification(self, sid: str) -> Registration | None:
        if not self._is_read:
            self._is_read, self._verifications = True, self._read_verifications()
        if self._verifications is None:
            return None
        status = self._verifications.get(sid)
        return NOT_VERIFIED if status is None else VERIFICATIONS.get(status)

    def _read_verifications(self) -> dict[str, str] | None:
        """Return the states of verifications by the number's id; None if they can't be read."""
        path, key = "/Tollfree/Verifications", "verifications"
        try:
            return {
                str(one.get("tollfree_phone_number_sid")): str(one.get("status"))
                for one in read_pages(self.api, self.messaging_url, path, key, "")
            }
        except Interrupted as stop:
            self._leave_out(stop, "Whether toll-free numbers are verified")
            return None

    def _campaign(self, services: Iterable[InService]) -> Registration | None:
        """Return the registration by any of a number's Services, the best one."""
        found = [self._campaign_of(service) for service in services]
        if not found:
            return NOT_REGISTERED
        known = [one for one in found if one is not None]
        order = [REGISTERED, CAMPAIGN_PENDING, CAMPAIGN_FAILED, NOT_REGISTERED]
        return min(known, key=order.index, default=None)

    def _campaign_of(self, service: InService) -> Registration | None:
        if service.is_registered:
            return REGISTERED
        if service.id not in self._campaigns:
            self._campaigns[service.id] = self._read_campaign(service.id)
        return self._campaigns[service.id]

    def _read_campaign(self, service_id: str) -> Registration | None:
        path = f"/Services/{quote(service_id, safe='')}/Compliance/Usa2p"
        try:
            listed = [*read_pages(self.api, self.messaging_url, path, "compliance", "")]
        except Interrupted as stop:
            if isinstance(stop.reason, NotThere):
                return NOT_REGISTERED
            self._leave_out(stop, "Whether numbers are registered for 10DLC")
            return None
        if not listed:
            return NOT_REGISTERED
        return CAMPAIGNS.get(str(listed[0].get("campaign_status")))

    def _leave_out(self, stop: Interrupted, what: str) -> None:
        """Note what could not be read, if reading can go on without it."""
        if isinstance(stop.reason, results.AuthFailed | results.RateLimited):
            raise stop
        self.gaps[f"{what} could not be read from {self.api.label}."] = None


def _region(address: str) -> str:
    """Return the country of a number, since +1 is also Canada's and others'."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(address)) or ""
    except phonenumbers.NumberParseException:
        return ""
