"""A snoozed thread comes back at its hour: once, exactly, and for whoever waits for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connections
from django.utils import timezone
from procrastinate.contrib.django import app

from inboxes.models import Inbox
from messaging.models import Notification
from messaging.work import deeds, waits, waking
from tests.cast import DISPATCH, Cast
from tests.clock import Clock, clock
from tests.messaging.work.test_deeds import activity_of, assign, mark_done, snooze, told
from threads.models import Activity, Thread

__all__ = ["clock"]
pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def test_a_worker_looks_every_five_seconds() -> None:
    periodic = app.periodic_registry.periodic_tasks["end_due_snoozes", ""]
    assert periodic.cron == "* * * * * */5"


def test_it_comes_back_at_its_hour_and_not_before(cast: Cast, clock: Clock) -> None:
    thread = cast.thread()
    snooze(thread, cast.ana, timezone.now() + HOUR)
    clock.advance(HOUR - timedelta(seconds=2))
    assert waking.end_due_snoozes() == 0
    clock.advance(timedelta(seconds=3))
    assert waking.end_due_snoozes() == 1
    thread.refresh_from_db()
    assert (thread.status, thread.snoozed_until, thread.snoozed_by) == ("open", None, None)
    assert activity_of(thread) == [("ana", "snoozed"), ("", "unsnoozed")]
    assert Activity.objects.latest("pk").details == {}
    assert waking.end_due_snoozes() == 0


def test_the_assignee_is_told_or_else_who_snoozed_it(cast: Cast, clock: Clock) -> None:
    mine, bens = cast.thread(), cast.thread(sender="+12025550188")
    assign(bens, cast.ben, by=cast.ben)
    for thread in (mine, bens):
        snooze(thread, cast.ana, timezone.now() + HOUR)
    clock.advance(2 * HOUR)
    waking.end_due_snoozes()
    assert [told(agent) for agent in (cast.ana, cast.ben, cast.cho)] == [
        ["snoozed"],
        ["snoozed"],
        [],
    ]
    assert Notification.objects.get(agent=cast.ana, reason="snoozed").thread == mine


def test_a_thread_that_was_done_or_snoozed_anew_is_left_alone(cast: Cast, clock: Clock) -> None:
    done, later = cast.thread(), cast.thread(sender="+12025550188")
    for thread in (done, later):
        snooze(thread, cast.ana, timezone.now() + HOUR)
    mark_done(done, cast.ana)
    snooze(later, cast.ana, timezone.now() + 3 * HOUR)
    clock.advance(2 * HOUR)
    assert waking.end_due_snoozes() == 0


def test_many_come_back_in_batches_of_their_inboxes(
    cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waking, "BATCH", 2)
    for index in range(7):
        thread = cast.thread(
            sender=f"+1202555020{index}", **({"to": DISPATCH} if index > 4 else {})
        )
        snooze(thread, cast.ana, timezone.now() + HOUR)
    clock.advance(2 * HOUR)
    assert waking.end_due_snoozes() == 7
    assert not Thread.objects.exclude(status="open").exists()
    lines = Activity.objects.filter(kind="unsnoozed")
    assert len(set(lines.values_list("seq", "inbox"))) == 3 + 1
    assert Notification.objects.filter(reason="snoozed", agent=cast.ana).count() == 7


def test_two_workers_at_once_bring_each_back_once(transactional_db: None, cast: Cast) -> None:
    for index in range(6):
        thread = cast.thread(sender=f"+1202555020{index}")
        snooze(thread, cast.ana, timezone.now() - timedelta(seconds=1))

    def work() -> int:
        try:
            return waking.end_due_snoozes()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        counts = [pool.submit(work) for _ in range(3)]
        assert sum(one.result(20) for one in counts) == 6
    assert Activity.objects.filter(kind="unsnoozed").count() == 6
    assert Notification.objects.filter(reason="snoozed").count() == 6


@pytest.mark.parametrize("what", ["snoozes", "waits"])
def test_trouble_in_one_inbox_holds_up_no_other(
    cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    broken, other = cast.thread(), cast.thread(to=DISPATCH)
    if other.inbox_id < broken.inbox_id:
        broken, other = other, broken
    module, name = (deeds, "wake_some") if what == "snoozes" else (waits, "alert_some")
    if what == "snoozes":
        for thread in (broken, other):
            snooze(thread, cast.ana, timezone.now() + HOUR)
        clock.advance(2 * HOUR)
    else:
        Inbox.objects.update(alert_after_minutes=30)
        Thread.objects.update(waiting_since=timezone.now() - HOUR)
    real = getattr(module, name)

    def fail_in_one(*, inbox_id: int, limit: int) -> object:
        if inbox_id == broken.inbox_id:
            raise OperationalError
        return real(inbox_id=inbox_id, limit=limit)

    monkeypatch.setattr(module, name, fail_in_one)
    with pytest.raises(OperationalError):
        waking.end_due_snoozes() if what == "snoozes" else waits.alert_of_waits()
    kinds = {"unsnoozed", "waiting"}
    told = Activity.objects.filter(kind__in=kinds).values_list("thread", flat=True)
    assert [*told] == [other.pk]
