"""Pace a number to its rate, fairly and without holding up other numbers."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes import counters
from inboxes.models import Inbox
from messaging import tasks
from messaging.models import Message, Number, Pace
from messaging.outbound import delivery, pacing
from messaging.outbound.sending import retry_message
from messaging.stream import writing
from tests.cast import DISPATCH, Cast, client_of
from tests.databases import sessions_waiting_for_locks
from tests.far_end_client import FarEnd, far_end
from tests.messaging.stepped_worker import (
    assert_never_doubled,
    carrier,
    end_waits,
    message_states,
    run_jobs,
    texts_at,
)
from tests.messaging.worker_processes import run_workers, wait_until
from threads.models import Contact, Thread

__all__ = ["carrier", "far_end"]


def set_rate(inbox: Inbox, rate: float | None = 1.0) -> Number:
    Number.objects.filter(inbox=inbox).update(segments_per_second=rate)
    return Number.objects.select_related("account").get(inbox=inbox)


def make_strangers(cast: Cast, count: int) -> list[Thread]:
    """Make threads of contacts who have not written."""
    contacts = Contact.objects.bulk_create(
        Contact(inbox=cast.front_desk, address=f"+1303555{number:04d}", kind="phone")
        for number in range(count)
    )
    ours = cast.front_desk.number.address
    return Thread.objects.bulk_create(
        Thread(inbox=cast.front_desk, contact=contact, our_address=ours, seq=0)
        for contact in contacts
    )


def end_pause(number: Number) -> None:
    """End the number's pause now."""
    Pace.objects.filter(number=number).update(free_at=timezone.now())


def waiting_jobs(name: str) -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name=name, status="todo"))


def is_sent(body: str) -> bool:
    return Message.objects.filter(body=body, state="sent").exists()


def test_a_text_that_finds_no_turn_waits_without_a_job_of_its_own(
    carrier: FarEnd, cast: Cast
) -> None:
    number = set_rate(cast.front_desk, 0.01)
    first, second = (cast.answer(thread, "Hello") for thread in make_strangers(cast, 2))
    run_jobs()
    assert message_states(first, second) == ["sent", "queued"]
    second.refresh_from_db()
    assert second.expected_at is not None
    assert 80 < (second.expected_at - timezone.now()).total_seconds() <= 100
    [waiting] = ProcrastinateJob.objects.all()
    assert (waiting.task_name, waiting.args) == ("give_turns", {"number_id": number.pk})
    assert abs((waiting.scheduled_at - second.expected_at).total_seconds()) < 5
    end_pause(number)
    end_waits()
    run_jobs()
    assert message_states(second) == ["sent"]
    assert not ProcrastinateJob.objects.exists()


def test_each_segment_takes_time(carrier: FarEnd, cast: Cast) -> None:
    number = set_rate(cast.front_desk, 0.05)
    cast.answer(cast.thread(), "x" * 400)
    run_jobs()
    pause = (Pace.objects.get(number=number).free_at - timezone.now()).total_seconds()
    assert 45 < pause <= 60


def test_a_number_without_a_rate_of_its_own_has_its_carriers_rate(cast: Cast) -> None:
    number = set_rate(cast.front_desk, None)
    assert number.rate == number.account.adapter.capabilities.segments_per_second == 1.0


def test_the_order_of_a_thread_holds_while_it_waits(carrier: FarEnd, cast: Cast) -> None:
    number = set_rate(cast.front_desk)
    one, other = make_strangers(cast, 2)
    cast.answer(other, "before")
    sent = [cast.answer(one, f"Line {index}") for index in range(3)]
    for _ in range(6):
        run_jobs()
        end_pause(number)
        end_waits()
    assert texts_at(carrier) == ["before", *(message.body for message in sent)]
    assert_never_doubled(carrier)


