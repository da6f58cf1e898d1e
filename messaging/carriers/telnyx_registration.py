"""Read from Telnyx's API which numbers are registered.

Follows "List phone number campaigns" and "List verification requests" of API v2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from messaging.carriers import results
from messaging.carriers.api_calls import Api, Interrupted, Resource
from messaging.carriers.registrations import State
from messaging.carriers.telnyx_records import url

PAGE_SIZE = 500
MAX_PAGES = 100  # Telnyx may give fewer at once than it is asked for
READING = "reading registrations"

CAMPAIGNS: dict[str, State] = {
    "ASSIGNED": "good",
    "FAILED_UNASSIGNMENT": "good",
    "PENDING_ASSIGNMENT": "waiting",
    "FAILED_ASSIGNMENT": "refused",
    "PENDING_UNASSIGNMENT": "missing",
}
VERIFICATIONS: dict[str, State] = {
    "Verified": "good",
    "Rejected": "refused",
    "Waiting For Vendor": "waiting",
    "Waiting For Customer": "waiting",
    "Waiting For Telnyx": "waiting",
    "In Progress": "waiting",
}

States = dict[str, State | None]  # By number


@dataclass(slots=True)
class Registrations:
    """Read the account's registrations, each list once and only if a number needs it."""

    api: Api
    _campaigns: States | None = field(default=None, repr=False)
    _verifications: States | None = field(default=None, repr=False)

    def campaign_of(self, address: str) -> State | None:
        """Return how far a number's 10DLC registration is. Raise Interrupted."""
        if self._campaigns is None:
            pages = self._pages("/10dlc/phone_number_campaigns", "recordsPerPage", "totalRecords")
            self._campaigns = {
                str(one.get("phoneNumber")): CAMPAIGNS.get(str(one.get("assignmentStatus")))
                for one in pages
            }
        return self._campaigns.get(address, "missing")

    def verification_of(self, address: str) -> State | None:
        """Return how far a toll-free number's verification is. Raise Interrupted."""
        if self._verifications is None:
            path = "/messaging_tollfree/verification/requests"
            self._verifications = {}
            for one in self._pages(path, "page_size", "total_records"):
                state = VERIFICATIONS.get(str(one.get("verificationStatus")))
                for number in _numbers_of(one):
                    # A number may have an older request that was rejected.
                    if self._verifications.get(number) != "good":
                        self._verifications[number] = state
        return self._verifications.get(address, "missing")

    def _pages(self, path: str, size: str, total: str) -> Iterator[Resource]:
        """Return the records of all pages; `size` and `total` are what this list calls them."""
        seen = 0
        for number in range(1, MAX_PAGES + 1):
            query = urlencode({"page": number, size: PAGE_SIZE})
            answer = self.api.read(f"{url(path)}?{query}", READING)
            records = answer.get("records")
            if not isinstance(records, list):
                raise Interrupted(results.CannotTell("Telnyx answered with no readable list"))
            yield from (one for one in records if isinstance(one, dict))
            seen += len(records)
            count = answer.get(total)
            if not records or not isinstance(count, int) or seen >= count:
                return
        raise Interrupted(results.CannotTell("Telnyx's list has too many pages"))


def _numbers_of(request: Resource) -> list[str]:
    """Return the numbers that a verification request is for."""
    listed = request.get("phoneNumbers")
    named = [one.get("phoneNumber") for one in listed or [] if isinstance(one, dict)]
    return [f"+{str(number).lstrip('+')}" for number in named if number]
