"""Write internal messages, show them, and keep them from leaving."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import Error, connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes.models import Agent
from messaging.models import Attempt, Message, Number
from messaging.outbound.sending import NotRetriable, SendingRefused, retry_message
from tests.cast import ANAS_LINE, Cast, client_of
from tests.markup import without_bdi
from threads.models import Thread


def post_form(agent: Agent, thread: Thread, **fields: Any) -> Any:
    fields = {"body": "Only among us", "form_key": uuid.uuid4()} | fields
    return client_of(agent).post(
        f"/threads/{thread.pk}/messages/", fields, headers={"HX-Request": "true"}
    )


def test_the_form_decides_between_team_and_customer(cast: Cast) -> None:
    thread = cast.thread()
    assert post_form(cast.ana, thread, is_internal="true").status_code == 200
    assert Message.objects.get(body="Only among us").kind == "internal"
    post_form(cast.ana, thread, body="To the customer", is_internal="false")
    assert Message.objects.get(body="To the customer").kind == "outbound"


def test_an_internal_message_queues_no_job(cast: Cast) -> None:
    cast.note(cast.thread(), "Only among us", author=cast.ben)
    assert not ProcrastinateJob.objects.exists()


def test_the_same_form_sent_twice_in_both_modes_makes_one_internal_message(cast: Cast) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    post_form(cast.ana, thread, form_key=key, is_internal="true")
    post_form(cast.ana, thread, form_key=key, is_internal="false")
    assert Message.objects.exclude(kind="inbound").get().kind == "internal"
    assert not ProcrastinateJob.objects.exists()


@pytest.mark.parametrize("reason", ["a name", "no longer belongs"])
def test_internal_messages_are_possible_where_no_text_can_be_sent(cast: Cast, reason: str) -> None:
    thread = cast.thread(sender="PARCELBOX") if reason == "a name" else cast.thread()
    if reason != "a name":
        Number.objects.filter(inbox=cast.front_desk).delete()
    shown = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert reason in shown
    assert "data-only-internal" in shown
    assert 'name="is_internal" value="true"' in shown
    refused = post_form(cast.ana, thread, is_internal="false")
    assert refused.status_code == 422
    assert "Only among us</textarea>" in refused.content.decode()
    assert post_form(cast.ana, thread, is_internal="true").status_code == 200
    assert Message.objects.exclude(kind="inbound").get().kind == "internal"


def test_a_personal_line_has_nobody_to_write_to(cast: Cast) -> None:
    thread = cast.thread(to=ANAS_LINE)
    with pytest.raises(SendingRefused, match="Nobody shares your personal line"):
        cast.note(thread, "Hm")


def test_the_message_is_labelled_internal_and_the_row_has_an_eye(cast: Cast) -> None:
    thread = cast.thread()
    message = cast.note(thread, "Only among us", author=cast.ben)
    shown = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    article = shown[shown.index(f'id="message-{message.pk}"') :].split("</article>")[0]
    assert "Internal message by Ben Okafor" in article
    assert "Internal</p>" in article
    row = shown[shown.index(f'id="thread-{thread.pk}"') :].split("</li>")[0]
    assert 'class="row-eye"' in row
    words = without_bdi(" ".join(row.split()))
    assert '<span class="hidden">Internal</span> Ben: Only among us' in words


def test_an_internal_message_is_never_retried(cast: Cast) -> None:
    message = cast.note(cast.thread(), "Only among us", author=cast.ben)
    with pytest.raises(NotRetriable):
        retry_message(message=message)
    client_of(cast.ana).post(f"/messages/{message.pk}/retry/")
    assert not Attempt.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def assert_refused(statement: str, parameters: list[Any]) -> None:
    with (
        pytest.raises(Error, match=r"outbound|kind|delivery"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, parameters)


def test_the_database_refuses_every_way_to_send_an_internal_message(cast: Cast) -> None:
    thread = cast.thread()
    internal, outbound = (
        cast.note(thread, "Only among us", author=cast.ben),
        cast.answer(thread, "To the customer"),
    )
    attempt = Attempt.objects.create(message=outbound, ordinal=1, account=cast.account)
    copy = (
        "INSERT INTO messaging_attempt (message_id, ordinal, account_id, token,"
        " carrier_message_id, state, error_code, error_class, detail, started_at)"
        " SELECT %s, 1, account_id, gen_random_uuid(), '', 'sending', '', '', '', now()"
        " FROM messaging_attempt WHERE id = %s"
    )
    assert_refused(copy, [internal.pk, attempt.pk])
    assert_refused("UPDATE messaging_attempt SET message_id = %s", [internal.pk])
    assert_refused("UPDATE messaging_message SET kind = 'outbound' WHERE id = %s", [internal.pk])
    assert_refused(
        "UPDATE messaging_message SET kind = 'outbound', state = 'queued' WHERE id = %s",
        [internal.pk],
    )
    assert_refused("UPDATE messaging_message SET state = 'queued' WHERE id = %s", [internal.pk])
    assert_refused(
        "UPDATE messaging_message SET kind = 'internal', state = '' WHERE id = %s", [outbound.pk]
    )
