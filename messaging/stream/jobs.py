"""Queue jobs, inside the transaction that makes them necessary."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

DELIVER_THREAD = "deliver_thread"
PUSH_MESSAGE = "push_message"
PUSH_AGENT = "push_agent"
PUSH_TEST = "push_test"
SEND_MISSED = "send_missed_email"
REPLAY_CAUSE = "replay_quarantine"
WAKE_THREAD = "wake_thread"
GIVE_TURNS = "give_turns"
SEND_WHEN_DUE = "send_text_when_due"
COMPARE_NUMBER = "compare_number"
ALERT_NUMBER = "send_number_alert"
SHOW_OPT_OUT = "show_opt_out_elsewhere"
GO_ON_WITH_MANY = "go_on_with_many"
UNASSIGN = "unassign_threads"
TAKE_LABEL_OFF = "take_label_off"
GO_ON_WITH_IMPORT = "go_on_with_import"

# An inbox's waiting texts are counted up to here; more do not lower a job's priority further.
MAX_BACKLOG = 100

TEXTS = "default"

# Pushes have a queue and a worker of their own, so that no text waits for a push service.
NOTIFICATIONS = "notifications"

# So have e-mails, where there is a server for them: nothing waits for one that is away.
EMAILS = "emails"

# The priority of jobs that wait for other servers and must not hold up a text.
BEHIND_SENDING = -(MAX_BACKLOG + 1)

# So long an e-mail about an account's numbers waits for others that one round finds changed.
ALERT_WAIT = timedelta(minutes=1)

# At most so many pushes wait for one agent; further ones are dropped.
MAX_WAITING_PUSHES = 20


def queues() -> tuple[str, ...]:
    """Return the queues that have a worker in every process that runs jobs."""
    return (TEXTS, NOTIFICATIONS, *([EMAILS] if settings.EMAIL_URL else []))


def defer_delivery(thread_id: int, *, at: datetime | None = None) -> None:
    """Queue a job that sends the thread's queued messages, not before `at`.

    Jobs of one thread share a lock and run one after the other. A scheduled job with the lock
    would block the others, so one without it wakes the thread at that time. The more texts of its
    inbox wait, the lower the job's priority: a single text in another inbox goes first.
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
    """Return how many texts of the thread's inbox wait, up to MAX_BACKLOG."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_BACKLOG, [thread_id, MAX_BACKLOG])
        return int(cursor.fetchone()[0])


def defer_turns(number_id: int, *, at: datetime) -> None:
    """Queue a job that gives turns to the number's waiting texts, unless one is queued already.

    Call inside a transaction.
    """
    lock = f"turns-{number_id}"
    if ProcrastinateJob.objects.filter(queueing_lock=lock, status="todo").exists():
        return  # that job waits for this transaction's counter, and then sees its texts
    job = app.configure_task(GIVE_TURNS, queueing_lock=lock, schedule_at=at)
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        job.defer(number_id=number_id)


def defer_due_text(text_id: int, *, at: datetime | None = None) -> None:
    """Queue a job that sends a due text, now or at that time, unless one is queued already."""
    job = app.configure_task(SEND_WHEN_DUE, queueing_lock=f"later-{text_id}", schedule_at=at)
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        job.defer(text_id=text_id)


def defer_opt_out_shown(opt_out_id: int, *, but: Sequence[int]) -> None:
    """Queue a job that shows a change of an opt-out in all inboxes but these."""
    app.configure_task(SHOW_OPT_OUT).defer(opt_out_id=opt_out_id, but=list(but))


def defer_unassigning(*, agent_id: int, inbox_ids: Sequence[int]) -> None:
    """Queue a job that unassigns the threads of an agent who has left these inboxes."""
    job = app.configure_task(UNASSIGN, priority=-MAX_BACKLOG)
    job.defer(agent_id=agent_id, inbox_ids=list(inbox_ids))


def defer_taking_label_off(*, label_id: int) -> None:
    """Queue a job that takes a deleted label off its threads."""
    job = app.configure_task(TAKE_LABEL_OFF, priority=-MAX_BACKLOG)
    job.defer(label_id=label_id)


def defer_replay(*, account_id: int, reason: str, upto: int) -> None:
    """Queue a job that replays the quarantined webhooks of one cause."""
    app.configure_task(REPLAY_CAUSE).defer(account_id=account_id, reason=reason, upto=upto)


def defer_number_alert(*, account_id: int, agent_id: int, since: datetime) -> None:
    """Queue an e-mail to an administrator about the account's numbers whose new texts don't come
    here since then, unless one is queued already, which then tells of them all."""
    job = app.configure_task(
        ALERT_NUMBER,
        queueing_lock=f"alert-{account_id}-{agent_id}",
        schedule_at=timezone.now() + ALERT_WAIT,
    )
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        job.defer(account_id=account_id, agent_id=agent_id, since=since.isoformat())


def defer_comparison(number_id: int) -> None:
    """Queue a job that fetches the texts to a number which no webhook brought, unless one is
    queued already."""
    job = app.configure_task(
        COMPARE_NUMBER, queueing_lock=f"compare-{number_id}", priority=-MAX_BACKLOG
    )
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        job.defer(number_id=number_id)


def defer_bulk_action(action_id: int) -> None:
    """Queue a job that goes on with an action on many threads; no text waits for it."""
    job = app.configure_task(GO_ON_WITH_MANY, lock=f"bulk-{action_id}", priority=BEHIND_SENDING)
    job.defer(action_id=action_id)


def actions_without_a_job(action_ids: Iterable[int]) -> set[int]:
    """Return those of the actions on many threads that no job goes on with, or will."""
    by_lock = {f"bulk-{action_id}": action_id for action_id in action_ids}
    busy = ProcrastinateJob.objects.filter(
        task_name=GO_ON_WITH_MANY, status__in=["todo", "doing"], lock__in=by_lock
    ).values_list("lock", flat=True)
    return {by_lock[lock] for lock in by_lock.keys() - set(busy)}


def defer_import(import_id: int) -> None:
    """Queue a job that goes on with an import of contacts; no text waits for it."""
    job = app.configure_task(
        GO_ON_WITH_IMPORT, lock=f"import-{import_id}", priority=BEHIND_SENDING
    )
    job.defer(import_id=import_id)


def imports_without_a_job(import_ids: Iterable[int]) -> set[int]:
    """Return those of the imports that no job goes on with, or will."""
    by_lock = {f"import-{import_id}": import_id for import_id in import_ids}
    busy = ProcrastinateJob.objects.filter(
        task_name=GO_ON_WITH_IMPORT, status__in=["todo", "doing"], lock__in=by_lock
    ).values_list("lock", flat=True)
    return {by_lock[lock] for lock in by_lock.keys() - set(busy)}


def defer_push(message_id: int) -> None:
    """Queue a job that pushes a message to the agents who were notified of it."""
    app.configure_task(PUSH_MESSAGE).defer(message_id=message_id)


def defer_agent_pushes(message_id: int, agent_ids: Collection[int]) -> None:
    """Queue a job for each agent that pushes the message to the agent's browsers.

    The jobs of one agent run one after the other, so that browsers that never answer occupy a
    single slot of the worker.
    """
    _defer_pushes(agent_ids, message_id=message_id)


def defer_activity_pushes(activity_id: int, agent_ids: Collection[int]) -> None:
    """Queue a job for each agent that pushes a change of a thread's work to their browsers."""
    _defer_pushes(agent_ids, activity_id=activity_id)


