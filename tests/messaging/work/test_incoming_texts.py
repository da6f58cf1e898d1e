"""A message changes the status, the wait and the labels of its thread."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from inboxes import counters
from messaging.carriers import events
from messaging.inbound.receiving import store_late_text
from messaging.models import Message, Notification, NotificationPreference
from messaging.outbound.opt_outs import end_opt_outs_of_thread, record_opt_out
from messaging.stream import writing
from tests.cast import CUSTOMER, FRONT_DESK, Cast
from tests.clock import Clock, clock
from tests.messaging.work.test_deeds import activity_of, assign, mark_done, reopen, snooze, told
from threads.actions import set_mute
from threads.models import Activity, Label, Thread, ThreadLabel

__all__ = ["clock"]
pytestmark = pytest.mark.django_db


def late(cast: Cast, body: str, at: datetime) -> Message:
    """Find a text afterwards that was sent at that time."""
    text = events.InboundText("SM-late", CUSTOMER, FRONT_DESK, body, sent_at=at)
    assert store_late_text(text, account=cast.account, arrived_at=at)
    return Message.objects.latest("pk")


def tapback_in(cast: Cast, thread: Thread, key: str = "SM-tapback") -> Message:
    """Store a text that was read as a reaction."""
    with transaction.atomic():
        return writing.record_message(
            writing.new_message(
                thread,
                seq=counters.next_inbox_seq(thread.inbox_id),
                kind=Message.Kind.INBOUND,
                body="Liked “See you”",
                reaction="👍",
                carrier_message_id=key,
                account=cast.account,
            )
        )


def test_a_new_text_reopens_what_is_done_and_says_so_behind_it(cast: Cast) -> None:
    thread = cast.thread()
    mark_done(thread, cast.ana)
    text = cast.text_in("One more thing")
    assert Thread.objects.get().status == "open"
    line = Activity.objects.latest("pk")
    assert (line.kind, line.actor, line.after_id, line.details) == (
        "reopened", None, text.pk, {"is_by_text": True},
    )  # fmt: skip
    assert line.seq == text.seq
    cast.text_in("And another")
    assert len(activity_of(thread)) == 2


def test_a_new_text_ends_a_snooze(cast: Cast) -> None:
    thread = cast.thread()
    snooze(thread, cast.ana)
    text = cast.text_in("I'm early")
    thread.refresh_from_db()
    assert (thread.status, thread.snoozed_until, thread.snoozed_by) == ("open", None, None)
    line = Activity.objects.latest("pk")
    assert (line.kind, line.actor, line.after_id) == ("unsnoozed", None, text.pk)


@pytest.mark.parametrize("body", ["STOP", "HELP", "Thanks"])
def test_every_text_of_a_person_opens_it_keywords_too(cast: Cast, body: str) -> None:
    thread = cast.thread()
    mark_done(thread, cast.ana)
    cast.text_in(body)
    assert Thread.objects.get().status == "open"


@pytest.mark.parametrize("body", ["Is it ready?", "STOP"])
def test_a_text_that_is_found_afterwards_opens_it_since_nobody_has_seen_it(
    cast: Cast, body: str
) -> None:
    thread = cast.thread()
    cast.answer(thread, "All done")
    mark_done(thread, cast.ana)
    text = late(cast, body, timezone.now() - timedelta(minutes=30))
    assert Thread.objects.get().status == "open"
    assert Activity.objects.latest("pk").after_id == text.pk


@pytest.mark.parametrize("deed", [mark_done, snooze])
def test_what_we_write_and_a_tapback_leave_the_status_alone(cast: Cast, deed: Any) -> None:
    thread = cast.thread()
    deed(thread, cast.ana)
    before = Thread.objects.values("status", "snoozed_until", "snoozed_by").get()
    cast.answer(thread, "By the way")
    cast.note(thread, "Between us")
    tapback_in(cast, thread)
    assert Thread.objects.values("status", "snoozed_until", "snoozed_by").get() == before
    assert len(activity_of(thread)) == 1


def test_whoever_waits_for_a_snoozed_thread_is_told_once_when_a_text_ends_it(cast: Cast) -> None:
    thread = cast.thread()
    NotificationPreference.objects.create(
        agent=cast.ben, inbox=cast.front_desk, level=NotificationPreference.Level.MENTIONS
    )
    for agent in (cast.ana, cast.ben):
        snooze(thread, agent)
        text = cast.text_in("I'm early")
        about = Notification.objects.filter(agent=agent, seq=text.seq)
        expected = ["inbound"] if agent == cast.ana else ["snoozed"]
        assert list(about.values_list("reason", flat=True)) == expected
    assign(thread, cast.cho, by=cast.cho)
    set_mute(thread=thread, agent=cast.cho, is_muted=True)
    snooze(thread, cast.ben)
    cast.text_in("Again")
    assert told(cast.cho) == ["snoozed"], "the assignee, not who snoozed it"
    assert told(cast.ben) == ["snoozed"]


def test_the_wait_begins_with_the_first_text_and_ends_with_an_answer(
    cast: Cast, clock: Clock
) -> None:
    thread = cast.thread()
    first = Message.objects.get().created_at

    def wait() -> tuple[datetime | None, bool]:
        row = Thread.objects.get()
        return row.waiting_since, row.was_alerted

    clock.advance(timedelta(minutes=5))
    cast.text_in("Hello?")
    Thread.objects.update(was_alerted=True)
    cast.note(thread, "On it")
    tapback_in(cast, thread)
    assert wait() == (first, True)
    cast.answer(thread, "We are here")
    assert wait() == (None, False)
    again = cast.text_in("Great")
    assert wait() == (again.created_at, False)
    cast.text_in("STOP")
    assert wait() == (None, False)


def test_a_text_that_reopens_begins_a_new_wait(cast: Cast, clock: Clock) -> None:
    thread = cast.thread()
    first = Message.objects.get().created_at
    Thread.objects.update(was_alerted=True)
    mark_done(thread, cast.ana)
    reopen(thread, cast.ana)
    thread.refresh_from_db()
    assert (thread.waiting_since, thread.was_alerted) == (first, True)
    mark_done(thread, cast.ana)
    clock.advance(timedelta(hours=5))
    text = cast.text_in("One more thing")
    thread.refresh_from_db()
    assert (thread.waiting_since, thread.was_alerted) == (text.created_at, False)


def test_an_opt_out_ends_the_wait_and_its_end_resumes_it(cast: Cast, clock: Clock) -> None:
    thread = cast.thread()
    cast.answer(thread, "We are here")
    clock.advance(timedelta(minutes=5))
    asked = cast.text_in("When?")
    clock.advance(timedelta(minutes=5))
    cast.text_in("Please?")
    record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    assert Thread.objects.get().waiting_since is None
    end_opt_outs_of_thread(thread=thread, by=cast.ana, reason="They called")
    row = Thread.objects.get()
    assert (row.needs_reply, row.waiting_since) == (True, asked.created_at)


def test_a_tapback_after_our_answer_asks_for_nothing(cast: Cast) -> None:
    thread = cast.thread()
    cast.answer(thread, "See you")
    tapback_in(cast, thread)
    assert not Thread.objects.get().needs_reply
    record_opt_out(our_address=FRONT_DESK, address=CUSTOMER)
    end_opt_outs_of_thread(thread=thread, by=cast.ana, reason="They called")
    assert not Thread.objects.get().needs_reply


def test_the_threads_of_a_label_follow_the_newest_message(cast: Cast) -> None:
    thread, other = cast.thread(), cast.thread(sender="+12025550188")
    label = Label.objects.create(inbox=cast.front_desk, name="Invoice")
    for one in (thread, other):
        ThreadLabel.objects.create(label=label, thread=one, last_at=one.last_at)
        Thread.objects.filter(pk=one.pk).update(label_ids=[label.pk])
    note = cast.note(thread, "Mine")
    lasts = dict(ThreadLabel.objects.values_list("thread", "last_at"))
    assert lasts == dict(Thread.objects.values_list("pk", "last_at"))
    assert lasts[thread.pk] == note.created_at