def test_answers_go_first_and_every_fourth_turn_is_for_the_others(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = set_rate(cast.front_desk)
    others = [cast.answer(thread, "An offer") for thread in make_strangers(cast, 3)]
    answers = [
        cast.answer(cast.thread(sender=f"+1202555030{index}"), "It is ready") for index in range(6)
    ]
    Pace.objects.create(number=number, free_at=timezone.now() + timedelta(minutes=1))
    for message in [*others, *answers]:
        delivery.deliver_thread(message.thread_id)
    turns: list[int] = []
    for _ in range(9):
        end_pause(number)
        pacing.give_turns(number)
        [fresh] = Message.objects.exclude(turn_at=None).exclude(pk__in=turns)
        turns.append(fresh.pk)
        Message.objects.filter(pk=fresh.pk).update(state="sent")
    a, o = [message.pk for message in answers], [message.pk for message in others]
    assert turns == [*a[:3], o[0], *a[3:6], o[1], o[2]]


def test_a_new_text_waits_behind_the_texts_of_other_threads(carrier: FarEnd, cast: Cast) -> None:
    number = set_rate(cast.front_desk, 0.05)
    first, second, third = make_strangers(cast, 3)
    cast.answer(first, "first")
    cast.answer(second, "second")
    run_jobs()
    end_pause(number)
    late = cast.answer(third, "third")
    delivery.deliver_thread(third.pk)
    assert message_states(late) == ["queued"]
    pacing.give_turns(number)
    run_jobs()
    assert texts_at(carrier) == ["first", "second"]


def test_a_text_takes_a_new_turn_after_a_429(carrier: FarEnd, cast: Cast) -> None:
    number = set_rate(cast.front_desk)
    carrier.plan({"kind": "throttle"})
    message = cast.answer(cast.thread(), "Hello")
    Pace.objects.create(number=number, free_at=timezone.now() + timedelta(minutes=1))
    delivery.deliver_thread(message.thread_id)
    end_pause(number)
    pacing.give_turns(number)
    run_jobs()
    message.refresh_from_db()
    assert (message.state, message.tries) == ("queued", 1)
    assert (message.turn_at, message.expected_at) == (None, None)
    end_waits()
    Pace.objects.update(free_at=timezone.now() + timedelta(minutes=1))
    delivery.deliver_thread(message.thread_id)
    assert texts_at(carrier, taken=True) == []


def test_a_retry_waits_for_a_turn_of_its_own(carrier: FarEnd, cast: Cast) -> None:
    number = set_rate(cast.front_desk)
    message = cast.answer(cast.thread(), "Hello")
    Message.objects.filter(pk=message.pk).update(state="failed", turn_at=timezone.now())
    Pace.objects.create(number=number, free_at=timezone.now() + timedelta(minutes=1))
    retry_message(message=message)
    delivery.deliver_thread(message.thread_id)
    assert texts_at(carrier) == []


def test_the_reaper_finds_waiting_texts_without_a_job_that_gives_turns(
    carrier: FarEnd, cast: Cast
) -> None:
    number = set_rate(cast.front_desk, 0.05)
    sent = [cast.answer(thread, "Hello") for thread in make_strangers(cast, 3)]
    run_jobs()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    Message.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    for _ in range(2):
        tasks.wake_forgotten_threads()
        pacing.wake_forgotten_numbers()
    assert [len(waiting_jobs("give_turns")), len(waiting_jobs("deliver_thread"))] == [1, 0]
    for _ in range(2):
        end_pause(number)
        end_waits()
        run_jobs()
    assert set(message_states(*sent)) == {"sent"}


def test_a_waiting_text_shows_in_its_thread_and_in_the_administration(
    carrier: FarEnd, cast: Cast
) -> None:
    set_rate(cast.front_desk, 0.01)
    first, second, third = (cast.answer(thread, "Hello") for thread in make_strangers(cast, 3))
    run_jobs()
    page = client_of(cast.ana).get(f"/threads/{third.thread_id}/").content.decode()
    assert "Waiting to be sent, <time" in page
    assert ">about 4 min</time>" in page
    page = client_of(cast.ana).get(f"/threads/{first.thread_id}/").content.decode()
    assert "Waiting to be sent" not in page
    Message.objects.filter(pk=second.pk).update(created_at=timezone.now() - timedelta(minutes=7))
    cast.admin.is_superuser = True
    cast.admin.save()
    numbers = client_of(cast.admin).get("/admin/messaging/number/").content.decode()
    assert "2, oldest 7\xa0minutes ago" in numbers


def count_most_within(entries: Sequence[dict[str, Any]], seconds: float) -> int:
    """Return the largest number of entries within so many seconds."""
    times: list[float] = [entry["at"] for entry in entries]
    return max(sum(at <= other < at + seconds for other in times) for at in times)


def test_two_workers_keep_to_one_rate_and_to_each_threads_order_despite_429s(
    carrier: FarEnd, cast: Cast, tmp_path: Path
) -> None:
    set_rate(cast.front_desk, 8)
    threads = make_strangers(cast, 5)
    expected: dict[str, list[str]] = {thread.contact.address: [] for thread in threads}
    for address in list(expected)[:2]:
        carrier.plan({"kind": "accept"}, {"kind": "throttle"}, to=address)
    for index in range(4):
        for thread in threads:
            cast.answer(thread, f"{thread.pk}: {index}")
            expected[thread.contact.address].append(f"{thread.pk}: {index}")
    outbound = Message.objects.filter(kind="outbound")
    with run_workers(carrier, tmp_path / "workers.log", count=2) as log:
        wait_until(lambda: not outbound.exclude(state="sent").exists(), log, seconds=60)
    entries = carrier.ledger()
    assert len(entries) == 20 + 2
    # Missed turns are made up for, but no more than a second's worth.
    assert count_most_within(entries, 1.0) <= 8 + 8 + 1
    assert entries[-1]["at"] - entries[0]["at"] > 21 / 8 - 1.1
    arrived: dict[str, list[str]] = {address: [] for address in expected}
    for entry in entries:
        if entry["taken"]:
            arrived[entry["to"]].append(entry["body"])
    assert arrived == expected
    assert_never_doubled(carrier)


def test_expiring_a_text_and_giving_turns_do_not_deadlock(
    transactional_db: None, cast: Cast
) -> None:
    """Both lock the old text and the number, in the same order."""
    number = set_rate(cast.front_desk)
    [thread] = make_strangers(cast, 1)
    old, _ = cast.answer(thread, "old"), cast.answer(thread, "young")
    Message.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - timedelta(hours=9), expected_at=timezone.now()
    )
    has_failed, may_go_on = threading.Event(), threading.Event()

    def expire_and_claim() -> None:
        with transaction.atomic():
            seq = counters.next_inbox_seq(thread.inbox_id)
            writing.change_message(old, seq, state="failed")
            has_failed.set()
            assert may_go_on.wait(10)
            pacing.take_turn(Message.objects.get(body="young"), number)
        connection.close()

    def give_turns() -> None:
        pacing.give_turns(number)
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        claiming = pool.submit(expire_and_claim)
        assert has_failed.wait(10)
        giving = pool.submit(give_turns)
        while not giving.done() and not sessions_waiting_for_locks():
            time.sleep(0.01)
        may_go_on.set()
        claiming.result(10)
        giving.result(10)


