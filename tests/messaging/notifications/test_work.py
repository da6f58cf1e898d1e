"""Agents are notified of a team's work: what became theirs, what came back, what waits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes import bell, counters
from inboxes.models import Agent, Inbox
from inboxes.times import format_duration
from messaging.live.pages import Page, Target
from messaging.live.readers import draw_changes
from messaging.models import Notification, NotificationPreference
from messaging.notifications import missed, push
from messaging.notifications.lists import unread_counts
from messaging.stream.hiding import delete_thread, undo_delete
from messaging.stream.notifying import (
    mark_notifications_read,
    notify_of_activities,
    notify_of_activity,
    notify_of_waiting,
    set_preference,
)
from tests.cast import ANAS_LINE, Cast, client_of
from tests.markup import without_bdi
from tests.messaging.notifications.push_service import (
    Browser,
    FakeService,
    service,
    subscribe_browser,
)
from threads.actions import set_mute
from threads.models import Activity, Thread

__all__ = ["service"]

Level = NotificationPreference.Level
Reason = Notification.Reason


def record(thread: Thread, kind: str, actor: Agent | None = None, **details: Any) -> Activity:
    """Record an activity in the thread as it is now."""
    thread.refresh_from_db()
    with transaction.atomic():
        seq = counters.next_inbox_seq(thread.inbox_id)
        activity = Activity.objects.create(
            thread=thread,
            inbox=thread.inbox,
            actor=actor,
            kind=kind,
            details=details,
            after_id=thread.last_message_id or 0,
            seq=seq,
            created_at=timezone.now(),
        )
        bell.ring_inbox(thread.inbox_id, seq)
    return activity


def assign(thread: Thread, agent: Agent, by: Agent | None = None) -> Activity:
    """Assign the thread and notify the agent."""
    Thread.objects.filter(pk=thread.pk).update(assignee=agent)
    activity = record(thread, "assigned", by)
    notify_of_activity(activity, [agent.pk], Reason.ASSIGNED)
    return activity


def told(activity: Activity) -> set[str]:
    """Return the handles of those who were notified of it."""
    found = Notification.objects.filter(activity=activity)
    return set(found.values_list("agent__username", flat=True))


def test_whoever_gets_a_conversation_is_notified_even_if_they_muted_it(cast: Cast) -> None:
    thread = cast.thread()
    set_mute(thread=thread, agent=cast.ben, is_muted=True)
    set_preference(agent=cast.ben, inbox_id=thread.inbox_id, level=Level.MENTIONS)
    assert told(assign(thread, cast.ben, by=cast.ana)) == {"ben"}


def test_nobody_is_notified_of_what_they_did_themselves(cast: Cast) -> None:
    assert told(assign(cast.thread(), cast.ana, by=cast.ana)) == set()


def test_nobody_outside_the_inbox_and_nobody_deactivated_is_notified(cast: Cast) -> None:
    thread = cast.thread()
    Agent.objects.filter(pk=cast.cho.pk).update(is_active=False)
    activity = record(thread, "unsnoozed")
    everybody = [cast.ana.pk, cast.cho.pk, cast.dov.pk, cast.admin.pk]
    notify_of_activity(activity, everybody, Reason.SNOOZED)
    assert told(activity) == {"ana"}


def test_the_owner_of_a_personal_line_is_notified(cast: Cast) -> None:
    activity = record(cast.thread(to=ANAS_LINE), "unsnoozed")
    notify_of_activity(activity, [cast.ana.pk, cast.ben.pk], Reason.SNOOZED)
    assert told(activity) == {"ana"}


def test_many_changes_notify_in_one_statement_and_each_agent_once(cast: Cast) -> None:
    threads = [cast.thread(sender=f"+1202555{1000 + n}") for n in range(8)]
    activities = [record(thread, "assigned", cast.ana) for thread in threads]
    pairs = [(activity, cast.ben.pk) for activity in activities]
    with CaptureQueriesContext(connection) as queries:
        notify_of_activities(pairs, Reason.ASSIGNED)
    assert len(queries) == 1
    notify_of_activities(pairs, Reason.ASSIGNED)
    assert [told(activity) for activity in activities] == [{"ben"}] * 8


# A text that waits


@pytest.mark.parametrize("level", [None, *Level])
@pytest.mark.parametrize("says_so", [True, False])
def test_a_wait_in_nobodys_conversation_is_told_to_members_by_their_levels(
    cast: Cast, level: Level | None, says_so: bool
) -> None:
    Inbox.objects.filter(pk=cast.front_desk.pk).update(unassigned_notifies=says_so)
    thread = cast.thread()
    set_mute(thread=thread, agent=cast.cho, is_muted=True)
    if level is not None:
        set_preference(agent=cast.ben, inbox_id=thread.inbox_id, level=level)
    activity = record(thread, "waiting", minutes=30)
    notify_of_waiting([activity])
    hears = level != Level.MENTIONS and (level != Level.MINE or says_so)
    assert told(activity) == {"ana"} | ({"ben"} if hears else set())


@pytest.mark.parametrize("is_muted", [False, True])
def test_a_wait_is_told_to_the_assignee_alone_unless_they_muted_it(
    cast: Cast, is_muted: bool
) -> None:
    thread = cast.thread()
    assign(thread, cast.ben, by=cast.ana)
    set_preference(agent=cast.ben, inbox_id=thread.inbox_id, level=Level.MENTIONS)
    set_mute(thread=thread, agent=cast.ben, is_muted=is_muted)
    activity = record(thread, "waiting", minutes=30)
    notify_of_waiting([activity])
    assert told(activity) == (set() if is_muted else {"ben"})


# Where it is shown


def test_the_page_says_what_happened_and_leads_to_the_conversation(cast: Cast) -> None:
    thread = cast.thread()
    assign(thread, cast.ben, by=cast.ana)
    assign(thread, cast.ben)
    notify_of_activity(record(thread, "unsnoozed"), [cast.ben.pk], Reason.SNOOZED)
    notify_of_waiting([record(thread, "waiting", minutes=90)])
    html = without_bdi(client_of(cast.ben).get("/notifications/").text)
    for words in (
        "Ana assigned you a conversation · Front Desk",
        "Assigned to you · Front Desk",
        "Snooze ended · Front Desk",
        "Waiting for a reply for 90 minutes · Front Desk",
    ):
        assert words in html
    assert html.count(f'href="/threads/{thread.pk}/"') == 4
    assert html.count("Is anybody there?") == 5


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(1, "1 minute"), (90, "90 minutes"), (120, "2 hours"), (1440, "1 day"), (0, "a while")],
)
def test_a_wait_is_worded_in_the_largest_whole_unit(minutes: int, words: str) -> None:
    assert format_duration(minutes) == words


async def _nothing(_: Any) -> None: ...


def drawn_for(agent: Agent, inbox: Inbox, since: int) -> dict[str, Any]:
    """Return the notices of a frame for a page of the agent that shows nothing of the inbox."""
    page = Page(
        agent_id=agent.pk,
        session_key="",
        session_hash="",
        send_frame=_nothing,
        close_socket=_nothing,
    )
    target = Target.from_page(page, inbox.pk, with_seqs=True)
    _, _, ((frame, *_rest),) = draw_changes(inbox.pk, since, [target])
    notices: dict[str, Any] = json.loads(frame)["notices"]
    return notices


def test_an_open_page_shows_each_of_several_at_once(cast: Cast) -> None:
    first, second = cast.thread(), cast.thread(sender="+12025550178")
    since = second.seq
    assigned = assign(first, cast.ben, by=cast.ana)
    also = assign(second, cast.ben, by=cast.ana)
    notices = drawn_for(cast.ben, cast.front_desk, since)
    assert notices["unread"] == 4
    assert [(one["title"], one["url"], one["tag"]) for one in notices["new"]] == [
        (
            "Ana Ruiz assigned you a conversation · (202) 555-0177",
            f"/threads/{first.pk}/",
            f"activity-{assigned.pk}",
        ),
        (
            "Ana Ruiz assigned you a conversation · (202) 555-0178",
            f"/threads/{second.pk}/",
            f"activity-{also.pk}",
        ),
    ]
    assert notices["new"][0]["body"] == "Is anybody there?"


def test_a_phone_in_a_pocket_is_told_unless_it_was_read_meanwhile(
    cast: Cast, service: FakeService
) -> None:
    browser = Browser()
    subscribe_browser(client_of(cast.ben), service.endpoint("ben"), browser)
    thread = cast.thread()
    ProcrastinateJob.objects.all().delete()
    activity = assign(thread, cast.ben, by=cast.ana)
    job = ProcrastinateJob.objects.get(task_name="push_agent")
    assert job.args == {"agent_id": cast.ben.pk, "activity_id": activity.pk}
    push.push_agent(**job.args, is_ending=lambda: False)
    ((_, _, body),) = service.log
    assert browser.open(body)["tag"] == f"activity-{activity.pk}"
    mark_notifications_read(agent=cast.ben)
    push.push_agent(**job.args, is_ending=lambda: False)
    assert len(service.log) == 1


def test_the_e_mail_about_what_was_missed_counts_work(cast: Cast) -> None:
    thread = cast.thread()
    mark_notifications_read(agent=cast.ben)
    assign(thread, cast.ben, by=cast.ana)
    notify_of_waiting([record(thread, "waiting", minutes=30)])
    notify_of_activity(record(thread, "unsnoozed"), [cast.ben.pk], Reason.SNOOZED)
    unread = Notification.objects.filter(agent=cast.ben).unread()
    (counted,) = missed._count_by_inbox(unread)
    assert counted.words == (
        "1 conversation assigned to you, 1 text waiting for a reply, 1 snooze that ended"
    )


# Until when it is unread


def test_opening_the_conversation_reads_it(cast: Cast) -> None:
    thread = cast.thread()
    assign(thread, cast.ben, by=cast.ana)
    assert unread_counts([cast.ben.pk])[cast.ben.pk] == 2
    client_of(cast.ben).get(f"/threads/{thread.pk}/")
    assert unread_counts([cast.ben.pk])[cast.ben.pk] == 0


def test_a_page_that_showed_less_leaves_unread_what_happened_after(cast: Cast) -> None:
    shown = cast.text_in("Hello")
    assign(shown.thread, cast.ben, by=cast.ana)
    cast.text_in("Came meanwhile")
    later = assign(shown.thread, cast.ben, by=cast.ana)
    client_of(cast.ben).post(f"/threads/{shown.thread_id}/read/", {"message": shown.pk})
    unread = Notification.objects.filter(agent=cast.ben).unread()
    assert [one.activity for one in unread if one.activity] == [later]


def test_deleting_the_conversation_reads_it_and_undo_makes_it_unread(cast: Cast) -> None:
    message = cast.text_in("Hello")
    assign(message.thread, cast.ben, by=cast.ana)
    delete_thread(thread=message.thread, agent=cast.ben, message_id=message.pk)
    assert unread_counts([cast.ben.pk])[cast.ben.pk] == 0
    undo_delete(thread=message.thread, agent=cast.ben)
    assert unread_counts([cast.ben.pk])[cast.ben.pk] == 2
