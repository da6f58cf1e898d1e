"""A blocked contact's texts are kept, lift nothing, and notify nobody."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.http import Http404
from django.utils import timezone

from inboxes import counters
from inboxes.actions import remove_member
from inboxes.models import Agent, Inbox
from messaging.contacts.blocking import block_contact, unblock_contact
from messaging.models import Message, Notification, OptOut, ScheduledText
from messaging.outbound.scheduling import schedule_text
from messaging.outbound.sending import SendingRefused, retry_message
from messaging.outbound.starting import start_conversation
from messaging.stream import recounting, writing
from messaging.stream.refusals import find_refusal
from messaging.work import deeds, waits
from tests.cast import CUSTOMER, Cast
from threads.filters import parse_token
from threads.lists import inbox_list, top_list
from threads.models import Activity, Contact, Thread
from threads.rows import build_thread_rows

pytestmark = pytest.mark.django_db
OTHER = "+12025550188"


def block(thread: Thread, by: Agent) -> Contact:
    contact = Contact.objects.get(pk=thread.contact_id)
    assert block_contact(contact=contact, by=by)
    return contact


def now(thread: Thread) -> Thread:
    return Thread.objects.for_rows().get(pk=thread.pk)


def shown_in(agent: Agent, inbox: Inbox) -> set[int]:
    return {row.subject.pk for row in inbox_list(agent, inbox).rows}


def unread(agent: Agent) -> int:
    return Notification.objects.filter(agent=agent).unread().count()


def test_a_text_of_a_blocked_contact_is_kept_and_nobody_is_told(cast: Cast) -> None:
    thread = cast.thread()
    cast.text_in("Somebody else", sender=OTHER)
    block(thread, cast.ben)
    before = Inbox.objects.get(pk=cast.front_desk.pk)
    told = Notification.objects.count()
    message = cast.text_in("Buy now!")
    after = now(thread)
    assert (after.status, after.last_message_id) == ("blocked", message.pk)
    assert (after.needs_reply, after.waiting_since) == (False, None)
    assert Notification.objects.count() == told
    inbox = Inbox.objects.get(pk=cast.front_desk.pk)
    assert (inbox.last_message_id, inbox.last_at) == (before.last_message_id, before.last_at)
    assert thread.pk not in shown_in(cast.ana, cast.front_desk)


@pytest.mark.parametrize("only", ["", "unassigned", "reply", "unread", "open"])
def test_a_row_of_a_blocked_contact_leaves_every_list_but_blocked(cast: Cast, only: str) -> None:
    thread = cast.thread()
    block(thread, cast.ben)
    (row,) = build_thread_rows(cast.ana, [now(thread)], parse_token(only))
    assert row.is_gone
    (row,) = build_thread_rows(cast.ana, [now(thread)], parse_token("blocked"))
    assert not row.is_gone


def test_blocking_takes_the_inbox_row_back_to_the_message_before(cast: Cast) -> None:
    other = cast.text_in("The one before", sender=OTHER)
    thread = cast.thread()
    contact = block(thread, cast.ana)
    row = next(one for one in top_list(cast.ana).rows if one.inbox == cast.front_desk)
    assert (row.preview, row.inbox.last_at) == ("The one before", other.created_at)
    assert unblock_contact(contact=contact, by=cast.ben)
    assert Inbox.objects.get(pk=cast.front_desk.pk).last_excerpt == "Is anybody there?"


def test_the_only_contact_of_an_inbox_leaves_its_row_empty(cast: Cast) -> None:
    block(cast.thread(), cast.ana)
    row = next(one for one in top_list(cast.ana).rows if one.inbox == cast.front_desk)
    assert (row.preview, row.inbox.last_at, row.unread_count) == ("No messages yet", None, 0)


def test_notifications_are_read_with_the_block_and_unread_again_by_undo(cast: Cast) -> None:
    thread = cast.thread()
    cast.text_in("Elsewhere", sender=OTHER)
    assert unread(cast.ana) == unread(cast.cho) == 2
    contact = block(thread, cast.ben)
    assert unread(cast.ana) == unread(cast.cho) == 1
    assert unblock_contact(contact=contact, by=cast.ben, undoes=contact.blocked_at)
    assert unread(cast.ana) == unread(cast.cho) == 2


def test_undo_restores_what_was_done_unless_a_text_came_in(cast: Cast) -> None:
    thread = cast.thread()
    shown = {thread.pk: now(thread).last_message_id or 0}
    deeds.mark_done(inbox_id=thread.inbox_id, shown=shown, by=cast.ana)
    contact = block(thread, cast.ben)
    unblock_contact(contact=contact, by=cast.ben, undoes=contact.blocked_at)
    assert now(thread).status == "done"
    contact = block(thread, cast.ben)
    cast.text_in("And another one")
    unblock_contact(contact=contact, by=cast.ben, undoes=contact.blocked_at)
    assert (now(thread).status, now(thread).needs_reply) == ("open", True)


def test_undo_leaves_a_later_block_alone(cast: Cast) -> None:
    thread = cast.thread()
    contact = block(thread, cast.ben)
    began = contact.blocked_at
    unblock_contact(contact=contact, by=cast.ana)
    block(thread, cast.ana)
    assert not unblock_contact(contact=contact, by=cast.ben, undoes=began)
    assert now(thread).status == "blocked"


def test_unblocking_opens_what_needs_a_reply_and_alerts_of_no_wait_twice(cast: Cast) -> None:
    Inbox.objects.filter(pk=cast.front_desk.pk).update(alert_after_minutes=1)
    thread = cast.thread()
    since = timezone.now() - timedelta(minutes=5)
    Message.objects.update(created_at=since)
    Thread.objects.update(waiting_since=since)
    assert waits.alert_of_waits() == 1
    contact = block(thread, cast.ben)
    assert not now(thread).needs_reply
    unblock_contact(contact=contact, by=cast.ben)
    after = now(thread)
    assert (after.status, after.needs_reply, after.waiting_since) == ("open", True, since)
    assert waits.alert_of_waits() == 0


def test_the_activity_says_who_blocked_and_unblocked(cast: Cast) -> None:
    thread = cast.thread()
    contact = block(thread, cast.ben)
    assert not block_contact(contact=contact, by=cast.ana)
    unblock_contact(contact=contact, by=cast.ana)
    assert not unblock_contact(contact=contact, by=cast.ana)
    lines = Activity.objects.filter(thread=thread).order_by("pk")
    told = [(line.kind, line.actor) for line in lines]
    assert told == [("blocked", cast.ben), ("unblocked", cast.ana)]


def test_whoever_left_the_inbox_blocks_nobody(cast: Cast) -> None:
    thread = cast.thread()
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
    with pytest.raises(Http404):
        block_contact(contact=thread.contact, by=cast.cho)
    assert now(thread).status == "open"


def test_a_contact_who_never_wrote_is_blocked_before_their_first_text(cast: Cast) -> None:
    contact = Contact.objects.create(
        inbox=cast.front_desk, address=CUSTOMER, kind="phone", is_unused=True
    )
    assert block_contact(contact=contact, by=cast.ana)
    thread = cast.text_in("Hello there").thread
    contact.refresh_from_db()
    assert (now(thread).status, contact.is_unused) == ("blocked", False)
    assert Notification.objects.count() == 0
    unblock_contact(contact=contact, by=cast.ana)
    assert now(thread).needs_reply


def test_an_added_contact_gets_their_thread_with_the_first_text(cast: Cast) -> None:
    contact = Contact.objects.create(
        inbox=cast.front_desk, address=CUSTOMER, kind="phone", is_unused=True, name="Marta"
    )
    thread = cast.text_in("Hello there").thread
    contact.refresh_from_db()
    assert (now(thread).contact, contact.is_unused) == (contact, False)


def test_a_blocked_contact_gets_no_text(cast: Cast) -> None:
    thread = cast.thread()
    failed = cast.answer(thread, "On our way")
    with transaction.atomic():
        seq = counters.next_inbox_seq(thread.inbox_id)
        writing.change_message(failed, seq, state="failed", reason="No such number.")
    loaded = now(thread)  # as a request that began before the block
    block(thread, cast.ben)
    assert str(find_refusal(loaded)) == (
        "Ben Okafor blocked this contact. Their texts are kept here, and nobody is told of them."
    )
    with pytest.raises(SendingRefused):
        cast.answer(loaded, "Hello?")
    with pytest.raises(SendingRefused):
        retry_message(message=failed)
    with pytest.raises(SendingRefused):
        schedule_text(
            thread=loaded,
            author=cast.ana,
            body="Tomorrow",
            send_at=timezone.now() + timedelta(hours=1),
            form_key=uuid.uuid4(),
        )
    with pytest.raises(SendingRefused):
        start_conversation(
            inbox=cast.front_desk,
            author=cast.ana,
            address=CUSTOMER,
            body="A new start",
            form_key=uuid.uuid4(),
        )
    assert not ScheduledText.objects.exists()


def test_failed_texts_of_a_blocked_contact_are_counted_nowhere(cast: Cast) -> None:
    thread = cast.thread()
    sent = [cast.answer(thread, "One"), cast.answer(thread, "Two")]

    def fail(message: Message) -> None:
        with transaction.atomic():
            seq = counters.next_inbox_seq(thread.inbox_id)
            writing.change_message(message, seq, state="failed", reason="No such number.")

    def counted() -> int:
        return Inbox.objects.get(pk=cast.front_desk.pk).failing_count

    fail(sent[0])
    contact = block(thread, cast.ben)
    assert counted() == 0
    fail(sent[1])
    assert (counted(), now(thread).failed_count) == (0, 2)
    assert recounting.recount_failures() == 0
    unblock_contact(contact=contact, by=cast.ben)
    assert counted() == 1


def test_a_stop_of_a_blocked_contact_counts_and_is_not_confirmed(cast: Cast) -> None:
    thread = cast.thread()
    contact = block(thread, cast.ben)
    cast.text_in("STOP")
    assert OptOut.objects.current().get().address == CUSTOMER
    assert not Message.objects.filter(thread=thread, kind="outbound").exists()
    cast.text_in("START")
    assert not OptOut.objects.current().exists()
    cast.text_in("HELP")
    assert not Message.objects.filter(thread=thread, kind="outbound").exists()
    unblock_contact(contact=contact, by=cast.ben)
    assert now(thread).needs_reply


def test_deeds_leave_a_blocked_thread_blocked(cast: Cast) -> None:
    thread = cast.thread()
    shown = {thread.pk: now(thread).last_message_id or 0}
    done = deeds.mark_done(inbox_id=thread.inbox_id, shown=shown, by=cast.ana)
    contact = block(thread, cast.ben)
    deeds.undo(inbox_id=thread.inbox_id, changes=done.changes, by=cast.ana)
    deeds.reopen(inbox_id=thread.inbox_id, thread_ids=[thread.pk], by=cast.ana)
    deeds.mark_done(inbox_id=thread.inbox_id, shown=shown, by=cast.ana)
    until = timezone.now() + timedelta(hours=1)
    deeds.snooze(inbox_id=thread.inbox_id, shown=shown, until=until, by=cast.ana)
    assert now(thread).status == "blocked"
    unblock_contact(contact=contact, by=cast.ben)
    deeds.undo(inbox_id=thread.inbox_id, changes=done.changes, by=cast.ana)
    assert now(thread).status == "open"


def test_an_internal_message_tells_only_those_whom_it_mentions(cast: Cast) -> None:
    thread = cast.thread()
    block(thread, cast.ben)
    told = Notification.objects.filter(reason__in=["internal", "mention"])
    cast.note(thread, "Spam, I'd say")
    assert not told.exists()
    cast.note(thread, "What do you think, @cho?")
    assert [(one.agent, one.reason) for one in told] == [(cast.cho, "mention")]
    assert Inbox.objects.get(pk=cast.front_desk.pk).last_message_id is None
