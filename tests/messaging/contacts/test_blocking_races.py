"""A text that comes in while its sender is blocked tells nobody, whichever of the two is first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inboxes.models import Inbox
from messaging.contacts.blocking import block_contact, unblock_contact
from messaging.models import Message, Notification
from messaging.outbound.sending import SendingRefused
from tests.cast import Cast
from tests.messaging.work.test_races import run_at_once
from threads.models import Contact, Thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("is_text_first", [True, False])
def test_a_text_that_comes_while_its_sender_is_blocked(cast: Cast, is_text_first: bool) -> None:
    other = cast.text_in("Somebody else", sender="+12025550188")
    thread = cast.thread()

    def text_in() -> None:
        cast.text_in("Buy now!")

    def block() -> None:
        block_contact(contact=Contact.objects.get(pk=thread.contact_id), by=cast.ben)

    steps = [text_in, block] if is_text_first else [block, text_in]
    run_at_once(cast, *steps)
    after = Thread.objects.get(pk=thread.pk)
    assert (after.status, after.needs_reply, after.message_count) == ("blocked", False, 2)
    assert Inbox.objects.get(pk=cast.front_desk.pk).last_message_id == other.pk
    assert not Notification.objects.filter(thread=thread).unread().exists()


@pytest.mark.parametrize("is_text_first", [True, False])
def test_a_text_that_comes_while_its_sender_is_unblocked(cast: Cast, is_text_first: bool) -> None:
    thread = cast.thread()
    block_contact(contact=thread.contact, by=cast.ben)

    def text_in() -> None:
        cast.text_in("Am I back?")

    def unblock() -> None:
        unblock_contact(contact=Contact.objects.get(pk=thread.contact_id), by=cast.ana)

    steps = [text_in, unblock] if is_text_first else [unblock, text_in]
    run_at_once(cast, *steps)
    after = Thread.objects.get(pk=thread.pk)
    inbox = Inbox.objects.get(pk=cast.front_desk.pk)
    assert (after.status, after.needs_reply) == ("open", True)
    assert inbox.last_message_id == after.last_message_id
    told = Notification.objects.filter(message=after.last_message_id)
    assert told.exists() != is_text_first


@pytest.mark.parametrize("is_answer_first", [True, False])
def test_an_answer_that_is_sent_while_the_contact_is_blocked(
    cast: Cast, is_answer_first: bool
) -> None:
    thread = cast.thread()
    loaded = Thread.objects.for_rows().get(pk=thread.pk)
    refused = []

    def answer() -> None:
        try:
            cast.answer(loaded, "On our way")
        except SendingRefused as error:
            refused.append(str(error))

    def block() -> None:
        block_contact(contact=Contact.objects.get(pk=thread.contact_id), by=cast.ben)

    steps: list[Callable[[], None]] = [answer, block] if is_answer_first else [block, answer]
    run_at_once(cast, *steps)
    assert bool(refused) != is_answer_first
    assert Message.objects.filter(kind="outbound").exists() == is_answer_first
    assert Thread.objects.get(pk=thread.pk).status == "blocked"
