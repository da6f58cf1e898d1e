"""Send a scheduled text exactly once, with killed workers and with two at once."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from messaging.models import Message, ScheduledText
from messaging.outbound.scheduling import schedule_text
from tests.cast import Cast
from tests.far_end_client import FarEnd, far_end
from tests.messaging.stepped_worker import assert_never_doubled, carrier, texts_at
from tests.messaging.worker_processes import run_workers, wait_until

__all__ = ["carrier", "far_end"]

COUNT = 12


def schedule_texts(cast: Cast, ahead: timedelta) -> list[str]:
    texts = [
        schedule_text(
            thread=cast.thread(sender=f"+1202555{index:04d}"),
            author=cast.ana,
            body=f"Your car is ready ({index})",
            send_at=timezone.now() + ahead,
            form_key=uuid.uuid4(),
        )
        for index in range(COUNT)
    ]
    return [text.body for text in texts]


def are_all_sent() -> bool:
    return Message.objects.filter(kind="outbound", state="sent").count() == COUNT


def assert_each_was_sent_once(carrier: FarEnd, scheduled: list[str]) -> None:
    assert sorted(texts_at(carrier)) == sorted(scheduled)
    assert_never_doubled(carrier)
    assert set(ScheduledText.objects.values_list("state", flat=True)) == {"sent"}
    assert Message.objects.filter(kind="outbound").count() == COUNT


def test_two_workers_send_each_scheduled_text_once_and_on_time(
    carrier: FarEnd, cast: Cast, tmp_path: Path
) -> None:
    scheduled = schedule_texts(cast, timedelta(seconds=4))
    begun = timezone.now()
    with run_workers(carrier, tmp_path / "workers.log", count=2) as log:
        wait_until(are_all_sent, log, seconds=60)
    assert_each_was_sent_once(carrier, scheduled)
    first = min(text.message.created_at for text in ScheduledText.objects.all() if text.message)
    assert first >= begun + timedelta(seconds=3)


def test_no_scheduled_text_is_lost_or_doubled_when_workers_die_around_its_commit(
    carrier: FarEnd, cast: Cast, tmp_path: Path
) -> None:
    scheduled = schedule_texts(cast, timedelta(0))
    points = ["planned", "gone", "planned"]
    with run_workers(carrier, tmp_path / "workers.log", *points) as log:
        wait_until(
            lambda: log.read_text().count(" killed\n") == 3 and are_all_sent(), log, seconds=60
        )
    assert_each_was_sent_once(carrier, scheduled)
