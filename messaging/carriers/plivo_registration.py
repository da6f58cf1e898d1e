"""Read from a number of Plivo's how far its registration is.

Follows "The AccountPhoneNumber object" of API v1; Plivo's SDKs have some of the words otherwise.
"""

from __future__ import annotations

from messaging.carriers import registrations
from messaging.carriers.api_calls import Resource
from messaging.carriers.numbers import Kind, Registration

CAMPAIGNS: dict[str, registrations.State] = {
    "completed": "good",
    "registered": "good",
    "processing": "waiting",
    "in_progress": "waiting",
    "failed": "refused",
    "rejected": "refused",
    "unregistered": "missing",
    "": "missing",
}
VERIFICATIONS: dict[str, registrations.State] = {
    "verified": "good",
    "pending_verification": "waiting",
    "rejected": "refused",
    "unverified": "missing",
    "": "missing",
}


def registration_of(read: Resource, address: str, kind: Kind) -> Registration | None:
    """Return the registration that the number itself tells."""
    if kind == "toll_free":
        said = str(read.get("toll_free_sms_verification") or "").lower()
        state = VERIFICATIONS.get(said)
        return registrations.toll_free(state, "Plivo") if state else None
    if kind == "local" and registrations.needs_campaign(address):
        said = str(read.get("tendlc_registration_status") or "").lower()
        state = CAMPAIGNS.get(said)
        return registrations.campaign(state, "Plivo") if state else None
    return None
