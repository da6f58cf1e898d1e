"""What a failure of the HTTP call itself says about the text: surely not sent, or unknown."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeGuard

import httpx

from messaging.carriers.base import NotSent, OutcomeUnknown
from messaging.carriers.webhooks import ID_LIMIT

LONGEST_WAIT = 3600.0
BEFORE_WRITING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


def failure(error: httpx.RequestError) -> NotSent | OutcomeUnknown:
    """Judge an error of the transport. Only before the first byte is a text surely not sent."""
    kind = type(error).__name__
    if isinstance(error, BEFORE_WRITING):
        return NotSent(f"no connection to the carrier ({kind})")
    return OutcomeUnknown(f"the connection broke before a clear answer ({kind})")


def retry_after(response: httpx.Response) -> float | None:
    """Seconds from a Retry-After header (RFC 9110 §10.2.3: seconds or a date), at most an hour."""
    value = response.headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def json_object(response: httpx.Response) -> dict[str, object]:
    """The answer as a JSON object; empty when it is anything else."""
    try:
        value = response.json()
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def is_message_id(value: object) -> TypeGuard[str]:
    """Whether a carrier's answer names a message in a form that we can store and compare."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= ID_LIMIT
        and value.isascii()
        and value.isprintable()
    )
