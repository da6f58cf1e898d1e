"""Putting work into the queue. A job is deferred inside the transaction that wants it done."""

from __future__ import annotations

from datetime import datetime

from procrastinate.contrib.django import app

DELIVER_THREAD = "deliver_thread"


def defer_delivery(thread_id: int, *, at: datetime | None = None) -> None:
    """Have a worker send what waits in the thread, not before `at`.

    Jobs of one thread share a lock: they run one after the other.
    """
    app.configure_task(DELIVER_THREAD, lock=f"thread-{thread_id}", schedule_at=at).defer(
        thread_id=thread_id
    )
