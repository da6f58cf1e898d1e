"""What the worker does: deliver, and look after jobs that were left behind."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from messaging import delivery, push
from messaging.actions import delete_old_notifications
from messaging.jobs import DELIVER_THREAD, PUSH_MESSAGE, PUSH_TEST, defer_delivery
from messaging.models import Attempt, DeliveryState, Message

log = logging.getLogger(__name__)

STALLED_AFTER = 15.0
"""Seconds without a worker's heartbeat after which its jobs are given to another."""

FORGOTTEN_AFTER = timedelta(seconds=60)


@app.task(name=DELIVER_THREAD)
def deliver_thread(*, thread_id: int) -> None:
    delivery.deliver_thread(thread_id)


@app.periodic(cron="*/15 * * * * *")
@app.task(name="reap_stalled_jobs", pass_context=True, queueing_lock="reap_stalled_jobs")
async def reap_stalled_jobs(context: JobContext, timestamp: int) -> None:
    """Give the jobs of dead workers to living ones, and wake threads that have no job left."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER):
        if job.id is not None and job.id != context.job.id:
            log.warning("Job %s was left behind by its worker; it starts over.", job.id)
            await manager.retry_job(job)
    await app.configure_task("wake_forgotten_threads").defer_async()


@app.task(name="wake_forgotten_threads", queueing_lock="wake_forgotten_threads")
def wake_forgotten_threads() -> None:
    """A net under the queue: a waiting text or an open attempt without a job gets one.

    The job is harmless where another is on its way: the thread's lock keeps them apart.
    """
    since = timezone.now() - FORGOTTEN_AFTER
    waiting = Message.objects.filter(
        kind="outbound", state=DeliveryState.QUEUED, created_at__lt=since
    ).exclude(next_try_at__gt=since)
    open_attempts = Attempt.objects.filter(state=DeliveryState.SENDING, started_at__lt=since)
    threads = set(waiting.values_list("thread", flat=True))
    threads |= set(open_attempts.values_list("message__thread", flat=True))
    for thread_id in threads:
        defer_delivery(thread_id)


@app.task(name=PUSH_MESSAGE)
def push_message(*, message_id: int) -> None:
    push.push_message(message_id)


@app.task(name=PUSH_TEST)
def push_test(*, agent_id: int) -> None:
    push.push_test(agent_id)


@app.periodic(cron="23 3 * * *")
@app.task(name="forget_old_notifications", queueing_lock="forget_old_notifications")
def forget_old_notifications(timestamp: int) -> None:
    """Read ones go after a month, overlooked ones after three."""
    log.info("%s old notifications were deleted.", delete_old_notifications())
