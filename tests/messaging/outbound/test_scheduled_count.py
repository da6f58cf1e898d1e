"""Count a thread's scheduled texts right after any sequence of deeds."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable

import pytest
from django.utils import timezone

from messaging.models import ScheduledText
from messaging.outbound.scheduling import (
    AlreadyEnded,
    change_scheduled_text,
    delete_scheduled_text,
    send_if_due,
    send_scheduled_text_now,
)
from messaging.outbound.sending import SendingRefused
from messaging.outbound.undo_send import take_back, write_or_hold
from messaging.stream.recounting import recount_failures
from tests.cast import Cast
from tests.messaging.scheduled_texts import HOUR, make_due, schedule_in
from threads.models import Thread

STEPS = 60


def count_slowly(thread: Thread) -> int:
    texts = ScheduledText.objects.filter(thread=thread)
    return sum(
        text.state == "held" or (text.state == "waiting" and not text.is_undoable)
        for text in texts
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_count_equals_a_slow_one_after_any_deeds(cast: Cast, seed: int) -> None:
    dice = random.Random(seed)
    cast.ana.undo_seconds = 5
    cast.ana.save()
    threads = [cast.thread(sender=f"+1202555018{n}") for n in range(2)]

    def any_text() -> ScheduledText:
        return dice.choice(list(ScheduledText.objects.order_by("pk")))

    def hold() -> None:
        write_or_hold(
            thread=dice.choice(threads), author=cast.ana, body="Yes", form_key=uuid.uuid4()
        )

    def change() -> None:
        text = any_text()
        change_scheduled_text(
            text=text,
            agent=cast.ben,
            body="Changed",
            send_at=timezone.now() + HOUR,
            is_regardless=False,
            known_seq=text.seq,
        )

    deeds: list[Callable[[], object]] = [
        lambda: schedule_in(cast, dice.choice(threads)),
        lambda: schedule_in(cast, dice.choice(threads)),
        hold,
        change,
        lambda: delete_scheduled_text(text=any_text()),
        lambda: send_scheduled_text_now(text=any_text(), agent=cast.ben),
        lambda: take_back(text=any_text(), agent=cast.ana),
        lambda: send_if_due(text=make_due(any_text())),
        lambda: send_if_due(text=make_due(any_text(), 500 * HOUR)),
        lambda: cast.text_in("Wait", sender=dice.choice(threads).contact.address),
    ]
    schedule_in(cast, threads[0])
    for _ in range(STEPS):
        try:
            dice.choice(deeds)()
        except (AlreadyEnded, SendingRefused):
            continue
        for thread in threads:
            shown = Thread.objects.get(pk=thread.pk)
            assert shown.scheduled_count == count_slowly(thread)
    assert recount_failures() == 0


def test_a_row_is_stamped_when_its_count_changes_and_the_list_finds_it(cast: Cast) -> None:
    text = schedule_in(cast, cast.thread())
    thread = Thread.objects.get(pk=text.thread_id)
    assert (thread.scheduled_count, thread.seq) == (1, text.seq)
    delete_scheduled_text(text=text)
    after = Thread.objects.get(pk=text.thread_id)
    assert after.scheduled_count == 0
    assert after.seq > thread.seq


def test_a_count_that_drifted_is_counted_anew(cast: Cast) -> None:
    text = schedule_in(cast, cast.thread())
    Thread.objects.update(scheduled_count=7)
    assert recount_failures() == 1
    assert Thread.objects.get(pk=text.thread_id).scheduled_count == 1
