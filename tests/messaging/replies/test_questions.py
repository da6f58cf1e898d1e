"""A text with placeholders that nobody filled leaves only after its author has said yes."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from django.utils.html import escape

from inboxes.models import Agent
from messaging.contacts.describing import ContactValues, create_contact
from messaging.models import Message, ScheduledText
from tests.cast import CUSTOMER, Cast, client_of
from tests.markup import read_words
from tests.messaging.scheduled_texts import schedule_in
from threads.models import Thread

HTMX = {"HX-Request": "true"}
GREETING = "Hi {first name}, thank you."
QUESTION = "{first name} is not filled in"


def send(agent: Agent, thread: Thread, *, is_live: bool = True, **fields: Any) -> Any:
    form = {"body": GREETING, "form_key": uuid.uuid4(), **fields}
    headers = HTMX if is_live else {}
    return client_of(agent).post(f"/threads/{thread.pk}/messages/", form, headers=headers)


def texts_of(agent: Agent) -> list[str]:
    return list(Message.objects.filter(author=agent).order_by("pk").values_list("body", flat=True))


def hidden_fields(markup: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', markup)
    return dict(found)


def test_the_server_asks_before_a_placeholder_leaves(cast: Cast) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    answer = send(cast.ana, thread, form_key=key)
    assert answer.status_code == 409
    assert QUESTION in read_words(answer)
    assert texts_of(cast.ana) == []
    for _ in range(2):
        sent = send(cast.ana, thread, form_key=key, has_read_placeholders="true")
        assert sent.status_code == 200
    assert texts_of(cast.ana) == [GREETING]


def test_several_are_named_together(cast: Cast) -> None:
    answer = send(cast.ana, cast.thread(), body="{contact} {me} {Number} {contact}")
    assert "{contact}, {me} and {Number} are not filled in" in read_words(answer)


@pytest.mark.parametrize(
    "fields",
    [{"is_internal": "true"}, {"body": "@ben ask {first name}"}, {"body": "Use {braces} freely"}],
)
def test_nothing_else_is_asked_about(cast: Cast, fields: dict[str, Any]) -> None:
    assert send(cast.ana, cast.thread(), **fields).status_code == 200


def test_a_text_that_could_be_taken_back_is_asked_about_too(cast: Cast) -> None:
    Agent.objects.filter(pk=cast.ana.pk).update(undo_seconds=5)
    thread = cast.thread()
    assert send(cast.ana, thread).status_code == 409
    assert not ScheduledText.objects.exists()
    assert send(cast.ana, thread, has_read_placeholders="true").status_code == 200
    assert ScheduledText.objects.get().body == GREETING


def test_what_others_wrote_meanwhile_is_shown_first(cast: Cast) -> None:
    thread = cast.thread()
    seen = Message.objects.get().pk
    cast.text_in("Never mind")
    assert "Never mind" in send(cast.ana, thread, seen=seen).content.decode()
    answer = send(cast.ana, thread, seen=seen, anyway="true")
    assert QUESTION in read_words(answer)
    answer = send(cast.ana, thread, seen=seen, anyway="true", has_read_placeholders="true")
    assert answer.status_code == 200


def test_the_open_page_says_yes_for_the_button_that_was_pressed(cast: Cast) -> None:
    thread = cast.thread()
    fields = hidden_fields(send(cast.ana, thread, done="true").content.decode())
    assert fields == {"done": "true", "has_read_placeholders": "true"}
    fields = hidden_fields(send(cast.ana, thread, later="tomorrow").content.decode())
    assert fields == {"later": "tomorrow", "has_read_placeholders": "true"}


def test_scheduling_asks_in_its_own_words(cast: Cast) -> None:
    thread = cast.thread()
    answer = send(cast.ana, thread, later="tomorrow")
    assert answer.status_code == 409
    assert "Schedule anyway" in answer.content.decode()
    assert not ScheduledText.objects.exists()
    send(cast.ana, thread, later="tomorrow", has_read_placeholders="true")
    assert ScheduledText.objects.get().body == GREETING


@pytest.mark.parametrize("pressed", [{}, {"done": "true"}, {"later": "tomorrow"}])
def test_without_scripts_a_form_repeats_exactly_what_was_asked_about(
    cast: Cast, pressed: dict[str, str]
) -> None:
    thread, ana = cast.thread(), client_of(cast.ana)
    path = f"/threads/{thread.pk}/messages/"
    form = {"body": GREETING, "form_key": uuid.uuid4(), "is_internal": "false", "anyway": ""}
    page = ana.post(path, form | pressed)
    assert page.status_code == 409
    question = page.content.decode().split('role="alertdialog"')[1].split("</form>")[0]
    assert f'action="{path}"' in question
    assert f"{GREETING}</textarea>" in page.content.decode()
    assert ana.post(path, hidden_fields(question)).status_code == 302
    thread.refresh_from_db()
    if "later" in pressed:
        assert ScheduledText.objects.get().body == GREETING
    else:
        assert texts_of(cast.ana) == [GREETING]
        assert thread.status == ("done" if pressed else "open")


def test_a_first_text_is_asked_about(cast: Cast) -> None:
    form = {
        "inbox": cast.front_desk.pk,
        "to": CUSTOMER,
        "body": GREETING,
        "form_key": str(uuid.uuid4()),
    }
    page = client_of(cast.ana).post("/start/", form)
    assert page.status_code == 409
    assert QUESTION in read_words(page)
    assert f"{GREETING}</textarea>" in page.content.decode()
    assert 'name="has_read_placeholders" value="true"' in page.content.decode()
    # Without scripts it leads to the box all the same.
    [keep] = re.findall(r"<a[^>]*>Keep editing</a>", page.content.decode())
    assert 'href="#start-body"' in keep
    assert len(re.findall(r"\bautofocus\b", page.content.decode())) == 1
    assert not Thread.objects.exists()
    client_of(cast.ana).post("/start/", form | {"has_read_placeholders": "true"})
    assert texts_of(cast.ana) == [GREETING]


def start(cast: Cast, body: str, filled: str, **more: str) -> Any:
    form = {"inbox": cast.front_desk.pk, "to": CUSTOMER, "body": body, "filled": filled}
    return client_of(cast.ana).post("/start/", form | {"form_key": str(uuid.uuid4())} | more)


def filled_for(**values: str) -> str:
    return json.dumps([{"written": "Hi", "values": values}])


def test_a_first_text_that_says_what_was_filled_in_for_another_is_asked_about(
    cast: Cast,
) -> None:
    create_contact(
        inbox_id=cast.front_desk.pk,
        address=CUSTOMER,
        values=ContactValues(name="Petra Novak"),
        by=None,
    )
    filled = filled_for(contact="Linh Tran", inbox="Dispatch", me="Ana Ruiz")
    page = start(cast, "Hi Linh Tran, Ana Ruiz here", filled)
    assert page.status_code == 409
    assert "The text still says Linh Tran" in read_words(page)
    # What is known stays known when the text is changed and sent again.
    assert f'name="filled" value="{escape(filled)}"' in page.content.decode()
    page = start(cast, "Dispatch for Linh Tran", filled)
    assert "says Linh Tran and Dispatch" in read_words(page)
    assert not Thread.objects.exists()
    sent = ["Hi Petra Novak, Ana Ruiz here", "Hi Linh Tran"]
    assert start(cast, sent[0], filled).status_code == 302
    assert start(cast, sent[1], filled, has_read_values="true").status_code == 302
    assert texts_of(cast.ana) == sent


@pytest.mark.parametrize(
    "filled", ["", "{", "[1]", "{}", '[{"values": "x"}]', '[{"values": {"me": 1}}]', "[" * 90_000]
)
def test_what_a_page_says_of_values_in_another_way_is_not_asked_about(
    cast: Cast, filled: str
) -> None:
    assert start(cast, "Hi 1", filled).status_code == 302


def test_a_question_about_values_comes_before_the_one_about_placeholders(cast: Cast) -> None:
    body, filled = "{contact}, or Linh", filled_for(contact="Linh")
    assert "still says" in read_words(start(cast, body, filled))
    page = start(cast, body, filled, has_read_values="true")
    assert "{contact} is not filled in" in read_words(page)
    assert 'type="hidden" name="has_read_values" value="true"' in page.content.decode()
    yes = {"has_read_values": "true", "has_read_placeholders": "true"}
    assert start(cast, body, filled, **yes).status_code == 302


def test_a_first_text_that_could_be_taken_back_is_asked_about(cast: Cast) -> None:
    Agent.objects.filter(pk=cast.ana.pk).update(undo_seconds=5)
    form = {"inbox": cast.front_desk.pk, "to": CUSTOMER, "body": GREETING}
    page = client_of(cast.ana).post("/start/", form | {"form_key": str(uuid.uuid4())})
    assert page.status_code == 409
    assert not Thread.objects.exists()


def change(cast: Cast, text: ScheduledText, path: str = "", **fields: str) -> Any:
    form = {"body": GREETING, "at": "2099-01-01T09:00", "known": str(text.seq), **fields}
    return client_of(cast.ben).post(f"/later/{text.pk}/{path}", form)


@pytest.mark.parametrize(("path", "button"), [("", "Save anyway"), ("send/", "Send anyway")])
def test_a_scheduled_text_is_asked_about_when_it_gets_a_placeholder(
    cast: Cast, path: str, button: str
) -> None:
    text = schedule_in(cast, cast.thread())
    at = f"{text.send_at:%Y-%m-%dT%H:%M}"
    page = change(cast, text, path, at=at)
    assert page.status_code == 409
    assert QUESTION in read_words(page)
    assert button in page.content.decode()
    text.refresh_from_db()
    assert text.body == "Your car is ready"
    page = change(cast, text, path, at=at, has_read_placeholders="true")
    assert page.status_code == 302
    text.refresh_from_db()
    assert (text.message.body if text.message else text.body) == GREETING


def test_what_was_said_yes_to_is_not_asked_again(cast: Cast) -> None:
    text = schedule_in(cast, cast.thread(), body=GREETING)
    at = f"{text.send_at:%Y-%m-%dT%H:%M}"
    assert change(cast, text, at=at, body="Hello {first name}!").status_code == 302
    sent = client_of(cast.ben).post(f"/later/{text.pk}/send/")
    assert sent.status_code == 302
    assert texts_of(cast.ben) == ["Hello {first name}!"]
