"""Count the texts that failed or are unknown until they are retried, delivered or seen.

A message says itself as what it is counted, its thread counts its messages, and its inbox counts
such threads, without those of blocked contacts. All three change in the transaction that changes
the message's state, under the inbox's counter, so that they always agree.
"""

from __future__ import annotations

from django.db.models import F

from inboxes.database import save_columns
from inboxes.models import Inbox
from messaging.models import DeliveryState, Message
from messaging.stream import notifying
from threads.models import Thread

FAILING = frozenset({DeliveryState.FAILED, DeliveryState.UNKNOWN})


def count_state(message: Message, seq: int, state: str) -> dict[str, object]:
    """Count a message whose state changes to `state`; return the columns to write with it.

    The caller holds the inbox's counter and has read since then the message's state and how it is
    counted. Does nothing, and reads nothing, for a message that neither was failing or counted nor
    is failing. A confirmation of an opt-out never counts: nobody can do anything about it.
    """
    is_or_was_failing = FAILING & {message.state, state} or message.unseen_failure
    if state == message.state or not is_or_was_failing:
        return {}
    counted = counts_as(message, state)
    _count_message(message, seq, counted)
    return {"unseen_failure": counted, "failure_seen_at": None, "failure_seen_by": None}


def counts_as(message: Message, state: str) -> str:
    """Return as what a message in this state counts while nobody has seen it; "" for nothing."""
    return str(state) if state in FAILING and not message.is_confirmation else ""


def count_as_seen(message: Message, seq: int) -> None:
    """Take a message out of the counts. The caller holds the inbox's counter."""
    change_counts(message.thread_id, seq, {_counted_as(message): -1})


def change_counts(thread_id: int, seq: int, changes: dict[str, int]) -> None:
    """Change the thread's counts of "failed" and "unknown", and with them the inbox's.

    The caller holds the inbox's counter.
    """
    thread = Thread.objects.get(pk=thread_id)
    before = thread.failure
    save_columns(
        thread,
        seq=seq,
        failed_count=thread.failed_count + changes.get("failed", 0),
        unknown_count=thread.unknown_count + changes.get("unknown", 0),
    )
    if thread.failure != before and thread.status != Thread.Status.BLOCKED:
        moved = {f"{thread.failure}_count": 1, f"{before}_count": -1}
        moved.pop("_count", None)  # of no failure
        _change_inbox(thread.inbox_id, moved)


def count_thread(thread: Thread, change: int) -> None:
    """Count a failing thread in its inbox from now on (1), or no more (-1): that of a blocked
    contact does not count. The caller holds the inbox's counter."""
    if thread.failure:
        _change_inbox(thread.inbox_id, {f"{thread.failure}_count": change})


def _change_inbox(inbox_id: int, moved: dict[str, int]) -> None:
    changes = {name: F(name) + change for name, change in moved.items()}
    Inbox.objects.filter(pk=inbox_id).update(**changes)


def _count_message(message: Message, seq: int, counted: str) -> None:
    before = _counted_as(message)
    if before == counted:
        return
    change_counts(message.thread_id, seq, {before: -1, counted: 1})
    if before and counted:
        notifying.reword_failure(message, counted)
    elif counted:
        notifying.notify_author(message, counted, seq)
    else:
        notifying.withdraw_failure(message, seq)


def _counted_as(message: Message) -> str:
    """Return as what the message is counted now, whatever an older version of the program did."""
    return Message.objects.values_list("unseen_failure", flat=True).get(pk=message.pk)
