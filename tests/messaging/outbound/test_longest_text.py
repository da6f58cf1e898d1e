"""Refuse a text that is too long for its number's carrier before it is queued."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from messaging.carriers.twilio import Twilio
from messaging.models import Attempt, Message, ScheduledText
from messaging.outbound.scheduling import (
    change_scheduled_text,
    schedule_text,
    send_if_due,
    send_scheduled_text_now,
)
from messaging.outbound.sending import TooLong, retry_message, write_message
from messaging.outbound.starting import start_conversation
from tests.cast import Cast, client_of
from threads.models import Thread

LIMIT = 40
FITS = "x" * LIMIT
TOO_LONG = "x" * (LIMIT + 1)
SENTENCE = "carrier takes at most 40 characters in a text, and this one has 41"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def short_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = replace(Twilio.capabilities, longest_text=LIMIT)
    monkeypatch.setattr(Twilio, "capabilities", limits)


def post_text(cast: Cast, path: str, body: str, *, is_live: bool = False, **more: Any) -> Any:
    fields = {"body": body, "form_key": uuid.uuid4(), "is_internal": "false"} | more
    return client_of(cast.ana).post(path, fields, headers=HTMX if is_live else {})


def schedule(cast: Cast, thread: Thread, body: str = "Hello") -> ScheduledText:
    return schedule_text(
        thread=thread,
        author=cast.ana,
        body=body,
        send_at=timezone.now() + timedelta(hours=1),
        form_key=uuid.uuid4(),
    )


def assert_kept(answer: Any, body: str = TOO_LONG) -> None:
    html = answer.content.decode().replace("&#x27;", "'")
    assert answer.status_code == 422
    assert SENTENCE in html
    assert f">{body}</textarea>" in html
    assert not Message.objects.filter(kind="outbound").exists()


@pytest.mark.parametrize("is_live", [True, False])
def test_the_composer_refuses_it_and_keeps_its_words(cast: Cast, is_live: bool) -> None:
    thread = cast.thread()
    path = f"/threads/{thread.pk}/messages/"
    assert_kept(post_text(cast, path, TOO_LONG, is_live=is_live))
    assert post_text(cast, path, FITS, is_live=is_live).status_code == (200 if is_live else 302)
    assert Message.objects.get(kind="outbound").body == FITS


def test_what_goes_to_the_team_may_be_longer(cast: Cast) -> None:
    thread = cast.thread()
    path = f"/threads/{thread.pk}/messages/"
    assert post_text(cast, path, TOO_LONG, is_internal="true").status_code == 302
    assert post_text(cast, path, f"@ben {TOO_LONG}").status_code == 302
    assert set(Message.objects.exclude(kind="inbound").values_list("kind", flat=True)) == {
        "internal"
    }


@pytest.mark.parametrize("is_live", [True, False])
def test_send_later_refuses_it_and_keeps_its_words(cast: Cast, is_live: bool) -> None:
    thread = cast.thread()
    path = f"/threads/{thread.pk}/messages/"
    assert_kept(post_text(cast, path, TOO_LONG, is_live=is_live, later="hour"))
    assert not ScheduledText.objects.exists()
    post_text(cast, path, FITS, is_live=is_live, later="hour")
    assert ScheduledText.objects.get().body == FITS


@pytest.mark.parametrize("way", ["", "send/"])
def test_the_page_of_a_scheduled_text_refuses_it_and_keeps_its_words(cast: Cast, way: str) -> None:
    text = schedule(cast, cast.thread())
    hour = f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M}"
    fields: dict[str, Any] = {"at": hour, "known": text.seq}
    assert_kept(post_text(cast, f"/later/{text.pk}/{way}", TOO_LONG, **fields))
    text.refresh_from_db()
    assert (text.body, text.state) == ("Hello", "waiting")
    assert post_text(cast, f"/later/{text.pk}/{way}", FITS, **fields).status_code == 302


def test_a_first_text_is_refused_beside_its_words_and_starts_no_thread(cast: Cast) -> None:
    fields: dict[str, Any] = {"inbox": cast.front_desk.pk, "to": "+12025550199"}
    answer = post_text(cast, "/start/", TOO_LONG, **fields)
    assert_kept(answer)
    beside = answer.content.decode().split('id="start-body-error">')[1]
    assert beside.startswith("This is too long")
    assert not Thread.objects.filter(contact__address="+12025550199").exists()
    assert post_text(cast, "/start/", FITS, **fields).status_code == 302


def test_no_action_queues_it(cast: Cast) -> None:
    thread = cast.thread()
    text = schedule(cast, thread)
    later = timezone.now() + timedelta(hours=2)
    with pytest.raises(TooLong, match=SENTENCE):
        write_message(thread=thread, author=cast.ana, body=TOO_LONG, form_key=uuid.uuid4())
    with pytest.raises(TooLong, match=SENTENCE):
        schedule(cast, thread, TOO_LONG)
    with pytest.raises(TooLong, match=SENTENCE):
        change_scheduled_text(
            text=text,
            agent=cast.ana,
            body=TOO_LONG,
            send_at=later,
            is_regardless=False,
            known_seq=text.seq,
        )
    with pytest.raises(TooLong, match=SENTENCE):
        send_scheduled_text_now(text=text, agent=cast.ana, words=(TOO_LONG, text.seq))
    with pytest.raises(TooLong, match=SENTENCE):
        start_conversation(
            inbox=cast.front_desk,
            author=cast.ana,
            address="+12025550199",
            body=TOO_LONG,
            form_key=uuid.uuid4(),
        )
    assert not Message.objects.filter(kind="outbound").exists()


def test_a_text_that_became_too_long_for_a_new_carrier_is_held_at_its_hour(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = schedule(cast, cast.thread(), FITS)
    limits = replace(Twilio.capabilities, longest_text=LIMIT - 1)
    monkeypatch.setattr(Twilio, "capabilities", limits)
    ScheduledText.objects.update(send_at=timezone.now() - timedelta(seconds=1))
    assert not send_if_due(text=text)
    text.refresh_from_db()
    assert text.state == "held"
    assert "at most 39 characters in a text, and this one has 40" in text.reason
    assert text.body == FITS


def test_a_failed_text_that_became_too_long_is_not_tried_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = write_message(
        thread=cast.thread(), author=cast.ana, body=FITS, form_key=uuid.uuid4()
    )
    Message.objects.filter(pk=message.pk).update(state="failed")
    limits = replace(Twilio.capabilities, longest_text=LIMIT - 1)
    monkeypatch.setattr(Twilio, "capabilities", limits)
    with pytest.raises(TooLong):
        retry_message(message=message)
    assert not Attempt.objects.exists()


def test_the_composer_counts_to_the_carriers_limit_and_for_the_team_to_ours(
    cast: Cast, settings: Settings
) -> None:
    path = f"/threads/{cast.thread().pk}/"
    html = client_of(cast.ana).get(path).content.decode()
    assert 'data-limit="40"' in html
    assert f'data-team-limit="{settings.MESSAGE_LIMIT}"' in html
    settings.MESSAGE_LIMIT = 30
    html = client_of(cast.ana).get(path).content.decode()
    assert 'data-limit="30"' in html
    assert 'data-team-limit="30"' in html
