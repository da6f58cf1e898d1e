"""Read from Bandwidth's API which numbers are registered.

Follows "Registration Center" (`tendlc/phoneNumbers`, the role Campaign Management) and "Toll-free
verification" (the role TFV) of the API v2, which answer with JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from messaging.carriers import results
from messaging.carriers.api_calls import Interrupted
from messaging.carriers.bandwidth_api import AccountApi
from messaging.carriers.numbers import NotThere
from messaging.carriers.registrations import State

AT_ONCE = 250
MAX_PAGES = 40

CAMPAIGNS: dict[str, State] = {
    "SUCCESS": "good",
    "PROCESSING": "waiting",
    "FAILURE": "refused",
}
VERIFICATIONS: dict[str, State] = {
    "VERIFIED": "good",
    "RESOLVED - VERIFIED": "good",
    "PARTIALLY_VERIFIED": "waiting",
    "PENDING": "waiting",
    "VERIFICATION - REQUESTED": "waiting",
    "VERIFICATION REQUESTED": "waiting",
    "WAITING FOR CUSTOMER": "waiting",
    "WAITING FOR SUPPORT": "waiting",
    "IN PROGRESS": "waiting",
    "RESOLVED - NOT VERIFIED": "refused",
    "UNVERIFIED": "missing",
}


@dataclass(slots=True)
class Registrations:
    """Read the account's 10DLC numbers once, and toll-free numbers one by one."""

    api: AccountApi
    _campaigns: dict[str, State | None] | None = field(default=None, repr=False)

    def campaign_of(self, address: str) -> State | None:
        """Return how far a number's 10DLC registration is. Raise Interrupted."""
        if self._campaigns is None:
            self._campaigns = self._read_campaigns()
        return self._campaigns.get(address, "missing")

    def verification_of(self, address: str) -> State | None:
        """Return how far a toll-free number's verification is. Raise Interrupted."""
        path = f"/phoneNumbers/{quote(address, safe='')}/tollFreeVerification"
        try:
            answer = self.api.read(self.api.url(path), "TFV")
        except Interrupted as stop:
            if isinstance(stop.reason, NotThere):
                return "missing"
            raise
        return VERIFICATIONS.get(str(answer.get("status")).upper())

    def _read_campaigns(self) -> dict[str, State | None]:
        found: dict[str, State | None] = {}
        for page in range(MAX_PAGES):
            query = urlencode({"limit": AT_ONCE, "offset": page * AT_ONCE})
            url = self.api.url(f"/tendlc/phoneNumbers?{query}")
            listed = self.api.read(url, "Campaign Management").get("data")
            if not isinstance(listed, list) or not all(isinstance(x, dict) for x in listed):
                raise Interrupted(results.CannotTell("Bandwidth answered with no readable list"))
            for one in listed:
                number, status = str(one.get("phoneNumber")), str(one.get("status")).upper()
                # A number without a campaign is in the list too.
                found[number] = CAMPAIGNS.get(status) if one.get("campaignId") else "missing"
            if len(listed) < AT_ONCE:
                return found
        raise Interrupted(results.CannotTell("Bandwidth's list has too many pages"))
