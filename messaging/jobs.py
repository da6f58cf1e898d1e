"""Putting work into the queue. A job is deferred inside the transaction that wants it done."""

from __future__ import annotations

from datetime import datetime

from procrastinate.contrib.django import app

DELIVER_THREAD = "deliver_thread"
PUSH_MESSAGE = "push_message"
PUSH_TEST = "push_test"


def defer_delivery(thread_id: int, *, at: datetime | None = None) -> None:
    """Have a worker send what waits in the thread, not before `at`.

    Jobs of one thread share a lock: they run one after the other.
    """
    app.configure_task(DELIVER_THREAD, lock=f"thread-{thread_id}", schedule_at=at).defer(
        thread_id=thread_id
    )


def defer_push(message_id: int) -> None:
    """Have a worker wake the browsers of those who were notified of a message."""
    app.configure_task(PUSH_MESSAGE).defer(message_id=message_id)


def defer_push_test(agent_id: int) -> None:
    """Have a worker wake all browsers of one agent, to see that it works."""
    app.configure_task(PUSH_TEST).defer(agent_id=agent_id)
