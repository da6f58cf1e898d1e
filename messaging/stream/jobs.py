"""Putting work into the queue. A job is deferred inside the transaction that wants it done."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

DELIVER_THREAD = "deliver_thread"
PUSH_MESSAGE = "push_message"
PUSH_AGENT = "push_agent"
PUSH_TEST = "push_test"
REPLAY_CAUSE = "replay_quarantine"
WAKE_THREAD = "wake_thread"
GIVE_TURNS = "give_turns"
SEND_WHEN_DUE = "send_text_when_due"

MAX_BACKLOG = 100
"""Behind so many waiting texts of an inbox, one more makes no difference."""

TEXTS = "default"
NOTIFICATIONS = "notifications"
"""The queue of what wakes browsers. A worker of its own runs it beside that of the texts, so that
none of them ever waits for a push service."""

QUEUES = (TEXTS, NOTIFICATIONS)
"""Each has a worker in every process that runs jobs."""

BEHIND_SENDING = -(MAX_BACKLOG + 1)
"""What takes long on others' machines, and makes no text wait."""

MAX_WAITING_PUSHES = 20
"""That wait for one agent: for who is woken so often, one more makes no difference."""


def defer_delivery(thread_id: int, *, at: datetime | None = None) -> None:
    """Have a worker send what waits in the thread, not before `at`.

    Jobs of one thread share a lock: they run one after the other. One that waits for its hour
    would keep the others waiting behind it, so the later ones are woken by a job without a lock.
    The more texts of its inbox wait, the later the job's turn: five hundred in one inbox stand
    behind the only one of another.
    """
    if at is None:
        job = app.configure_task(
            DELIVER_THREAD, lock=_thread_lock(thread_id), priority=-_backlog_size(thread_id)
        )
        job.defer(thread_id=thread_id)
    else:
        app.configure_task(WAKE_THREAD, schedule_at=at).defer(thread_id=thread_id)


_COUNT_BACKLOG = """
SELECT count(*) FROM (
    SELECT 1 FROM messaging_message
     WHERE kind = 'outbound' AND state = 'queued'
       AND inbox_id = (SELECT inbox_id FROM threads_thread WHERE id = %s)
     LIMIT %s) AS waiting
"""


def _backlog_size(thread_id: int) -> int:
    """How many texts of the thread's inbox wait, up to BACKLOG."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_BACKLOG, [thread_id, MAX_BACKLOG])
        return int(cursor.fetchone()[0])


def defer_turns(number_id: int, *, at: datetime) -> None:
    """Have a worker give turns to the texts that wait for a number; one such job waits at most.

    Call inside a transaction.
    """
    lock = f"turns-{number_id}"
    if ProcrastinateJob.objects.filter(queueing_lock=lock, status="todo").exists():
        return  # it waits for this transaction's counter, and then sees what waits
    job = app.configure_task(GIVE_TURNS, queueing_lock=lock, schedule_at=at)
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        job.defer(number_id=number_id)


def defer_due_text(text_id: int) -> None:
    """Have a worker send a text whose hour has come; one such job waits at most."""
    job = app.configure_task(SEND_WHEN_DUE, queueing_lock=f"later-{text_id}")
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        job.defer(text_id=text_id)


def defer_replay(*, account_id: int, reason: str, upto: int) -> None:
    """Have a worker try the quarantined webhooks of one cause again; see `replay_cause`."""
    app.configure_task(REPLAY_CAUSE).defer(account_id=account_id, reason=reason, upto=upto)


def defer_push(message_id: int) -> None:
    """Have a worker wake the browsers of those who were notified of a message."""
    app.configure_task(PUSH_MESSAGE).defer(message_id=message_id)


def defer_agent_pushes(message_id: int, agent_ids: Collection[int]) -> None:
    """Have a worker wake each agent's browsers, those of one agent one message after the other:
    who has browsers that never answer keeps a single slot from the others."""
    locks = {agent_id: _push_lock(agent_id) for agent_id in agent_ids}
    waiting = Counter(
        ProcrastinateJob.objects.filter(
            queue_name=NOTIFICATIONS, status="todo", lock__in=locks.values()
        ).values_list("lock", flat=True)
    )
    for agent_id, lock in locks.items():
        if waiting[lock] < MAX_WAITING_PUSHES:
            job = app.configure_task(PUSH_AGENT, lock=lock)
            job.defer(agent_id=agent_id, message_id=message_id)


def defer_push_test(agent_id: int) -> None:
    """Have a worker wake all browsers of one agent, to see that it works."""
    app.configure_task(PUSH_TEST, lock=_push_lock(agent_id)).defer(agent_id=agent_id)


def _push_lock(agent_id: int) -> str:
    return f"push-{agent_id}"


def threads_without_a_job(thread_ids: Iterable[int]) -> set[int]:
    """Those of the threads for which no delivery runs or waits its turn."""
    by_lock = {_thread_lock(thread_id): thread_id for thread_id in thread_ids}
    busy = ProcrastinateJob.objects.filter(
        task_name=DELIVER_THREAD, status__in=["todo", "doing"], lock__in=by_lock
    ).values_list("lock", flat=True)
    return {by_lock[lock] for lock in by_lock.keys() - set(busy)}


# The row itself is never taken up again: should its worker be alive after all, the end it reports
# is then refused, where it would otherwise free the lock under the job that has taken over.
# A job with a queueing lock is periodic, or renewed by the net under the queue: it comes again.
_REPLACE_ABANDONED_JOBS = """
WITH left_behind AS (
    DELETE FROM procrastinate_jobs AS job
    WHERE status = 'doing' AND job.id <> %(own_job)s
      AND (
        (worker_id IS DISTINCT FROM %(own_worker)s AND NOT EXISTS (
            SELECT FROM procrastinate_workers AS worker
            WHERE worker.id = job.worker_id
              AND last_heartbeat > now() - %(stalled_after)s * interval '1 second'))
        OR (task_name = %(delivery)s AND EXISTS (
            SELECT FROM procrastinate_events AS event
            WHERE event.job_id = job.id AND type = 'started'
              AND at < now() - %(stuck_after)s * interval '1 second'))
      )
    RETURNING queue_name, task_name, priority, lock, queueing_lock, args
)
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args)
SELECT queue_name, task_name, priority, lock, args FROM left_behind WHERE queueing_lock IS NULL
RETURNING id
"""


def replace_abandoned_jobs(
    *,
    own_job: int | None,
    own_worker: int | None,
    stalled_after: timedelta,
    stuck_after: timedelta,
) -> list[int]:
    """Put a new job in the place of each whose worker is gone, or whose delivery never ends.

    Spares the caller and whatever else its own worker runs: that one is alive, however late its
    heartbeat (a laptop was asleep, say).
    """
    values: dict[str, int | float | str] = {
        "own_job": own_job or 0,
        "own_worker": own_worker or 0,
        "delivery": DELIVER_THREAD,
        "stalled_after": stalled_after.total_seconds(),
        "stuck_after": stuck_after.total_seconds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_REPLACE_ABANDONED_JOBS, values)
        return [row[0] for row in cursor.fetchall()]


def _thread_lock(thread_id: int) -> str:
    return f"thread-{thread_id}"
