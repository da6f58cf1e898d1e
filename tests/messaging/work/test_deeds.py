"""Assign, done, reopen and snooze each change, tell and leave alone what they should."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import Http404
from django.utils import timezone

from inboxes.actions import deactivate_agent, remove_member
from inboxes.models import Agent, Inbox
from messaging.models import Message, Notification
from messaging.stream.hiding import delete_thread
from messaging.work import deeds
from messaging.work.labels import label_threads
from tests.cast import ANAS_LINE, Cast
from threads.actions import set_priority
from threads.assignment import NotAMember
from threads.changes import Change
from threads.models import Activity, Label, Thread, ThreadState

pytestmark = pytest.mark.django_db

OTHER = "+12025550188"


def tomorrow() -> datetime:
    return timezone.now() + timedelta(days=1)


def assign(thread: Thread, assignee: Agent | None, by: Agent) -> list[Change]:
    return deeds.assign_threads(
        inbox_id=thread.inbox_id, thread_ids=[thread.pk], assignee=assignee, by=by
    )


def mark_done(thread: Thread, by: Agent) -> list[Change]:
    newest = Message.objects.filter(thread=thread).latest("pk").pk
    marked = deeds.mark_done(inbox_id=thread.inbox_id, shown={thread.pk: newest}, by=by)
    assert not marked.kept_open
    return marked.changes


def snooze(thread: Thread, by: Agent, until: datetime | None = None) -> list[Change]:
    newest = Message.objects.filter(thread=thread).latest("pk").pk
    snoozed = deeds.snooze(
        inbox_id=thread.inbox_id, shown={thread.pk: newest}, until=until or tomorrow(), by=by
    )
    assert not snoozed.kept_open
    return snoozed.changes


def reopen(thread: Thread, by: Agent) -> list[Change]:
    return deeds.reopen(inbox_id=thread.inbox_id, thread_ids=[thread.pk], by=by)


def activity_of(thread: Thread) -> list[tuple[str, str]]:
    """Return who did what, oldest first; nobody is Partyline."""
    rows = Activity.objects.filter(thread=thread).order_by("pk").select_related("actor")
    return [(one.actor.username if one.actor else "", one.kind) for one in rows]


def told(agent: Agent) -> list[str]:
    """Return for what of the work the agent is notified."""
    rows = Notification.objects.filter(agent=agent, activity__isnull=False).order_by("pk")
    return list(rows.values_list("reason", flat=True))


def test_whoever_gets_a_thread_is_told_unless_they_took_it(cast: Cast) -> None:
    thread = cast.thread()
    assign(thread, cast.ben, by=cast.ana)
    assert Thread.objects.get().assignee == cast.ben
    assign(thread, cast.cho, by=cast.cho)
    assert Thread.objects.get().assignee == cast.cho
    assert [told(agent) for agent in (cast.ana, cast.ben, cast.cho)] == [[], ["assigned"], []]
    assert activity_of(thread) == [("ana", "assigned"), ("cho", "assigned")]
    assign(thread, None, by=cast.ana)
    assert activity_of(thread)[-1] == ("ana", "unassigned")
    assert Activity.objects.latest("pk").details == {"agent": cast.cho.pk, "name": "Cho Park"}


def test_the_same_again_changes_and_tells_nothing(cast: Cast) -> None:
    thread = cast.thread()
    until = tomorrow()
    assign(thread, cast.ben, by=cast.ana)
    mark_done(thread, cast.ana)
    before = Thread.objects.get().seq
    assert assign(thread, cast.ben, by=cast.cho) == []
    assert mark_done(thread, cast.ben) == []
    assert Thread.objects.get().seq == before
    snooze(thread, cast.ana, until)
    assert snooze(thread, cast.ana, until) == []
    assert Thread.objects.get().snoozed_by == cast.ana
    assert [kind for _, kind in activity_of(thread)] == ["assigned", "done", "snoozed"]


def test_every_change_is_stamped_for_open_pages(cast: Cast) -> None:
    thread = cast.thread()
    assign(thread, cast.ben, by=cast.ana)
    for deed in (snooze, mark_done, reopen):
        deed(thread, cast.ana)
        seq = Inbox.objects.get(pk=cast.front_desk.pk).seq
        assert Thread.objects.get().seq == seq
        assert Activity.objects.latest("pk").seq == seq


def test_an_activity_stands_behind_the_newest_message_and_is_none(cast: Cast) -> None:
    thread = cast.thread()
    note = cast.note(thread, "Ours")
    mark_done(thread, cast.ana)
    assert Activity.objects.get().after_id == note.pk
    thread = Thread.objects.get()
    assert (thread.last_message_id, thread.message_count) == (note.pk, 2)


def test_nobody_outside_the_inbox_can_be_given_its_threads(cast: Cast) -> None:
    thread, personal = cast.thread(), cast.thread(to=ANAS_LINE)
    with pytest.raises(NotAMember, match="This person isn't in this inbox"):
        assign(thread, cast.dov, by=cast.ana)
    with pytest.raises(NotAMember):
        assign(personal, cast.ben, by=cast.ana)
    assign(personal, cast.ana, by=cast.ana)
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
    with pytest.raises(NotAMember, match="Cho Park is no longer in this inbox"):
        assign(thread, cast.cho, by=cast.ana)
    deactivate_agent(agent=cast.ben, changed_by=cast.admin)
    with pytest.raises(NotAMember, match="Ben Okafor is no longer in this inbox"):
        assign(thread, cast.ben, by=cast.ana)
    assert Thread.objects.get(pk=thread.pk).assignee is None
    assert activity_of(thread) == []


def test_a_deed_reaches_no_thread_of_another_inbox(cast: Cast) -> None:
    thread = cast.thread()
    personal = cast.thread(to=ANAS_LINE)
    keys = [thread.pk, personal.pk]
    front = cast.front_desk.pk
    deeds.assign_threads(inbox_id=front, thread_ids=keys, assignee=cast.ben, by=cast.ben)
    shown = dict.fromkeys(keys, 2**40)
    deeds.snooze(inbox_id=front, shown=shown, until=tomorrow(), by=cast.ben)
    deeds.mark_done(inbox_id=front, shown=shown, by=cast.ben)
    personal.refresh_from_db()
    assert (personal.assignee, personal.status) == (None, "open")
    assert not Activity.objects.filter(thread=personal).exists()


def test_done_snoozed_and_open_follow_each_other(cast: Cast) -> None:
    thread, until = cast.thread(), tomorrow()

    def columns() -> tuple[str, datetime | None, Agent | None]:
        row = Thread.objects.select_related("snoozed_by").get()
        return row.status, row.snoozed_until, row.snoozed_by

    mark_done(thread, cast.ana)
    assert columns() == ("done", None, None)
    snooze(thread, cast.ben, until)
    assert columns() == ("snoozed", until, cast.ben)
    mark_done(thread, cast.ana)
    snooze(thread, cast.ben, until)
    reopen(thread, cast.cho)
    assert columns() == ("open", None, None)
    mark_done(thread, cast.ana)
    reopen(thread, cast.ana)
    assert [kind for _, kind in activity_of(thread)] == [
        "done", "snoozed", "done", "snoozed", "unsnoozed", "done", "reopened",
    ]  # fmt: skip
    assert Activity.objects.filter(kind="snoozed").latest("pk").details == {
        "until": until.isoformat()
    }


def test_a_thread_that_i_deleted_comes_back_when_it_becomes_mine(cast: Cast) -> None:
    thread = cast.thread()
    newest = Message.objects.latest("pk").pk
    for agent in (cast.ana, cast.ben):
        assert delete_thread(thread=thread, agent=agent, message_id=newest)
    assign(thread, cast.ben, by=cast.cho)
    hidden = dict(ThreadState.objects.values_list("agent", "hidden_id"))
    assert hidden == {cast.ana.pk: newest, cast.ben.pk: 0}
    state = ThreadState.objects.get(agent=cast.ben)
    assert state.seq == Agent.objects.get(pk=cast.ben.pk).seq


def test_an_unseen_text_keeps_a_thread_open_and_others_do_not(cast: Cast) -> None:
    thread, other = cast.thread(), cast.thread(sender=OTHER)
    shown = {key: Message.objects.filter(thread=key).latest("pk").pk for key in (thread, other)}
    cast.answer(other, "A colleague's answer")
    cast.note(other, "A note")
    cast.text_in("Wait!")
    marked = deeds.mark_done(
        inbox_id=cast.front_desk.pk,
        shown={key.pk: message for key, message in shown.items()},
        by=cast.ana,
    )
    assert marked.kept_open == [thread.pk]
    assert [change.thread_id for change in marked.changes] == [other.pk]
    assert dict(Thread.objects.values_list("pk", "status")) == {
        thread.pk: "open",
        other.pk: "done",
    }


def test_a_tapback_keeps_nothing_open(cast: Cast) -> None:
    thread = cast.thread()
    shown = Message.objects.latest("pk").pk
    tapback = cast.text_in("Liked “See you”")
    Message.objects.filter(pk=tapback.pk).update(reaction="👍")
    marked = deeds.mark_done(inbox_id=thread.inbox_id, shown={thread.pk: shown}, by=cast.ana)
    assert (len(marked.changes), marked.kept_open) == (1, [])


def test_undo_takes_back_only_what_is_still_as_it_was_left(cast: Cast) -> None:
    threads = [cast.thread(sender=f"+1202555020{index}") for index in range(4)]
    keys, until = [thread.pk for thread in threads], tomorrow()
    inbox_id = cast.front_desk.pk
    assign(threads[0], cast.cho, by=cast.cho)
    snooze(threads[0], cast.cho, until)
    shown = dict.fromkeys(keys, 2**40)
    changes = deeds.mark_done(inbox_id=inbox_id, shown=shown, by=cast.ana).changes
    changes += deeds.assign_threads(
        inbox_id=inbox_id, thread_ids=keys, assignee=cast.ben, by=cast.ana
    )
    reopen(threads[1], cast.ben)
    assign(threads[2], cast.cho, by=cast.ana)
    cast.text_in("And now?", sender="+12025550203")
    undone = deeds.undo(inbox_id=inbox_id, changes=changes, by=cast.ana)
    rows = Thread.objects.order_by("pk").values_list("status", "snoozed_until", "assignee")
    assert list(rows) == [
        ("snoozed", until, cast.cho.pk),
        ("open", None, None),
        ("open", None, cast.cho.pk),
        ("open", None, None),
    ]
    assert len(undone) == 3 + 2
    assert deeds.undo(inbox_id=inbox_id, changes=changes, by=cast.ana) == []
    assert activity_of(threads[0])[-2:] == [("ana", "assigned"), ("ana", "snoozed")]


def test_undo_gives_nothing_back_to_whoever_left_and_snoozes_nothing_into_the_past(
    cast: Cast,
) -> None:
    thread = cast.thread()
    assign(thread, cast.cho, by=cast.cho)
    snooze(thread, cast.cho, timezone.now() + timedelta(seconds=0.01))
    changes = [*assign(thread, cast.ben, by=cast.ana), *mark_done(thread, cast.ana)]
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
    deeds.undo(inbox_id=thread.inbox_id, changes=changes, by=cast.ana)
    thread.refresh_from_db()
    assert (thread.assignee, thread.status) == (None, "open")


def test_somebody_who_was_removed_meanwhile_changes_nothing(cast: Cast) -> None:
    thread = cast.thread()
    label = Label.objects.create(inbox=thread.inbox, name="VIP", colour="pink", seq=1)
    changes = assign(thread, cast.cho, by=cast.ben)
    remove_member(inbox=cast.front_desk, agent=cast.ben, changed_by=cast.admin)
    where: dict[str, Any] = {"inbox_id": thread.inbox_id, "by": cast.ben}
    shown = {thread.pk: thread.last_message_id or 0}
    for deed in (
        lambda: assign(thread, cast.ana, by=cast.ben),
        lambda: deeds.mark_done(shown=shown, **where),
        lambda: deeds.snooze(shown=shown, until=tomorrow(), **where),
        lambda: deeds.reopen(thread_ids=[thread.pk], **where),
        lambda: label_threads(thread_ids=[thread.pk], label_id=label.pk, is_on=True, **where),
        lambda: deeds.undo(changes=changes, **where),
        lambda: set_priority(thread=thread, priority="high", by=cast.ben),
    ):
        with pytest.raises(Http404):
            deed()
    assert Activity.objects.filter(thread=thread, actor=cast.ben).count() == 1
    thread.refresh_from_db()
    assert (thread.assignee, thread.status, thread.priority) == (cast.cho, "open", "")
