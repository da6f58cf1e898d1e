"""A draft belongs to its agent until it is sent."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from inboxes.models import Agent
from messaging.live.drafts import draw_drafts
from messaging.models import Message
from messaging.outbound.sending import write_message
from tests.cast import ANAS_LINE, Cast, client_of
from threads.models import Thread, ThreadState


def save_draft(agent: Agent, thread: Thread, body: str, **fields: Any) -> Any:
    fields = {"body": body, "form_key": uuid.uuid4(), "is_internal": "false"} | fields
    return client_of(agent).post(f"/threads/{thread.pk}/draft/", fields)


def draft_state(agent: Agent, thread: Thread) -> ThreadState:
    return ThreadState.objects.get(agent=agent, thread=thread)


def test_text_and_mode_are_there_when_the_thread_is_opened_again(cast: Cast) -> None:
    thread = cast.thread()
    assert save_draft(cast.ana, thread, "Half a <sentence", is_internal="true").status_code == 200
    shown = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert "Half a &lt;sentence</textarea>" in shown
    assert 'aria-pressed="true"' in shown
    assert 'name="is_internal" value="true"' in shown
    assert "Half a" not in client_of(cast.ben).get(f"/threads/{thread.pk}/").content.decode()


def test_a_draft_is_stamped_and_an_unchanged_one_is_not(cast: Cast) -> None:
    thread = cast.thread()
    first = save_draft(cast.ana, thread, "One").json()["seq"]
    assert save_draft(cast.ana, thread, "One").json()["seq"] == first
    assert save_draft(cast.ana, thread, "Two").json()["seq"] > first
    told = draw_drafts(cast.ana, [draft_state(cast.ana, thread)])
    assert (told[0]["thread"], told[0]["body"], told[0]["files"]) == (thread.pk, "Two", [])


def test_sending_clears_the_draft_and_keeps_the_mode(cast: Cast) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    save_draft(cast.ana, thread, "To the team", is_internal="true", form_key=key)
    write_message(
        thread=thread, author=cast.ana, body="To the team", form_key=key, is_internal=True
    )
    kept = draft_state(cast.ana, thread)
    assert (kept.draft_body, kept.draft_is_internal) == ("", True)


def test_a_late_draft_of_a_sent_form_does_not_come_back(cast: Cast) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    write_message(thread=thread, author=cast.ana, body="Gone", form_key=key)
    answer = save_draft(cast.ana, thread, "Gone", form_key=key).json()
    assert answer["sent"]["body"] == "Gone"
    assert answer["sent"]["form_key"] != str(key)
    assert answer["seq"] == draft_state(cast.ana, thread).seq
    assert draft_state(cast.ana, thread).draft_body == ""


def test_a_mention_that_made_the_message_internal_keeps_the_mode(cast: Cast) -> None:
    thread = cast.thread()
    cast.answer(thread, "@ben, look")
    assert draft_state(cast.ana, thread).draft_is_internal
    shown = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert 'class="is-internal"' in shown


def test_the_mode_switches_without_scripts(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    fields = {"body": "For the team", "form_key": uuid.uuid4(), "is_internal": "false"}
    pressed = client.post(f"/threads/{thread.pk}/draft/", fields | {"toggle": "true"}, follow=True)
    shown = pressed.content.decode()
    assert "For the team</textarea>" in shown
    assert 'aria-pressed="true"' in shown
    client.post(f"/threads/{thread.pk}/messages/", fields | {"is_internal": "true"})
    assert Message.objects.get(body="For the team").kind == "internal"


def test_a_personal_line_has_no_internal_mode(cast: Cast) -> None:
    thread = cast.thread(to=ANAS_LINE)
    save_draft(cast.ana, thread, "Dear diary", is_internal="true")
    assert not draft_state(cast.ana, thread).draft_is_internal
    shown = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert "Internal message" not in shown
    assert "data-mentions" not in shown


@pytest.mark.parametrize(
    "fields", [{"body": "a\x00b"}, {"body": "x" * 10_001}, {"form_key": "none"}]
)
def test_nonsense_is_refused(cast: Cast, fields: dict[str, str]) -> None:
    thread = cast.thread()
    assert save_draft(cast.ana, thread, **({"body": "Hello"} | fields)).status_code == 422
    assert not ThreadState.objects.filter(agent=cast.ana, thread=thread).exists()


def test_a_draft_may_be_longer_than_a_text(cast: Cast) -> None:
    thread = cast.thread()
    assert save_draft(cast.ana, thread, "x" * 2_000).status_code == 200
    assert len(draft_state(cast.ana, thread).draft_body) == 2_000


def test_outsiders_keep_no_drafts(cast: Cast) -> None:
    thread = cast.thread()
    assert save_draft(cast.dov, thread, "Let me in").status_code == 404
    assert client_of(cast.ana).get(f"/threads/{thread.pk}/draft/").status_code == 302
    assert not ThreadState.objects.filter(agent=cast.dov).exists()
