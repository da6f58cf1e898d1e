"""Say when a connection is looked at next."""

from __future__ import annotations

from datetime import datetime, timedelta

from messaging.carriers import results
from messaging.models import NumberConnection

State = NumberConnection.State

HOURLY = timedelta(hours=1)
SOON = timedelta(minutes=5)  # After a change or a failure
# While the carrier tells nothing for longer, it is asked once an hour again.
PATIENCE = timedelta(minutes=90)
SPREAD = 600  # Seconds by which accounts differ, so that not all are asked at once


def next_check(
    connection: NumberConnection, now: datetime, trouble: object = None
) -> datetime | None:
    """Return the time of the next check, None for a connection that isn't watched.

    All connections of an account have the same time, as far as they can: one list tells of all.
    """
    if connection.state in (State.UNWATCHED, State.DISCONNECTED):
        return None
    if isinstance(trouble, results.RateLimited) and trouble.retry_after:
        return now + max(SOON, timedelta(seconds=trouble.retry_after))
    if _is_soon(connection, now, trouble):
        return now + SOON
    return now + HOURLY - timedelta(seconds=connection.account_id * 97 % SPREAD)


def _is_soon(connection: NumberConnection, now: datetime, trouble: object) -> bool:
    """Return True if looking again in an hour would be too late, and may tell something new."""
    if trouble is not None:
        told_at = connection.checked_at
        return told_at is None or now - told_at < PATIENCE
    if connection.state == State.GONE:
        # It may have been a gap of the carrier's list.
        return connection.changed_at is not None and now - connection.changed_at < HOURLY
    return connection.state in (State.CHANGED, State.CONNECTING)
