"""Write the status of the team's work on threads: open, done, or snoozed until a time.

Threads of blocked contacts keep theirs: `threads/blocking.py` alone begins and ends it.

The callers hold the inbox's counter, so that nobody else changes its threads meanwhile. They
record the activity, notify, and ring.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, Self

from django.db.models import QuerySet

from threads.changes import Change, group_threads
from threads.models import Thread

Status = Thread.Status


class WorkStatus(NamedTuple):
    """Hold the three columns of a thread's status."""

    status: str = Status.OPEN
    snoozed_until: datetime | None = None
    snoozed_by_id: int | None = None

    @classmethod
    def from_json(cls, columns: Any) -> Self:
        until = columns["snoozed_until"]
        return cls(
            columns["status"],
            datetime.fromisoformat(until) if until else None,
            columns["snoozed_by"],
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "status": str(self.status),
            "snoozed_until": self.snoozed_until.isoformat() if self.snoozed_until else None,
            "snoozed_by": self.snoozed_by_id,
        }


OPEN = WorkStatus()
DONE = WorkStatus(Status.DONE)


def mark_done(*, inbox_id: int, thread_ids: Collection[int], seq: int) -> list[Change]:
    """Mark threads of the inbox as done; return what changed."""
    return _write(_of_inbox(inbox_id, thread_ids), DONE, seq)


def reopen(*, inbox_id: int, thread_ids: Collection[int], seq: int) -> list[Change]:
    """Open threads that are done or snoozed; return what changed."""
    return _write(_of_inbox(inbox_id, thread_ids), OPEN, seq)


def snooze(
    *, inbox_id: int, thread_ids: Collection[int], until: datetime, by_id: int, seq: int
) -> list[Change]:
    """Snooze threads of the inbox, whatever their status; return what changed."""
    snoozed = WorkStatus(Status.SNOOZED, until, by_id)
    return _write(_of_inbox(inbox_id, thread_ids), snoozed, seq)


def wake_due(*, inbox_id: int, now: datetime, limit: int, seq: int) -> list[Change]:
    """Open at most so many threads whose snooze has ended, the longest due first."""
    due = Thread.objects.filter(inbox=inbox_id, status=Status.SNOOZED, snoozed_until__lte=now)
    keys = list(due.order_by("snoozed_until", "pk").values_list("pk", flat=True)[:limit])
    return _write(_of_inbox(inbox_id, keys), OPEN, seq)


def restore(
    *, inbox_id: int, changes: Collection[Change], now: datetime, seq: int
) -> list[Change]:
    """Take changes of the status back where it is still as they left it; return what changed.

    A snooze whose hour has passed meanwhile ends instead: the change is from it to open.
    """
    wanted = group_threads(
        (
            (WorkStatus.from_json(change.before), WorkStatus.from_json(change.after)),
            change.thread_id,
        )
        for change in changes
    )
    done: list[Change] = []
    for (before, after), thread_ids in wanted.items():
        same = _of_inbox(inbox_id, thread_ids).filter(**after._asdict())
        if before.snoozed_until is not None and before.snoozed_until <= now:
            ended = _write(same, OPEN, seq)
            done += [replace(change, before=before.to_json()) for change in ended]
        else:
            done += _write(same, before, seq)
    return done


def _of_inbox(inbox_id: int, thread_ids: Collection[int]) -> QuerySet[Thread]:
    threads = Thread.objects.filter(inbox=inbox_id, pk__in=thread_ids)
    return threads.exclude(status=Status.BLOCKED)


def _write(threads: QuerySet[Thread], new: WorkStatus, seq: int) -> list[Change]:
    rows = threads.order_by("pk").values_list("pk", *WorkStatus._fields)
    found = {key: WorkStatus(*columns) for key, *columns in rows}
    changing = {key: before for key, before in found.items() if before != new}
    Thread.objects.filter(pk__in=changing).update(**new._asdict(), seq=seq)
    after = new.to_json()
    return [Change(key, before.to_json(), after) for key, before in changing.items()]
