"""Find out whether anything does the background work, such as sending."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection
from django.utils.html import format_html
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes.times import time_element
from messaging.administration.troubles import MANY, Trouble, list_url

# A worker gives a sign of life every ten seconds.
SIGN_OF_LIFE = timedelta(seconds=60)

# A job that was due so long ago should have been taken.
LATE = timedelta(minutes=5)


def find_troubles(now: datetime) -> Iterator[Trouble]:
    seen = _last_sign_of_life()
    due = ProcrastinateJob.objects.filter(status="todo", scheduled_at__lt=now - LATE)
    if seen is None or seen < now - SIGN_OF_LIFE:
        since = format_html(" since {}", time_element(seen, "past")) if seen else ""
        yield Trouble(
            "worker",
            1,
            "No worker is running",
            format_html(
                "Nothing is sent{}, and no scheduled text leaves. Start one: manage.py worker.",
                since,
            ),
            list_url("number", "waiting=yes"),
            "See the numbers",
        )
    elif late := list(due.order_by("pk").values_list("scheduled_at", flat=True)[:MANY]):
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


def _last_sign_of_life() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(last_heartbeat) FROM procrastinate_workers")
        seen: datetime | None = cursor.fetchone()[0]
    return seen
