"""The conversation's page: history by cursor, the composer, what is refused and kept."""

from __future__ import annotations

import html
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.conversations.entries import FOLDED_ABOVE, FOLDED_TO
from messaging.conversations.history import PAGE_SIZE
from messaging.models import Message, Number
from tests.cast import ANAS_LINE, DISPATCH, Cast, client_of
from tests.markup import read_words
from threads.models import Thread, ThreadState

HTMX = {"HX-Request": "true"}
CANNOT = "This contains a character that can't be sent."
BAD_TEXTS = [
    ("", "Write something first."),
    (" \n\t  ", "Write something first."),
    ("\u200b", "Write something first."),
    ("\u2800 \u3164\n\u115f\ufe0f\u202e", "Write something first."),
    ("x" * 1601, "at most 1600 characters, and this one has 1601"),
    ("kept\x00words", CANNOT),
]


def form_key(page: str) -> str:
    found = re.search(r'name="form_key" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def send_text(client: Client, thread: Thread, body: str, **more: Any) -> Any:
    form = {"body": body, "form_key": more.pop("form_key", str(uuid.uuid4()))}
    return client.post(f"/threads/{thread.pk}/messages/", form, **more)


def bodies_shown(page: str) -> list[str]:
    return re.findall(r'<div class="text"[^>]*>(.*?)</div>', page, re.DOTALL)


@pytest.mark.parametrize("is_internal", ["true", "false"])
@pytest.mark.parametrize(
    "body", ["\u200b", "\u2800", "\u3164", "\u115f", "\ufe0f", "\u202d\u202c"]
)
def test_what_nobody_can_see_reaches_neither_the_customer_nor_the_team(
    cast: Cast, body: str, is_internal: str
) -> None:
    form = {"body": body, "form_key": str(uuid.uuid4()), "is_internal": is_internal}
    thread = cast.thread()
    answer = client_of(cast.ana).post(f"/threads/{thread.pk}/messages/", form)
    assert answer.status_code == 422
    assert "Write something first." in answer.content.decode()
    assert not Message.objects.exclude(kind="inbound").exists()


def test_a_link_that_the_fold_would_cut_is_opened_only_when_the_whole_text_is_shown(
    cast: Cast,
) -> None:
    early, late = "https://example.com/early", "https://example.com/late-and-long"
    padding = "x" * (FOLDED_TO - len(early) - 13)
    text = cast.text_in(f"{early} {padding} {late} {'y' * FOLDED_ABOVE}")
    page = client_of(cast.ana).get(f"/threads/{text.thread_id}/").content.decode()
    [folded] = bodies_shown(page)
    assert re.findall('href="([^"]*)"', folded) == [early]
    assert folded.endswith("https://exa…")
    whole = client_of(cast.ana).get(f"/messages/{text.pk}/text/", headers=HTMX).content.decode()
    assert re.findall('href="([^"]*)"', whole) == [early, late]


def test_invisible_characters_inside_an_emoji_stay(cast: Cast) -> None:
    body = "👩\u200d🔧 ❤\ufe0f at 3\u20e3"
    assert send_text(client_of(cast.ana), cast.thread(), body).status_code < 400
    assert Message.objects.latest("pk").body == body


@pytest.mark.parametrize("headers", [HTMX, {}])
@pytest.mark.parametrize(("body", "sentence"), BAD_TEXTS)
def test_a_bad_text_is_a_field_error_and_stays_in_the_box(
    cast: Cast, body: str, sentence: str, headers: dict[str, str]
) -> None:
    thread, key = cast.thread(), str(uuid.uuid4())
    response = send_text(client_of(cast.ana), thread, body, form_key=key, headers=headers)
    assert response.status_code == 422
    page = response.content.decode()
    assert sentence in html.unescape(page)
    assert 'aria-invalid="true"' in page
    box = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert box is not None
    assert html.unescape(box[1]) == body
    assert form_key(page) == key
    assert ("<html" in page) is (headers == {})
    assert not Message.objects.filter(kind="outbound").exists()


@pytest.mark.parametrize("half", [b"%ED%A0%BD", b"%ED%B8%80"])
def test_half_of_a_surrogate_pair_is_a_field_error(cast: Cast, half: bytes) -> None:
    thread = cast.thread()
    body = b"body=words+" + half + b"&form_key=" + str(uuid.uuid4()).encode()
    response = client_of(cast.ana).post(
        f"/threads/{thread.pk}/messages/", body, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 422
    page = read_words(response)
    assert CANNOT in page
    assert "words" in page
    assert not Message.objects.filter(kind="outbound").exists()


@pytest.mark.parametrize("body", ["x" * 1600, "a\r\nb", " indented", "<b>&amp;</b>", "🏳️‍🌈 ça"])
def test_a_text_is_kept_unchanged(cast: Cast, body: str) -> None:
    response = send_text(client_of(cast.ana), cast.thread(), body, headers=HTMX)
    assert response.status_code == 200
    kept = Message.objects.get(kind="outbound").body
    assert kept == body.replace("\r\n", "\n")
    assert html.escape(kept).splitlines()[0] in bodies_shown(response.content.decode())[0]


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_the_same_form_twice_is_one_message(cast: Cast, headers: dict[str, str]) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    key = form_key(client.get(f"/threads/{thread.pk}/").content.decode())
    answers = [send_text(client, thread, "Once", form_key=key, headers=headers) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {200 if headers else 302}
    assert Message.objects.filter(kind="outbound").count() == 1
    if headers:
        assert bodies_shown(answers[0].content.decode()) == bodies_shown(
            answers[1].content.decode()
        )


def test_a_sent_text_brings_the_next_forms_key(cast: Cast) -> None:
    key = str(uuid.uuid4())
    response = send_text(client_of(cast.ana), cast.thread(), "One", form_key=key, headers=HTMX)
    assert form_key(response.content.decode()) != key


@pytest.mark.parametrize("key", ["", "no-uuid", None])
def test_without_a_key_nothing_is_sent(cast: Cast, key: str | None) -> None:
    form = {"body": "Hello"} | ({} if key is None else {"form_key": key})
    thread = cast.thread()
    response = client_of(cast.ana).post(f"/threads/{thread.pk}/messages/", form, headers=HTMX)
    assert response.status_code == 422
    assert "Hello" in response.content.decode()
    assert not Message.objects.filter(kind="outbound").exists()


def test_a_thread_whose_number_went_elsewhere_is_readable_and_refuses(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    Number.objects.filter(inbox=cast.front_desk).delete()
    page = client.get(f"/threads/{thread.pk}/").content.decode()
    assert "no longer belongs to this inbox" in page
    assert "Is anybody there?" in page
    assert "internal message</span>" in page
    assert send_text(client, thread, "Hello?", headers=HTMX).status_code == 422
    assert not Message.objects.filter(kind="outbound").exists()


def test_history_is_paged_by_cursor_with_nothing_twice_or_missed(cast: Cast) -> None:
    thread = cast.thread()
    for index in range(2 * PAGE_SIZE):
        cast.text_in(f"text {index}")
    client = client_of(cast.ana)
    page = client.get(f"/threads/{thread.pk}/").content.decode()
    seen = bodies_shown(page)
    assert len(seen) == PAGE_SIZE
    for _ in range(2):
        cast.text_in("Meanwhile")  # moves nothing on older pages
        older = re.search(r'<a href="(/threads/\d+/\?before=\d+[^"]*)"', page)
        assert older is not None
        page = client.get(html.unescape(older[1]), headers=HTMX).content.decode()
        assert "<html" not in page
        seen = bodies_shown(page) + seen
    assert seen == ["Is anybody there?", *(f"text {i}" for i in range(2 * PAGE_SIZE))]
    assert "?before=" not in page


def test_an_older_page_works_without_scripts(cast: Cast) -> None:
    thread = cast.thread()
    for index in range(PAGE_SIZE):
        cast.text_in(f"text {index}")
    newest = Message.objects.order_by("pk")[2]
    response = client_of(cast.ana).get(f"/threads/{thread.pk}/?before={newest.pk}")
    assert bodies_shown(response.content.decode()) == ["Is anybody there?", "text 0"]
    assert "Show the newest messages" in response.content.decode()


@pytest.mark.parametrize("query", ["before=x", "before=-1", f"before={2**63}", "before=%00"])
def test_an_odd_cursor_is_a_404(cast: Cast, query: str) -> None:
    thread = cast.thread()
    assert client_of(cast.ana).get(f"/threads/{thread.pk}/?{query}").status_code == 404


def test_opening_a_conversation_takes_a_constant_number_of_queries(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    client.get(f"/threads/{thread.pk}/")  # the first visit makes the agent's state
    counts = []
    for count in (5, 30):
        for index in range(count):
            cast.text_in(f"text {index}")
            cast.answer(thread, f"answer {index}", author=cast.ben)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/threads/{thread.pk}/", headers=HTMX | {"HX-Target": "conversation"})
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 30


def test_the_fragment_goes_where_the_page_wants_it(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    one = client.get(f"/threads/{thread.pk}/", headers=HTMX | {"HX-Target": "conversation"})
    both = client.get(f"/threads/{thread.pk}/", headers=HTMX | {"HX-Target": "panes"})
    page = client.get(f"/threads/{thread.pk}/")
    has_list = [b'id="listing"' in answer.content for answer in (one, both, page)]
    has_html = [b"<html" in answer.content for answer in (one, both, page)]
    assert (has_list, has_html) == ([False, True, True], [False, False, True])
    assert all(b'role="log"' in answer.content for answer in (one, both, page))


def test_a_read_mark_is_the_agents_own_and_never_moves_back(cast: Cast) -> None:
    first = cast.text_in("one")
    second = cast.text_in("two")
    client, address = client_of(cast.ana), f"/threads/{first.thread_id}/read/"
    for asked, noted in [(first.pk, first.pk), (2**62, second.pk), (first.pk, second.pk)]:
        assert client.post(address, {"message": asked}).status_code == 204
        assert ThreadState.objects.get().last_read_id == noted
    assert ThreadState.objects.get().agent == cast.ana


@pytest.mark.parametrize("message", ["", "x", "0", "-1", str(2**63)])
def test_an_odd_read_mark_is_a_404(cast: Cast, message: str) -> None:
    address = f"/threads/{cast.thread().pk}/read/"
    assert client_of(cast.ana).post(address, {"message": message}).status_code == 404


@pytest.mark.parametrize("state", ["failed", "unknown"])
@pytest.mark.parametrize("headers", [HTMX, {}])
def test_failed_and_unknown_offer_retry(cast: Cast, state: str, headers: dict[str, str]) -> None:
    message = cast.answer(cast.thread(), "Yes, until six.")
    Message.objects.filter(pk=message.pk).update(state=state, reason="Because.")
    client = client_of(cast.ben)
    page = client.get(f"/threads/{message.thread_id}/").content.decode()
    assert f"/messages/{message.pk}/retry/" in page
    assert "Because." in page
    response = client.post(f"/messages/{message.pk}/retry/", headers=headers)
    assert response.status_code == (200 if headers else 302)
    message.refresh_from_db()
    assert (message.state, message.reason, message.author) == ("queued", "", cast.ana)
    page = client.get(f"/threads/{message.thread_id}/").content.decode()
    assert "Retry" not in page


def test_retry_of_what_is_no_longer_failed_only_shows_it(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Yes, until six.")
    Message.objects.filter(pk=message.pk).update(state="delivered")
    response = client_of(cast.ana).post(f"/messages/{message.pk}/retry/", headers=HTMX)
    assert b"Delivered" in response.content
    message.refresh_from_db()
    assert message.state == "delivered"


def test_retry_of_a_refused_thread_says_why(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Yes, until six.")
    Message.objects.filter(pk=message.pk).update(state="failed")
    Number.objects.filter(inbox=cast.front_desk).delete()
    client = client_of(cast.ana)
    assert client.post(f"/messages/{message.pk}/retry/", headers=HTMX).status_code == 422
    page = client.post(f"/messages/{message.pk}/retry/", follow=True).content.decode()
    assert "no longer belongs" in page.split('id="notice"')[1]


def test_a_text_is_not_sent_from_the_inbox_to_which_the_number_moved(cast: Cast) -> None:
    """Move the number to another inbox: the old thread does not send from there."""
    thread = cast.thread()
    Number.objects.filter(inbox=cast.front_desk).delete()
    Number.objects.filter(inbox=cast.dispatch).update(inbox=cast.front_desk)
    assert send_text(client_of(cast.ana), thread, "Hello?", headers=HTMX).status_code == 422
    cast.text_in("To the new number", to=DISPATCH)
    assert send_text(client_of(cast.ana), thread, "Hello!", headers=HTMX).status_code == 200


def test_text_from_outside_is_shown_as_text(cast: Cast) -> None:
    thread = cast.text_in("<img src=x onerror=alert(1)>").thread
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_a_personal_conversation_leads_back_to_messages(cast: Cast) -> None:
    thread = cast.thread(to=ANAS_LINE)
    page = client_of(cast.ana).get(f"/threads/{thread.pk}/").content.decode()
    assert 'aria-label="Conversations"' in page
    assert 'aria-label="Back to messages"' in page
    shared = client_of(cast.ana).get(f"/threads/{cast.thread().pk}/").content.decode()
    assert 'aria-label="Threads"' in shared
    assert 'aria-label="Back to Front Desk"' in shared
