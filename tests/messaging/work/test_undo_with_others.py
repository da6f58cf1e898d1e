"""Undo leaves alone the decisions of others, their notifications, and unseen texts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inboxes.models import Agent
from messaging.models import Notification
from messaging.stream.hiding import delete_thread
from messaging.work import bulk, deeds
from messaging.work.bulk_deeds import Deed
from messaging.work.labels import label_threads
from tests.cast import Cast
from tests.messaging.work.test_bulk import begin, make_threads, shown, statuses
from threads.changes import Change
from threads.models import Activity, Label, Thread

Status = Thread.Status


def unread() -> set[int]:
    return set(Notification.objects.unread().values_list("pk", flat=True))


def wait_until(moment: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [(moment - timezone.now()).total_seconds()])


def test_undo_of_assigning_to_oneself_reads_nobodys_notifications(cast: Cast) -> None:
    threads = make_threads(cast, 2)
    before = unread()
    action = begin(cast, Deed.ASSIGN, *threads, assignee=cast.ana.pk)
    bulk.undo(action=action)
    assert before
    assert unread() == before


@pytest.mark.parametrize("deed", [Deed.REOPEN, Deed.SNOOZE])
def test_undo_puts_no_text_aside_that_came_in_since(cast: Cast, deed: Deed) -> None:
    first, second = make_threads(cast, 2)
    deeds.mark_done(inbox_id=first.inbox_id, shown=shown(first, second), by=cast.ben)
    until = timezone.now() + timedelta(hours=3)
    action = begin(cast, deed, first, second, until=until.isoformat())
    cast.text_in("And now?", sender=first.contact.address)
    bulk.undo(action=action)
    assert statuses(first, second) == [Status.OPEN, Status.DONE]


def test_undo_leaves_the_same_decision_that_somebody_made_since(cast: Cast) -> None:
    first, second = make_threads(cast, 2)
    action = begin(cast, Deed.DONE, first, second)
    deeds.reopen(inbox_id=first.inbox_id, thread_ids=[first.pk], by=cast.ben)
    deeds.mark_done(inbox_id=first.inbox_id, shown=shown(first), by=cast.ben)
    bulk.undo(action=action)
    assert statuses(first, second) == [Status.DONE, Status.OPEN]


def test_undo_leaves_an_assignment_and_a_label_that_somebody_made_anew(cast: Cast) -> None:
    threads = make_threads(cast, 2)
    keys, inbox_id = [thread.pk for thread in threads], threads[0].inbox_id
    label, other = [
        Label.objects.create(inbox_id=inbox_id, name=name, colour="pink", seq=1)
        for name in ("Leak", "Roof")
    ]

    def assign(assignee: Agent | None, by: Agent, *, of: list[int]) -> list[Change]:
        return deeds.assign_threads(
            inbox_id=inbox_id, thread_ids=of, assignee=assignee, by=by, notifies=False
        )

    def put(which: Label, by: Agent, *, on: bool = True, of: list[int]) -> list[Change]:
        return label_threads(inbox_id=inbox_id, thread_ids=of, label_id=which.pk, is_on=on, by=by)

    changes = assign(cast.cho, cast.ana, of=keys) + put(label, cast.ana, of=keys)
    assign(None, cast.ben, of=keys[:1])
    assign(cast.cho, cast.ben, of=keys[:1])
    put(label, cast.ben, on=False, of=keys[:1])
    put(label, cast.ben, of=keys[:1])
    put(other, cast.ben, of=keys[1:])
    deeds.undo(inbox_id=inbox_id, changes=changes, by=cast.ana)
    rows = Thread.objects.filter(pk__in=keys).order_by("pk")
    assert list(rows.values_list("assignee", "label_ids")) == [
        (cast.cho.pk, [label.pk]),
        (None, [other.pk]),
    ]


def test_one_agent_can_undo_step_by_step(cast: Cast) -> None:
    threads = make_threads(cast, 2)
    done = begin(cast, Deed.DONE, *threads)
    reopened = begin(cast, Deed.REOPEN, *threads)
    bulk.undo(action=reopened)
    bulk.undo(action=done)
    assert statuses(*threads) == [Status.OPEN] * 2


def test_a_snooze_whose_hour_passed_while_done_comes_back_with_its_notification(
    cast: Cast,
) -> None:
    (thread,) = make_threads(cast, 1)
    until = timezone.now() + timedelta(seconds=0.2)
    deeds.snooze(inbox_id=thread.inbox_id, shown=shown(thread), until=until, by=cast.ben)
    action = begin(cast, Deed.DONE, thread)
    wait_until(until)
    bulk.undo(action=action)
    assert statuses(thread) == [Status.OPEN]
    line = Activity.objects.filter(thread=thread).latest("pk")
    assert (line.kind, line.actor) == (Activity.Kind.UNSNOOZED, None)
    assert Notification.objects.get(activity=line, agent=cast.ben).reason == "snoozed"


def test_a_second_snooze_to_the_same_hour_is_told_and_is_theirs(cast: Cast) -> None:
    (thread,) = make_threads(cast, 1)
    until = timezone.now() + timedelta(hours=3)
    for agent in (cast.ana, cast.ben, cast.ben):
        deeds.snooze(inbox_id=thread.inbox_id, shown=shown(thread), until=until, by=agent)
    thread.refresh_from_db()
    lines = Activity.objects.filter(thread=thread).order_by("pk")
    assert [line.actor for line in lines] == [cast.ana, cast.ben]
    assert thread.snoozed_by == cast.ben


def test_undo_locks_those_who_get_threads_back_in_one_order(cast: Cast) -> None:
    threads = make_threads(cast, 2)
    first, last = sorted((cast.ana, cast.cho), key=lambda agent: agent.pk)
    for thread, agent in zip(threads, (last, first), strict=True):
        deeds.assign_threads(
            inbox_id=thread.inbox_id, thread_ids=[thread.pk], assignee=agent, by=cast.ben
        )
        delete_thread(thread=thread, agent=agent, message_id=2**40)
    action = bulk.begin(
        agent=cast.ben, deed=Deed.ASSIGN, shown=shown(*threads), details={"assignee": None}
    )
    with CaptureQueriesContext(connection) as queries:
        bulk.undo(action=action)
    locks = [
        query["sql"]
        for query in queries
        if 'FROM "inboxes_agent"' in query["sql"] and "FOR NO KEY UPDATE" in query["sql"]
    ]
    assert [int(key) for key in re.findall(r"\d+", locks[0])][:2] == [first.pk, last.pk]


def test_many_that_were_assigned_tell_only_of_what_is_still_theirs(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = make_threads(cast, 3)
    Notification.objects.all().delete()
    end = bulk._end
    monkeypatch.setattr(bulk, "_end", lambda *_: None)  # its process ended before this
    action = begin(cast, Deed.ASSIGN, *threads, assignee=cast.ben.pk)
    deeds.assign_threads(
        inbox_id=threads[2].inbox_id,
        thread_ids=[threads[2].pk],
        assignee=cast.cho,
        by=cast.ana,
        notifies=False,
    )
    monkeypatch.setattr(bulk, "_end", end)
    bulk.go_on(action.pk)
    told = Notification.objects.select_related("activity").get()
    assert told.activity is not None
    assert (told.agent, told.thread) == (cast.ben, threads[1])
    assert (told.activity.details["agent"], told.activity.details["count"]) == (cast.ben.pk, 2)
