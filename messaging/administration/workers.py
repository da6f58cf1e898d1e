"""Find out whether anything does the background work, such as sending."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.html import format_html
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from inboxes.times import time_element
from messaging.administration.troubles import MANY, Trouble, list_url
from messaging.stream.jobs import queues

# A worker gives a sign of life every ten seconds.
SIGN_OF_LIFE = timedelta(seconds=60)

# A job that was due so long ago should have been taken.
LATE = timedelta(minutes=5)


def find_troubles(now: datetime) -> Iterator[Trouble]:
    seen = _last_sign_of_life()
    if seen is None or seen < now - SIGN_OF_LIFE:
        since = format_html(" since {}", time_element(seen, "inline")) if seen else ""
        yield Trouble(
            "worker",
            1,
            "No worker is running",
            format_html(
                "Nothing is sent{}, and no scheduled text leaves. Start one: partyline worker, "
                "or partyline serve, which has its own.",
                since,
            ),
            list_url("number", "waiting=yes"),
            "See the numbers",
        )
    elif late := _late_jobs(now):
        yield Trouble(
            "jobs",
            len(late),
            "Background work is late",
            format_html(
                "The oldest job was due {}. More workers, or a faster machine, would help.",
                time_element(min(late), "past"),
            ),
            list_url("number", "waiting=yes"),
            "See the numbers",
        )


def _late_jobs(now: datetime) -> list[datetime]:
    """Return since when jobs are due that should have been taken, of the queues with a worker."""
    put = ("deferred", "deferred_for_retry")
    events = ProcrastinateEvent.objects.filter(job=OuterRef("pk"), type__in=put)
    queued = events.order_by("-at").values("at")[:1]
    waiting = ProcrastinateJob.objects.filter(status="todo", queue_name__in=queues())
    due = waiting.annotate(due_at=Coalesce("scheduled_at", Subquery(queued)))
    late = due.filter(due_at__lt=now - LATE).order_by("pk")
    return list(late.values_list("due_at", flat=True)[:MANY])


def _last_sign_of_life() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(last_heartbeat) FROM procrastinate_workers")
        seen: datetime | None = cursor.fetchone()[0]
    return seen
