"""Stop a text once if others have written in the thread meanwhile."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from messaging.models import Message
from tests.cast import Cast, client_of
from threads.models import Thread


def post_text(client: Client, thread: Thread, *, live: bool = True, **fields: Any) -> Any:
    headers = {"HX-Request": "true"} if live else {}
    form = {"body": "It is on its way.", "form_key": uuid.uuid4(), **fields}
    return client.post(f"/threads/{thread.pk}/messages/", form, headers=headers)


def newest_message_id(thread: Thread) -> int:
    return Message.objects.filter(thread=thread).latest("pk").pk


def test_a_newer_text_from_the_contact_or_a_colleague_stops_it(cast: Cast) -> None:
    thread, ana, ben = cast.thread(), client_of(cast.ana), client_of(cast.ben)
    seen = newest_message_id(thread)
    assert post_text(ben, thread, body="Ben was faster.").status_code == 200
    answer = post_text(ana, thread, seen=seen)
    assert answer.status_code == 409
    assert "Ben was faster." in answer.content.decode()
    assert "A new message arrived while you were writing" in answer.content.decode()
    cast.text_in("Never mind <b>")
    answer = post_text(ana, thread, seen=seen)
    assert "2 new messages arrived while you were writing" in answer.content.decode()
    assert "Never mind &lt;b&gt;" in answer.content.decode()
    assert not Message.objects.filter(author=cast.ana).exists()


def test_a_newer_internal_message_stops_it_too(cast: Cast) -> None:
    thread = cast.thread()
    seen = newest_message_id(thread)
    post_text(client_of(cast.ben), thread, body="Do not promise that.", is_internal="true")
    assert post_text(client_of(cast.ana), thread, seen=seen).status_code == 409


def test_send_anyway_sends_the_same_form(cast: Cast) -> None:
    thread, ana = cast.thread(), client_of(cast.ana)
    seen, key = newest_message_id(thread), uuid.uuid4()
    cast.text_in("One more thing")
    assert post_text(ana, thread, seen=seen, form_key=key).status_code == 409
    for _ in range(2):
        answer = post_text(ana, thread, seen=seen, form_key=key, anyway="true")
        assert answer.status_code == 200
    assert Message.objects.filter(author=cast.ana).count() == 1


@pytest.mark.parametrize("fields", [{"is_internal": "true"}, {"body": "@ben look"}])
def test_internal_messages_are_never_stopped(cast: Cast, fields: dict[str, Any]) -> None:
    thread = cast.thread()
    seen = newest_message_id(thread)
    cast.text_in("One more thing")
    assert post_text(client_of(cast.ana), thread, seen=seen, **fields).status_code == 200


def test_on_a_page_that_showed_no_message_the_first_one_stops_it(cast: Cast) -> None:
    thread = cast.thread()
    assert post_text(client_of(cast.ana), thread, seen=0).status_code == 409


def test_ones_own_messages_and_those_already_seen_stop_nothing(cast: Cast) -> None:
    thread, ana = cast.thread(), client_of(cast.ana)
    seen = newest_message_id(thread)
    assert post_text(ana, thread, seen=seen).status_code == 200
    assert post_text(ana, thread, seen=seen, body="And again").status_code == 200
    cast.text_in("Thanks")
    assert (
        post_text(ana, thread, seen=newest_message_id(thread), body="Welcome").status_code == 200
    )


def test_another_threads_messages_stop_nothing(cast: Cast) -> None:
    thread = cast.thread()
    seen = newest_message_id(thread)
    cast.text_in("Elsewhere", sender="+12025550178")
    assert post_text(client_of(cast.ana), thread, seen=seen).status_code == 200


def test_without_scripts_the_page_asks_and_keeps_the_text(cast: Cast) -> None:
    thread, ana = cast.thread(), client_of(cast.ana)
    seen = newest_message_id(thread)
    cast.text_in("One more thing")
    answer = post_text(ana, thread, live=False, seen=seen)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "It is on its way.</textarea>" in page
    assert "Send anyway" in page
    assert f'name="seen" value="{newest_message_id(thread)}"' in page
