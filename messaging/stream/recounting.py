"""Count failures and scheduled texts anew, after processes of two versions ran side by side.

An older one may retry or delete what a newer one has counted, and leaves it counted. Threads are
read in batches without a lock. Only where something differs is the inbox's counter taken, for one
batch of its threads at a time.
"""

from __future__ import annotations

from django.db import connection, transaction

from inboxes import bell, counters
from inboxes.database import save_columns
from inboxes.models import Inbox
from messaging.models import Message, ScheduledText
from messaging.stream import failures, notifying
from threads.models import Thread

BATCH = 1_000  # threads

# How many messages and held texts of each thread say of themselves that they are counted.
_COUNTED = """
SELECT thread_id, count(*) FILTER (WHERE counted = 'failed') AS failed,
       count(*) FILTER (WHERE counted = 'unknown') AS unknown, bool_or(is_wrong) AS is_wrong
FROM (
    SELECT message.thread_id, unseen_failure AS counted,
           unseen_failure <> state OR EXISTS (
               SELECT FROM messaging_optout AS opt_out
               WHERE is_automatic AND opt_out.confirmation_id = message.id) AS is_wrong
    FROM messaging_message AS message
    WHERE unseen_failure <> '' AND message.thread_id = ANY(%(threads)s)
    UNION ALL
    SELECT thread_id, 'failed', state <> 'held'
    FROM messaging_scheduledtext WHERE is_counted AND thread_id = ANY(%(threads)s)
) AS text GROUP BY thread_id
"""

# How many scheduled texts of a thread an agent can still change.
_SCHEDULED = """
SELECT count(*) FROM messaging_scheduledtext AS text
WHERE text.thread_id = thread.id AND state IN ('waiting', 'held')
  AND NOT (is_undoable AND state = 'waiting')
"""

_WRONG_THREADS = f"""
SELECT thread.id FROM threads_thread AS thread
LEFT JOIN ({_COUNTED}) AS counted ON counted.thread_id = thread.id
WHERE thread.id = ANY(%(threads)s) AND (
    coalesce(is_wrong, false) OR thread.failed_count <> coalesce(failed, 0)
    OR thread.unknown_count <> coalesce(unknown, 0)
    OR thread.scheduled_count <> ({_SCHEDULED}))
"""  # noqa: S608  a constant of ours

_COUNT_THREADS = f"""
UPDATE threads_thread AS thread
SET failed_count = coalesce(failed, 0), unknown_count = coalesce(unknown, 0),
    scheduled_count = ({_SCHEDULED}), seq = %(seq)s
FROM threads_thread AS same LEFT JOIN ({_COUNTED}) AS counted ON counted.thread_id = same.id
WHERE thread.id = same.id AND same.id = ANY(%(threads)s)
"""  # noqa: S608  a constant of ours


def recount_failures() -> int:
    """Bring the counts of all threads and inboxes right; return how many of them were wrong."""
    return sum(_recount_inbox(inbox) for inbox in Inbox.objects.order_by("pk"))


def _recount_inbox(inbox: Inbox) -> int:
    threads = Thread.objects.filter(inbox=inbox).order_by("pk").values_list("pk", flat=True)
    wrong_count = last = 0
    while batch := list(threads.filter(pk__gt=last)[:BATCH]):
        if wrong := _find_wrong(batch):
            _recount_threads(inbox.pk, wrong)
        wrong_count += len(wrong)
        last = batch[-1]
    return wrong_count + (_is_inbox_wrong(inbox.pk) and _count_threads(inbox.pk))


def _find_wrong(thread_ids: list[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_WRONG_THREADS, {"threads": thread_ids})
        return [key for (key,) in cursor.fetchall()]


@transaction.atomic
def _recount_threads(inbox_id: int, thread_ids: list[int]) -> None:
    seq = counters.next_inbox_seq(inbox_id)
    counted = Message.objects.filter(thread__in=thread_ids).exclude(unseen_failure="")
    for message in counted:
        _correct_message(message, seq)
    held = ScheduledText.State.HELD
    late = ScheduledText.objects.filter(thread__in=thread_ids, is_counted=True)
    late.exclude(state=held).update(is_counted=False)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_THREADS, {"threads": thread_ids, "seq": seq})
    bell.ring_inbox(inbox_id, seq)


def _correct_message(message: Message, seq: int) -> None:
    """Let a counted message say as what it counts, and its author's notification with it."""
    right = failures.counts_as(message, message.state)
    if message.unseen_failure == right:
        return
    save_columns(message, seq=seq, unseen_failure=right)
    if right:
        notifying.reword_failure(message, right)
    else:
        notifying.withdraw_failure(message, seq)


@transaction.atomic
def _count_threads(inbox_id: int) -> bool:
    """Count the inbox's failing threads; return True if its counts were wrong."""
    seq = counters.next_inbox_seq(inbox_id)
    is_wrong = _is_inbox_wrong(inbox_id)
    Inbox.objects.filter(pk=inbox_id).update(**_right_counts(inbox_id))
    bell.ring_inbox(inbox_id, seq)
    return is_wrong


def _is_inbox_wrong(inbox_id: int) -> bool:
    return not Inbox.objects.filter(pk=inbox_id, **_right_counts(inbox_id)).exists()


def _right_counts(inbox_id: int) -> dict[str, int]:
    unblocked = Thread.objects.filter(inbox=inbox_id).exclude(status=Thread.Status.BLOCKED)
    failing = unblocked.failing()
    failed = failing.filter(failed_count__gt=0).count()
    return {"failed_count": failed, "unknown_count": failing.count() - failed}
