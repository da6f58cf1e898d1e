"""A text that waits too long for a reply is told once, to those who may answer it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inboxes.models import Inbox
from messaging.models import Notification
from messaging.work import deeds, waits
from tests.cast import ANAS_LINE, DISPATCH, Cast, client_of
from tests.markup import without_bdi
from threads.models import Activity, Contact, Thread

MINUTES = 30


def waiting(cast: Cast, minutes: float, *, sender: str = "+12025550177", to: str = "") -> Thread:
    """Return a thread whose first text came in so many minutes ago."""
    thread = cast.thread(sender=sender, **({"to": to} if to else {}))
    return begin_wait(thread, minutes)


def begin_wait(thread: Thread, minutes: float) -> Thread:
    since = timezone.now() - timedelta(minutes=minutes)
    Thread.objects.filter(pk=thread.pk).update(waiting_since=since)
    return thread


def alerts(thread: Thread) -> list[Activity]:
    return list(Activity.objects.filter(thread=thread, kind="waiting"))


def told(thread: Thread) -> set[str]:
    """Return the handles of those who were notified that the thread waits."""
    found = Notification.objects.filter(thread=thread, reason="waiting")
    return set(found.values_list("agent__username", flat=True))


@pytest.fixture(autouse=True)
def _front_desk_has_an_alert(cast: Cast) -> None:
    Inbox.objects.filter(pk=cast.front_desk.pk).update(alert_after_minutes=MINUTES)


def test_everybody_is_told_of_a_wait_in_nobodys_conversation_and_the_history_says_so(
    cast: Cast,
) -> None:
    thread = waiting(cast, MINUTES + 1)
    assert waits.alert_of_waits() == 1
    (alert,) = alerts(thread)
    assert (alert.actor, alert.details) == (None, {"minutes": MINUTES})
    assert told(thread) == {"ana", "ben", "cho"}
    page = without_bdi(client_of(cast.ben).get("/notifications/").text)
    assert "Waiting for a reply for 30 minutes · Front Desk" in page


def test_the_assignee_alone_is_told(cast: Cast) -> None:
    thread = waiting(cast, MINUTES + 1)
    deeds.assign_threads(
        inbox_id=thread.inbox_id, thread_ids=[thread.pk], assignee=cast.cho, by=cast.ana
    )
    waits.alert_of_waits()
    assert told(thread) == {"cho"}


def test_a_wait_is_told_once_and_the_next_one_anew(cast: Cast) -> None:
    thread = waiting(cast, MINUTES + 1)
    waits.alert_of_waits()
    assert waits.alert_of_waits() == 0
    cast.text_in("Hello?")
    assert waits.alert_of_waits() == 0
    cast.answer(thread, "Here we are")
    assert waits.alert_of_waits() == 0
    cast.text_in("And another question")
    assert waits.alert_of_waits() == 0
    begin_wait(thread, MINUTES + 1)
    assert waits.alert_of_waits() == 1
    assert len(alerts(thread)) == 2


@pytest.mark.parametrize("why", ["short", "answered", "done", "snoozed", "tapback", "off", "old"])
def test_nothing_else_is_told(cast: Cast, why: str) -> None:
    thread = waiting(cast, MINUTES + 1)
    if why == "short":
        begin_wait(thread, MINUTES - 1)
    elif why == "answered":
        cast.answer(thread, "Here we are")
    elif why == "done":
        newest = thread.messages.latest("pk").pk
        deeds.mark_done(inbox_id=thread.inbox_id, shown={thread.pk: newest}, by=cast.ana)
    elif why == "snoozed":
        until = timezone.now() + timedelta(hours=1)
        deeds.snooze(inbox_id=thread.inbox_id, shown={thread.pk: 2**40}, until=until, by=cast.ana)
    elif why == "tapback":
        cast.answer(thread, "Here we are")
        cast.text_in("Liked “Here we are”")
    elif why == "off":
        Inbox.objects.update(alert_after_minutes=None)
    else:
        begin_wait(thread, 24 * 60 + MINUTES + 1)
    assert waits.alert_of_waits() == 0
    assert alerts(thread) == []


def test_each_inbox_has_its_own_patience(cast: Cast) -> None:
    Inbox.objects.filter(pk=cast.dispatch.pk).update(alert_after_minutes=5)
    here = waiting(cast, 10)
    there = waiting(cast, 10, to=DISPATCH)
    waits.alert_of_waits()
    assert (told(here), told(there)) == (set(), {"ana", "ben"})
    (alert,) = alerts(there)
    assert alert.details == {"minutes": 5}


def test_the_owner_of_a_personal_line_is_told(cast: Cast) -> None:
    Inbox.objects.filter(pk=cast.anas_line.pk).update(alert_after_minutes=5)
    thread = waiting(cast, 10, to=ANAS_LINE)
    waits.alert_of_waits()
    assert told(thread) == {"ana"}


def test_many_at_once_are_told_in_small_transactions_and_few_statements(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "BATCH", 4)
    threads = [waiting(cast, MINUTES + 1, sender=f"+1202555{1000 + n}") for n in range(10)]
    with CaptureQueriesContext(connection) as queries:
        assert waits.alert_of_waits() == 10
    assert len(queries) < 30
    assert all(len(alerts(thread)) == 1 for thread in threads)
    seqs = set(Activity.objects.values_list("seq", flat=True))
    assert len(seqs) == 3


def test_finding_out_that_nothing_waits_takes_one_query_on_the_index(cast: Cast) -> None:
    waiting(cast, 1)
    with CaptureQueriesContext(connection) as queries:
        waits.alert_of_waits()
    assert len(queries) == 1
    add_answered_threads(cast.front_desk, 2_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE threads_thread")
        cursor.execute(f"EXPLAIN {waits._FIND_INBOXES}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "thread_waits" in plan, plan


def add_answered_threads(inbox: Inbox, count: int) -> None:
    contacts = Contact.objects.bulk_create(
        [Contact(inbox=inbox, address=f"+120255{10_000 + n}") for n in range(count)]
    )
    Thread.objects.bulk_create(
        [Thread(inbox=inbox, contact=contact, seq=0) for contact in contacts]
    )


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_once(cast: Cast) -> None:
    threads = [waiting(cast, MINUTES + 1, sender=f"+1202555{1000 + n}") for n in range(6)]
    begin = threading.Barrier(2)
    counts: list[int] = []

    def work() -> None:
        begin.wait()
        counts.append(waits.alert_of_waits())
        close_old_connections()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sum(counts) == 6
    assert all(len(alerts(thread)) == 1 for thread in threads)
    assert Notification.objects.filter(reason="waiting").count() == 18