def _defer_pushes(agent_ids: Collection[int], **about: int) -> None:
    locks = {agent_id: _push_lock(agent_id) for agent_id in agent_ids}
    waiting = Counter(
        ProcrastinateJob.objects.filter(
            queue_name=NOTIFICATIONS, status="todo", lock__in=locks.values()
        ).values_list("lock", flat=True)
    )
    for agent_id, lock in locks.items():
        if waiting[lock] < MAX_WAITING_PUSHES:
            job = app.configure_task(PUSH_AGENT, lock=lock)
            job.defer(agent_id=agent_id, **about)


def defer_missed_email(agent_id: int) -> None:
    """Queue a job that e-mails an agent about what they missed, unless one is queued already."""
    job = app.configure_task(SEND_MISSED, queueing_lock=f"missed-{agent_id}")
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        job.defer(agent_id=agent_id)


def defer_push_test(agent_id: int) -> None:
    """Queue a job that pushes a test notification to all of the agent's browsers."""
    app.configure_task(PUSH_TEST, lock=_push_lock(agent_id)).defer(agent_id=agent_id)


def _push_lock(agent_id: int) -> str:
    return f"push-{agent_id}"


def threads_without_a_job(thread_ids: Iterable[int]) -> set[int]:
    """Return those of the threads that have no delivery running or queued."""
    by_lock = {_thread_lock(thread_id): thread_id for thread_id in thread_ids}
    busy = ProcrastinateJob.objects.filter(
        task_name=DELIVER_THREAD, status__in=["todo", "doing"], lock__in=by_lock
    ).values_list("lock", flat=True)
    return {by_lock[lock] for lock in by_lock.keys() - set(busy)}


# The old row is deleted, not reused. If its worker is alive after all, the end that it reports is
# refused, where it would otherwise free the lock of the job that has taken over.
# Jobs with a queueing lock are not replaced: they are periodic or queued again anyway.
_REPLACE_ABANDONED_JOBS = """
WITH abandoned AS (
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
SELECT queue_name, task_name, priority, lock, args FROM abandoned WHERE queueing_lock IS NULL
RETURNING id
"""


def replace_abandoned_jobs(
    *,
    own_job: int | None,
    own_worker: int | None,
    stalled_after: timedelta,
    stuck_after: timedelta,
) -> list[int]:
    """Replace jobs whose worker is gone, or whose delivery never ends; return the new keys.

    The calling job and all others of its worker are spared. That worker is alive, however late its
    heartbeat (a laptop may have been asleep).
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
