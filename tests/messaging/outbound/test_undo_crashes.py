"""Kill workers within the seconds of Undo send: a text leaves once, or never if it came back."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.utils import timezone

from messaging.models import Message, ScheduledText
from messaging.outbound.scheduled_texts import AlreadyEnded
from messaging.outbound.undo_send import take_back, write_or_hold
from tests.cast import Cast
from tests.far_end_client import FarEnd, far_end
from tests.messaging.stepped_worker import assert_never_doubled, carrier, texts_at
from tests.messaging.worker_processes import run_workers, wait_until

__all__ = ["carrier", "far_end"]

COUNT = 12


def hold_texts(cast: Cast, seconds: int) -> list[ScheduledText]:
    cast.ana.undo_seconds = seconds
    held = [
        write_or_hold(
            thread=cast.thread(sender=f"+1202555{index % 4:04d}"),
            author=cast.ana,
            body=f"On my way ({index})",
            form_key=uuid.uuid4(),
        )
        for index in range(COUNT)
    ]
    return [text for text in held if isinstance(text, ScheduledText)]


def take_back_if_possible(cast: Cast, text: ScheduledText) -> bool:
    try:
        take_back(text=text, agent=cast.ana)
    except AlreadyEnded:
        return False
    return True


def is_all_over() -> bool:
    waiting = ScheduledText.objects.filter(state="waiting").exists()
    return (
        not waiting and not Message.objects.filter(kind="outbound").exclude(state="sent").exists()
    )


def test_a_text_leaves_once_or_never_with_workers_that_die_within_the_seconds(
    carrier: FarEnd, cast: Cast, tmp_path: Path
) -> None:
    texts = hold_texts(cast, seconds=4)
    undone = {text.body for text in texts[:3] if take_back_if_possible(cast, text)}
    assert len(undone) == 3, "none was due"
    points = ["planned", "gone", "planned"]
    with run_workers(carrier, tmp_path / "workers.log", *points) as log:
        wait_until(lambda: timezone.now() >= texts[-1].send_at, log)
        # Races with the workers, which die and come back.
        undone |= {text.body for text in texts[3::2] if take_back_if_possible(cast, text)}
        wait_until(
            lambda: log.read_text().count(" killed\n") == 3 and is_all_over(), log, seconds=60
        )
    left = {text.body for text in texts} - undone
    assert sorted(texts_at(carrier)) == sorted(left)
    assert_never_doubled(carrier)
    assert len(left) >= len(texts[4::2])
    sent = ScheduledText.objects.filter(state="sent")
    assert sent.count() == len(left)
    assert all(text.message and text.message.created_at >= text.send_at for text in sent)


def test_without_a_worker_a_text_waits_and_can_still_be_taken_back(
    carrier: FarEnd, cast: Cast, tmp_path: Path
) -> None:
    first, second, *_ = hold_texts(cast, seconds=1)
    wait_until(lambda: timezone.now() > second.send_at, tmp_path / "no.log")
    assert take_back_if_possible(cast, first), "late, but nothing has left"
    with run_workers(carrier, tmp_path / "workers.log") as log:
        wait_until(is_all_over, log, seconds=60)
    assert len(texts_at(carrier)) == COUNT - 1
    assert not take_back_if_possible(cast, second)
