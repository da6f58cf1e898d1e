"""Having a worker fetch what came with a text. Deferred inside the text's own transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from messaging.stream.jobs import BEHIND_SENDING

FETCH_ATTACHMENT = "fetch_attachment"
WAKE_FETCH = "wake_fetch"

LANES = 2
"""Fetches at the same time: slow hosts must leave workers for those who send."""


def defer_fetch(attachment_id: int, *, at: datetime | None = None) -> None:
    """One that waits for its hour takes no lane meanwhile: at its hour it gets in line."""
    if at is None:
        lock = f"fetch-{attachment_id % LANES}"
        job = app.configure_task(FETCH_ATTACHMENT, lock=lock, priority=BEHIND_SENDING)
    else:
        job = app.configure_task(WAKE_FETCH, schedule_at=at)
    job.defer(attachment_id=attachment_id)


def find_without_job(attachment_ids: Iterable[int]) -> set[int]:
    """Those of them for which no job runs or waits."""
    jobs = ProcrastinateJob.objects.filter(
        task_name__in=[FETCH_ATTACHMENT, WAKE_FETCH], status__in=["todo", "doing"]
    )
    known = {args["attachment_id"] for args in jobs.values_list("args", flat=True)}
    return set(attachment_ids) - known
