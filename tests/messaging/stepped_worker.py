"""Run the real worker one round at a time, with the far end as the carrier."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.periodic import PeriodicRegistry
from pytest_django.fixtures import Settings

from messaging.models import Attempt, Message
from tests.far_end_client import FarEnd


def run_jobs(rounds: int = 20, concurrency: int = 1) -> None:
    """Run a worker until no job is due or the due ones do not change any more."""
    left = None
    for _ in range(rounds):
        asyncio.run(_run_jobs_once(concurrency))
        before, left = left, [job.pk for job in due_jobs()]
        if not left or left == before:
            return
    raise AssertionError(f"There are always new jobs: {due_jobs()}")


async def _run_jobs_once(concurrency: int) -> None:
    assert isinstance(app.connector, DjangoConnector)
    working: App = app.with_connector(app.connector.get_worker_connector())
    # Periodic tasks are called by the tests themselves.
    working.periodic_registry = PeriodicRegistry()  # type: ignore[no-untyped-call]
    async with working.open_async():
        await working.run_worker_async(
            wait=False,
            concurrency=concurrency,
            install_signal_handlers=False,
            listen_notify=False,
            delete_jobs="successful",
        )


def due_jobs() -> list[ProcrastinateJob]:
    now = timezone.now()
    waiting = ProcrastinateJob.objects.filter(status="todo").exclude(scheduled_at__gt=now)
    return list(waiting.order_by("pk"))


def end_waits() -> None:
    """Make every scheduled retry and job due now."""
    Message.objects.filter(next_try_at__gt=timezone.now()).update(next_try_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE scheduled_at > now()"
        )


def message_states(*messages: Message) -> list[str]:
    return [Message.objects.get(pk=message.pk).state for message in messages]


def attempt_states(message: Message) -> list[str]:
    """Return the states of a message's attempts, oldest first."""
    rows = Attempt.objects.filter(message=message).order_by("ordinal")
    return list(rows.values_list("state", flat=True))


def texts_at(far_end: FarEnd, *, taken: bool | None = None) -> list[str]:
    """Return the bodies that the far end was sent, oldest first."""
    return [
        entry["body"] for entry in far_end.ledger() if taken is None or entry["taken"] is taken
    ]


def assert_never_doubled(far_end: FarEnd) -> None:
    """Check that the far end was sent no attempt twice and accepted no text twice."""
    sent: list[Any] = [entry["attempt"] for entry in far_end.ledger()]
    assert len(sent) == len(set(sent))
    taken = texts_at(far_end, taken=True)
    assert len(taken) == len(set(taken))


@pytest.fixture
def carrier(transactional_db: None, far_end: FarEnd, settings: Settings) -> FarEnd:
    """Send to the far end what would go to Twilio, with a timeout of one second."""
    settings.TWILIO_API_URL = far_end.url
    settings.CARRIER_TIMEOUT = 1.0
    return far_end
