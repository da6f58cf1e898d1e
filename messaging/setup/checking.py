"""Ask a carrier whether it accepts what an administrator entered, before anything is stored."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from messaging.carriers import http, results
from messaging.carriers.base import Carrier

TIMEOUT = 8.0  # seconds
NOBODY = results.Identity("", "")


@dataclass(frozen=True)
class Checked:
    """Say what the carrier answered. `trouble` is empty if it accepts the credentials."""

    trouble: str = ""
    identity: results.Identity = NOBODY
    seconds: float = 0.0


def check_credentials(carrier: Carrier, credentials: Mapping[str, str]) -> Checked:
    """Ask the carrier's API who we are. Not to be called in a transaction."""
    started_at = time.monotonic()
    with http.new_client(TIMEOUT) as client:
        result = carrier.identify(credentials, client)
    seconds = time.monotonic() - started_at
    match result:
        case results.AuthFailed():
            return Checked(
                f"{carrier.label} doesn’t accept these: {_sentence(result.detail)} Copy them again"
                " from its console, then check once more."
            )
        case results.CannotTell():
            return Checked(
                f"{carrier.label} can’t be asked right now: {_sentence(result.detail)} Nothing was"
                " saved. Try again in a moment, or skip this for now."
            )
    return Checked(identity=result, seconds=seconds)


def _sentence(detail: str) -> str:
    return f"{detail.rstrip('.')}."
