"""Read how somebody signed in to a session: allauth's records, and ours of phones."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY

PHONE = "phone"


class WayIn(Enum):
    """The ways in which a session begins."""

    PASSWORD = auto()
    PASSKEY = auto()
    COMPANY = auto()
    PHONE = auto()


def read_records(session: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the steps that were taken in a session, oldest first."""
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY)
    if not isinstance(records, list):
        return []
    return [record for record in records if isinstance(record, dict)]


def way_in(session: Mapping[str, Any]) -> WayIn:
    """Return how a session began; what it does not remember was a password."""
    first = next(iter(read_records(session)), {})
    if first.get("method") == PHONE:
        return WayIn.PHONE
    if first.get("method") == "socialaccount":
        return WayIn.COMPANY
    return WayIn.PASSKEY if first.get("passwordless") else WayIn.PASSWORD