def test_a_burst_to_500_contacts_delays_no_reply_in_another_inbox(
    carrier: FarEnd, cast: Cast, tmp_path: Path
) -> None:
    set_rate(cast.front_desk)
    waiting_thread = cast.thread(to=DISPATCH)
    with transaction.atomic():
        for thread in make_strangers(cast, 500):
            cast.answer(thread, f"An offer to {thread.pk}")
    with run_workers(carrier, tmp_path / "workers.log") as log:
        wait_until(lambda: len(carrier.ledger()) > 0, log)
        for turn in range(3):
            cast.answer(waiting_thread, f"Reply {turn}")
            wait_until(lambda said=f"Reply {turn}": is_sent(said), log, seconds=6)  # type: ignore[misc]
    left = Message.objects.filter(inbox=cast.front_desk, state="queued").count()
    assert left > 400


def test_a_slow_carrier_holds_up_no_other_number(
    carrier: FarEnd, cast: Cast, tmp_path: Path
) -> None:
    """Not even where no rate keeps the number from occupying all workers."""
    waiting_thread = cast.thread(to=DISPATCH)
    for thread in make_strangers(cast, 9):
        carrier.plan({"kind": "slow", "seconds": 4}, to=thread.contact.address)
        cast.answer(thread, "An offer")
    with run_workers(carrier, tmp_path / "workers.log") as log:
        wait_until(lambda: len(carrier.ledger()) >= 2, log)
        begun = time.monotonic()
        cast.answer(waiting_thread, "A reply")
        wait_until(lambda: is_sent("A reply"), log, seconds=20)
        assert time.monotonic() - begun < 3


def test_workers_that_die_while_texts_wait_for_turns_lose_and_double_no_text(
    carrier: FarEnd, cast: Cast, tmp_path: Path
) -> None:
    set_rate(cast.front_desk, 4)
    sent = [cast.answer(thread, f"No {thread.pk}") for thread in make_strangers(cast, 8)]
    sent[3].body = "die at answered"
    sent[3].save(update_fields=["body"])
    points = ["turned", "answered", "turned"]
    with run_workers(carrier, tmp_path / "workers.log", *points) as log:
        wait_until(
            lambda: (
                log.read_text().count(" killed\n") == 3
                and not {"queued", "sending"} & set(message_states(*sent))
            ),
            log,
            seconds=60,
        )
    ended = [state for state in message_states(*sent) if state != "sent"]
    assert ended == ["unknown"], "the one whose answer was lost"
    assert sorted(texts_at(carrier, taken=True)) == sorted(message.body for message in sent)
    assert_never_doubled(carrier)
