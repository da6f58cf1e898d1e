"""One deed on many conversations, and its one Undo."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from inboxes.actions import remove_member
from inboxes.models import Agent
from messaging.models import BulkAction, BulkItem, Notification
from messaging.notifications import words
from messaging.work import bulk, bulk_words, deeds
from messaging.work.bulk_deeds import Deed
from tests.cast import ANAS_LINE, DISPATCH, Cast, client_of
from tests.markup import read_words
from threads.actions import mark_read
from threads.models import Activity, Thread, ThreadState

Status = Thread.Status


def make_threads(cast: Cast, count: int, *, to: str = "+12025550110") -> list[Thread]:
    return [cast.thread(sender=f"+1202555{1000 + index}", to=to) for index in range(count)]


def shown(*threads: Thread) -> dict[int, int]:
    """Return what a page says that shows these threads as they are now."""
    keys = [thread.pk for thread in threads]
    rows = Thread.objects.filter(pk__in=keys).values_list("pk", "last_message_id")
    return {key: last or 0 for key, last in rows}


def begin(cast: Cast, deed: Deed, *threads: Thread, **details: object) -> BulkAction:
    return bulk.begin(agent=cast.ana, deed=deed, shown=shown(*threads), details=details)


def statuses(*threads: Thread) -> list[str]:
    return [Thread.objects.get(pk=thread.pk).status for thread in threads]


def listed_for(agent: Agent) -> set[Thread]:
    """Return the threads that the agent has not deleted."""
    states = {one.thread_id: one for one in ThreadState.objects.filter(agent=agent)}
    return {
        thread
        for thread in Thread.objects.all()
        if thread.pk not in states or not states[thread.pk].hides(thread.last_text_id)
    }


def test_many_are_marked_done_and_undone_as_one(cast: Cast) -> None:
    first, second, third = make_threads(cast, 3)
    deeds.mark_done(inbox_id=first.inbox_id, shown=shown(third), by=cast.ben)
    action = begin(cast, Deed.DONE, first, second, third)
    assert statuses(first, second, third) == [Status.DONE] * 3
    assert bulk_words.describe(action) == "2 conversations marked done"
    action = bulk.undo(action=action)
    assert bulk_words.describe(action) == "Undone"
    assert statuses(first, second, third) == [Status.OPEN, Status.OPEN, Status.DONE]
    with pytest.raises(bulk.CannotUndo):
        bulk.undo(action=action)


def test_undo_leaves_what_somebody_changed_since(cast: Cast) -> None:
    threads = make_threads(cast, 3)
    action = begin(cast, Deed.DONE, *threads)
    until = timezone.now() + timedelta(hours=3)
    shown = {threads[0].pk: 2**40}
    deeds.snooze(inbox_id=cast.front_desk.pk, shown=shown, until=until, by=cast.ben)
    action = bulk.undo(action=action)
    assert statuses(*threads) == [Status.SNOOZED, Status.OPEN, Status.OPEN]
    sentence = "Undone for 2 conversations. 1 was changed since and stays as it is"
    assert bulk_words.describe(action) == sentence


def test_a_text_that_the_page_did_not_show_keeps_its_conversation_open(cast: Cast) -> None:
    first, second = make_threads(cast, 2)
    seen = shown(first, second)
    cast.text_in("Wait!", sender=second.contact.address)
    action = bulk.begin(agent=cast.ana, deed=Deed.DONE, shown=seen, details={})
    assert statuses(first, second) == [Status.DONE, Status.OPEN]
    sentence = "1 conversation marked done. In 1, a new text came in, so it stays open"
    assert bulk_words.describe(action) == sentence


def test_foreign_conversations_are_left_out_as_if_they_did_not_exist(cast: Cast) -> None:
    mine, theirs = cast.thread(), cast.thread(to=ANAS_LINE)
    seen = shown(mine, theirs) | {2**40: 1}
    action = bulk.begin(agent=cast.ben, deed=Deed.DONE, shown=seen, details={})
    assert statuses(mine, theirs) == [Status.DONE, Status.OPEN]
    assert (action.total, action.done_count) == (1, 1)
    assert not BulkItem.objects.exclude(thread=mine).exists()


def test_assigning_over_several_inboxes_says_where_the_agent_is_missing(cast: Cast) -> None:
    here, there = make_threads(cast, 2), make_threads(cast, 3, to=DISPATCH)
    action = begin(cast, Deed.ASSIGN, *here, *there, assignee=cast.cho.pk)
    assert set(Thread.objects.filter(assignee=cast.cho)) == set(here)
    sentence = "2 conversations assigned to Cho. 3 not assigned: Cho isn't in Dispatch"
    assert bulk_words.describe(action) == sentence


def test_each_conversation_tells_of_it_in_its_activity(cast: Cast) -> None:
    threads = make_threads(cast, 2)
    action = begin(cast, Deed.ASSIGN, *threads, assignee=cast.ben.pk)
    bulk.undo(action=action)
    for thread in threads:
        lines = Activity.objects.filter(thread=thread).order_by("pk")
        assert [line.kind for line in lines] == ["assigned", "unassigned"]
        assert {line.actor for line in lines} == {cast.ana}


def test_many_are_read_with_their_notifications_and_unread_again(cast: Cast) -> None:
    first, second, third = make_threads(cast, 3)
    mark_read(thread=third, agent=cast.ana, message_id=shown(third)[third.pk], position=1)
    unread = Notification.objects.filter(agent=cast.ana).unread()
    assert unread.count() == 3
    action = begin(cast, Deed.READ, first, second, third)
    assert not unread.exists()
    states = ThreadState.objects.filter(agent=cast.ana)
    assert states.get(thread=first).last_read_id == first.messages.get().pk
    assert states.get(thread=first).read_count == 1
    cast.text_in("And now?", sender=second.contact.address)
    newest = second.messages.latest("pk")
    mark_read(thread=second, agent=cast.ana, message_id=newest.pk, position=2)
    action = bulk.undo(action=action)
    assert {one.thread for one in unread} == {first, second, third}
    assert states.get(thread=first).last_read_id == 0
    assert states.get(thread=second).last_read_id == newest.pk


def test_many_are_marked_unread(cast: Cast) -> None:
    threads = make_threads(cast, 2)
    begin(cast, Deed.READ, *threads)
    action = begin(cast, Deed.UNREAD, *threads)
    assert ThreadState.objects.filter(agent=cast.ana, is_marked_unread=True).count() == 2
    bulk.undo(action=action)
    assert not ThreadState.objects.filter(is_marked_unread=True).exists()


def test_many_are_deleted_for_me_and_come_back(cast: Cast) -> None:
    first, second, third, fourth = make_threads(cast, 4)
    seen = shown(first, second, third, fourth)
    cast.text_in("Wait!", sender=second.contact.address)
    cast.note(third, "@ana please look", author=cast.ben)
    cast.note(fourth, "@cho please look", author=cast.ben)
    action = bulk.begin(agent=cast.ana, deed=Deed.DELETE, shown=seen, details={})
    assert listed_for(cast.ana) == {second, third}
    assert len(listed_for(cast.ben)) == 4
    sentence = "2 conversations deleted for you. In 2, new texts came in, so they stay"
    assert bulk_words.describe(action) == sentence
    unread = Notification.objects.filter(agent=cast.ana).unread()
    assert first not in {one.thread for one in unread}
    bulk.undo(action=action)
    assert len(listed_for(cast.ana)) == 4
    assert first in {one.thread for one in unread.all()}


def test_it_stops_in_an_inbox_that_the_agent_has_left(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = make_threads(cast, 2), make_threads(cast, 2, to=DISPATCH)
    monkeypatch.setattr(bulk, "AT_ONCE", 0)
    action = begin(cast, Deed.DONE, *here, *there)
    remove_member(inbox=cast.dispatch, agent=cast.ana, changed_by=cast.admin)
    bulk.go_on(action.pk)
    assert statuses(*here) == [Status.DONE] * 2
    assert statuses(*there) == [Status.OPEN] * 2
    action.refresh_from_db()
    assert (action.total, action.done_count, action.state) == (2, 2, "finished")


def test_whoever_is_assigned_many_is_notified_once(cast: Cast) -> None:
    threads = make_threads(cast, 3)
    Notification.objects.all().delete()
    action = begin(cast, Deed.ASSIGN, *threads, assignee=cast.ben.pk)
    (told,) = Notification.objects.filter(agent=cast.ben).with_words()
    assert words.row_reason(told) == "Ana assigned you 3 conversations"
    assert words.notification_url(told) == "/?only=mine"
    page = client_of(cast.ben).get("/notifications/")
    assert "<bdi>Ana assigned you 3 conversations</bdi> · <bdi>Front Desk</bdi>" in read_words(
        page
    )
    bulk.undo(action=action)
    assert not Notification.objects.filter(agent=cast.ben).unread().exists()


def test_one_of_many_that_is_assigned_is_told_like_any_other(cast: Cast) -> None:
    (thread,) = make_threads(cast, 1)
    Notification.objects.all().delete()
    begin(cast, Deed.ASSIGN, thread, assignee=cast.ben.pk)
    (told,) = Notification.objects.filter(agent=cast.ben).with_words()
    assert words.row_reason(told) == "Ana assigned you a conversation"
    assert words.notification_url(told) == f"/threads/{thread.pk}/"
    begin(cast, Deed.ASSIGN, thread, assignee=cast.ana.pk)
    assert Notification.objects.filter(reason="assigned").count() == 1
