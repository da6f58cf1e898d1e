"""The later of two deeds wins, nothing is lost, and the activity tells of both."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from inboxes import counters
from inboxes.models import Agent
from messaging.models import Message
from messaging.outbound.sending import write_message
from messaging.work import deeds, waking
from tests.cast import Cast
from tests.databases import sessions_waiting_for_locks
from tests.messaging.work.test_deeds import activity_of, assign
from threads.models import Thread

pytestmark = pytest.mark.django_db(transaction=True)

Step = Callable[[], object]


def run_at_once(cast: Cast, *steps: Step) -> None:
    """Let all wait for the inbox's counter, in this order, and then run one after the other."""

    def run(step: Step) -> None:
        try:
            step()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(steps)) as pool:
        with transaction.atomic():
            counters.next_inbox_seq(cast.front_desk.pk)
            running = []
            for step in steps:
                running.append(pool.submit(run, step))
                _wait_for_sessions(len(running))
        for one in running:
            one.result(20)


def _wait_for_sessions(count: int) -> None:
    deadline = time.monotonic() + 20
    while sessions_waiting_for_locks() < count:
        assert time.monotonic() < deadline
        time.sleep(0.002)


class Race:
    """Hold the steps that are raced on one thread; each takes what a page showed before."""

    def __init__(self, cast: Cast, thread: Thread) -> None:
        self.cast, self.thread = cast, thread
        newest = Message.objects.filter(thread=thread).latest("pk").pk
        self.shown = {thread.pk: newest}
        self.inbox_id = thread.inbox_id

    def assign_to(self, agent: Agent, by: Agent) -> None:
        assign(self.thread, agent, by=by)

    def mark_done(self) -> None:
        deeds.mark_done(inbox_id=self.inbox_id, shown=self.shown, by=self.cast.ana)

    def snooze(self) -> None:
        until = timezone.now() + timedelta(days=1)
        deeds.snooze(inbox_id=self.inbox_id, shown=self.shown, until=until, by=self.cast.ben)

    def text_in(self) -> None:
        self.cast.text_in("One more thing")

    def send_and_mark_done(self) -> None:
        write_message(
            thread=Thread.objects.get(pk=self.thread.pk),
            author=self.cast.ana,
            body="All done",
            form_key=uuid.uuid4(),
            marks_done=True,
            shown=self.shown[self.thread.pk],
        )


@pytest.fixture
def race(cast: Cast) -> Race:
    return Race(cast, cast.thread())


def test_of_two_who_assign_the_later_one_wins_and_the_activity_tells_both(
    cast: Cast, race: Race
) -> None:
    run_at_once(
        cast,
        lambda: race.assign_to(cast.ben, by=cast.ana),
        lambda: race.assign_to(cast.cho, by=cast.cho),
    )
    assert Thread.objects.get().assignee == cast.cho
    assert activity_of(race.thread) == [("ana", "assigned"), ("cho", "assigned")]


def test_done_and_snoozed_at_once_are_both_told_and_the_later_counts(
    cast: Cast, race: Race
) -> None:
    run_at_once(cast, race.mark_done, race.snooze)
    assert Thread.objects.get().status == "snoozed"
    assert activity_of(race.thread) == [("ana", "done"), ("ben", "snoozed")]


@pytest.mark.parametrize("deed", ["mark_done", "snooze", "send_and_mark_done"])
@pytest.mark.parametrize("is_text_first", [True, False], ids=["text first", "deed first"])
def test_a_text_in_the_same_instant_leaves_the_thread_open(
    cast: Cast, race: Race, deed: str, is_text_first: bool
) -> None:
    steps: list[Step] = [race.text_in, getattr(race, deed)]
    run_at_once(cast, *(steps if is_text_first else reversed(steps)))
    thread = Thread.objects.get()
    assert (thread.status, thread.snoozed_until) == ("open", None)
    kinds = [kind for _, kind in activity_of(thread)]
    expected = {"snooze": ["snoozed", "unsnoozed"]}.get(deed, ["done", "reopened"])
    assert kinds == ([] if is_text_first else expected)
    assert Message.objects.filter(kind="outbound").count() == (deed == "send_and_mark_done")
    positions = Message.objects.order_by("pk").values_list("position", flat=True)
    assert list(positions) == list(range(1, thread.message_count + 1))


def test_a_snooze_that_ends_while_somebody_snoozes_anew_stays_snoozed(
    cast: Cast, race: Race
) -> None:
    Thread.objects.update(status="snoozed", snoozed_until=timezone.now(), snoozed_by=cast.ana)
    run_at_once(cast, race.snooze, waking.end_due_snoozes)
    assert Thread.objects.get().status == "snoozed"
    assert activity_of(race.thread) == [("ben", "snoozed")]


def test_a_text_and_the_end_of_a_snooze_at_once_bring_it_back_once(cast: Cast, race: Race) -> None:
    Thread.objects.update(status="snoozed", snoozed_until=timezone.now(), snoozed_by=cast.ana)
    run_at_once(cast, race.text_in, waking.end_due_snoozes)
    assert activity_of(race.thread) == [("", "unsnoozed")]
