"""Defer the fetching of attachments, inside the transaction of their text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from messaging.stream.jobs import BEHIND_SENDING

FETCH_ATTACHMENT = "fetch_attachment"
WAKE_FETCH = "wake_fetch"

LANES = 2  # Concurrent fetches: slow hosts must leave workers free for sending


def defer_fetch(attachment_id: int, *, at: datetime | None = None) -> None:
    """Fetch now, in one of the lanes, or get into a lane at that time."""
    if at is None:
        lock = f"fetch-{attachment_id % LANES}"
        job = app.configure_task(FETCH_ATTACHMENT, lock=lock, priority=BEHIND_SENDING)
    else:
        job = app.configure_task(WAKE_FETCH, schedule_at=at)
    job.defer(attachment_id=attachment_id)


def find_without_job(attachment_ids: Iterable[int]) -> set[int]:
    """Return the attachments for which no job runs or waits."""
    jobs = ProcrastinateJob.objects.filter(
        task_name__in=[FETCH_ATTACHMENT, WAKE_FETCH], status__in=["todo", "doing"]
    )
    known = {args["attachment_id"] for args in jobs.values_list("args", flat=True)}
    return set(attachment_ids) - known
