"""Read from Twilio's API which numbers are registered: toll-free verification, 10DLC campaign.

Follows "Toll-Free Verification" and "UsAppToPerson resource" of Messaging v1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

from messaging.carriers.api_calls import Api, Interrupted
from messaging.carriers.numbers import NotThere
from messaging.carriers.registrations import State
from messaging.carriers.twilio_lists import read_pages

VERIFICATIONS: dict[str, State] = {
    "TWILIO_APPROVED": "good",
    "PENDING_REVIEW": "waiting",
    "IN_REVIEW": "waiting",
    "TWILIO_REJECTED": "refused",
}
CAMPAIGNS: dict[str, State] = {
    "VERIFIED": "good",
    "PENDING": "waiting",
    "IN_PROGRESS": "waiting",
    "FAILED": "refused",
    "SUSPENDED": "refused",
}
BEST_FIRST: list[State | None] = ["good", None, "waiting", "refused", "missing"]


class InService(Protocol):
    """Describe what is read of a Messaging Service that a number belongs to."""

    id: str
    is_registered: bool


@dataclass(slots=True)
class Registrations:
    """Read the account's registrations, each list once and only if a number needs it."""

    api: Api
    messaging_url: str = field(repr=False)
    _campaigns: dict[str, State | None] = field(default_factory=dict, repr=False)
    _verifications: dict[str, State | None] | None = field(default=None, repr=False)

    def verification_of(self, sid: str) -> State | None:
        """Return how far a toll-free number's verification is. Raise Interrupted."""
        if self._verifications is None:
            path, permission = "/Tollfree/Verifications", "reading toll-free verifications"
            self._verifications = {
                str(one.get("tollfree_phone_number_sid")): VERIFICATIONS.get(
                    str(one.get("status"))
                )
                for one in read_pages(
                    self.api, self.messaging_url, path, "verifications", permission
                )
            }
        return self._verifications.get(sid, "missing")

    def campaign_of(self, services: Iterable[InService]) -> State | None:
        """Return how far the campaign of any of the number's Services is. Raise Interrupted."""
        found: list[State | None] = ["missing", *map(self._campaign, services)]
        return min(found, key=BEST_FIRST.index)

    def _campaign(self, service: InService) -> State | None:
        if service.is_registered:
            return "good"
        if service.id not in self._campaigns:
            self._campaigns[service.id] = self._read_campaign(service.id)
        return self._campaigns[service.id]

    def _read_campaign(self, service_id: str) -> State | None:
        path = f"/Services/{quote(service_id, safe='')}/Compliance/Usa2p"
        permission = "reading 10DLC campaigns"
        try:
            listed = [*read_pages(self.api, self.messaging_url, path, "compliance", permission)]
        except Interrupted as stop:
            if isinstance(stop.reason, NotThere):
                return "missing"
            raise
        states = [CAMPAIGNS.get(str(one.get("campaign_status"))) for one in listed]
        return min(states, key=BEST_FIRST.index, default="missing")
