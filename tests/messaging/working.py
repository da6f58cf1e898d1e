"""The real worker, stepped by hand, against the carriers' far end."""

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


def work(rounds: int = 20, concurrency: int = 1) -> None:
    """Let a worker do all that may be done now, then stop it."""
    left = None
    for _ in range(rounds):
        asyncio.run(_one_round(concurrency))
        before, left = left, [job.pk for job in due_jobs()]
        if not left or left == before:
            return
    raise AssertionError(f"There are always new jobs: {due_jobs()}")


async def _one_round(concurrency: int) -> None:
    assert isinstance(app.connector, DjangoConnector)
    working: App = app.with_connector(app.connector.get_worker_connector())
    # What is periodic, the tests call themselves.
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


def let_the_waits_end() -> None:
    """As if the next try were due now."""
    Message.objects.filter(next_try_at__gt=timezone.now()).update(next_try_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE scheduled_at > now()"
        )


def states(*messages: Message) -> list[str]:
    return [Message.objects.get(pk=message.pk).state for message in messages]


def attempts(message: Message) -> list[str]:
    """The states of a message's attempts, oldest first."""
    rows = Attempt.objects.filter(message=message).order_by("ordinal")
    return list(rows.values_list("state", flat=True))


def bodies(far_end: FarEnd, *, taken: bool | None = None) -> list[str]:
    """What came to the far end, in its order."""
    return [
        entry["body"] for entry in far_end.ledger() if taken is None or entry["taken"] is taken
    ]


def assert_never_doubled(far_end: FarEnd) -> None:
    """No attempt was sent twice, and no text was taken twice."""
    sent: list[Any] = [entry["attempt"] for entry in far_end.ledger()]
    assert len(sent) == len(set(sent))
    taken = bodies(far_end, taken=True)
    assert len(taken) == len(set(taken))


@pytest.fixture
def carrier(transactional_db: None, far_end: FarEnd, settings: Settings) -> FarEnd:
    """Twilio's address is the far end's; it is patient for a second."""
    settings.TWILIO_API_URL = far_end.url
    settings.CARRIER_TIMEOUT = 1.0
    return far_end
