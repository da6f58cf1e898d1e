"""Administrators read what the carrier itself says of a text that was not sent; others do not."""

from __future__ import annotations

import html

import pytest
from channels.db import database_sync_to_async as in_database
from django.urls import reverse

from inboxes.actions import add_member
from inboxes.models import Agent
from messaging.carriers import results
from messaging.models import Attempt, Message
from messaging.outbound.delivery import write_outcome
from tests.cast import CUSTOMER, Cast, client_of
from tests.messaging.live.live_pages import Opener

WORDS = "The 'From' number <+12025550110> is not yours"
SHOWN = "Carrier says: The &#x27;From&#x27; number &lt;+12025550110&gt; is not yours"


def refuse(cast: Cast, message: Message, words: str = WORDS) -> Attempt:
    ordinal = message.attempts.count() + 1
    attempt = Attempt.objects.create(message=message, account=cast.account, ordinal=ordinal)
    Message.objects.filter(pk=message.pk).update(state="sending")
    detail = "Twilio answered 400, error 21659"
    write_outcome(attempt, results.Rejected("21659", "sender", detail, words=words))
    return attempt


def seat_admin(cast: Cast) -> None:
    add_member(inbox=cast.front_desk, agent=cast.admin, changed_by=cast.admin)


def page_of(agent: Agent, message: Message) -> str:
    return client_of(agent).get(f"/threads/{message.thread_id}/").content.decode()


def test_in_the_conversation_an_administrator_reads_them(cast: Cast) -> None:
    seat_admin(cast)
    message = cast.answer(cast.thread(), "Hello")
    refuse(cast, message)
    assert SHOWN in page_of(cast.admin, message)
    others = html.unescape(page_of(cast.ana, message))
    assert "The carrier doesn't let us text from our number." in others
    assert "Carrier says" not in others


def test_they_are_of_the_last_attempt(cast: Cast) -> None:
    seat_admin(cast)
    message = cast.answer(cast.thread(), "Hello")
    refuse(cast, message)
    refuse(cast, message, "Something else")
    shown = page_of(cast.admin, message)
    assert "Carrier says: Something else" in shown
    assert SHOWN not in shown


def test_they_stay_when_the_failure_is_marked_as_seen(cast: Cast) -> None:
    seat_admin(cast)
    message = cast.answer(cast.thread(), "Hello")
    refuse(cast, message)
    address = reverse("messaging:seen", args=[message.pk])
    answer = client_of(cast.admin).post(address, headers={"HX-Request": "true"})
    assert SHOWN in answer.content.decode()


@pytest.mark.django_db(transaction=True)
async def test_an_open_page_of_an_administrator_gets_them_at_once(
    cast: Cast, opened: Opener
) -> None:
    await in_database(seat_admin)(cast)
    thread = await in_database(cast.thread)()
    message = await in_database(cast.answer)(thread, "Hello")
    ana = await opened(cast.ana, f"/threads/{thread.pk}/")
    admin = await opened(cast.admin, f"/threads/{thread.pk}/")
    await in_database(refuse)(cast, message)
    await admin.wait_for(f"message-{message.pk}", "Carrier says: ")
    await ana.wait_for(f"message-{message.pk}", "The carrier doesn't let us text")
    assert "Carrier says" not in ana.placed[f"message-{message.pk}"].words


def test_the_administration_lists_what_went_wrong_without_the_text_or_its_recipient(
    cast: Cast,
) -> None:
    message = cast.answer(cast.thread(), "Your results are in")
    attempt = refuse(cast, message)
    Attempt.objects.create(
        message=cast.answer(cast.thread(), "Fine"),
        account=cast.account,
        state="sent",
        ordinal=1,
    )
    admin = client_of(cast.admin)
    listed = admin.get(reverse("admin:messaging_attempt_changelist")).content.decode()
    assert "1 attempt to send" in listed
    change = reverse("admin:messaging_attempt_change", args=[attempt.pk])
    shown = admin.get(change).content.decode()
    for page in (listed, shown):
        assert "number &lt;+12025550110&gt; is not yours" in page
        assert "21659" in page
        assert "Front Desk" in page
        assert "Your results are in" not in page
        assert CUSTOMER not in page
    assert "The carrier doesn't let us text from our number." in html.unescape(shown)
    assert admin.post(change, {"carrier_words": "changed"}).status_code == 403
    assert admin.get(reverse("admin:messaging_attempt_add")).status_code == 403
    assert (
        admin.post(reverse("admin:messaging_attempt_delete", args=[attempt.pk])).status_code == 403
    )
    assert client_of(cast.ana).get(change).status_code == 403
