"""The list *Failed*, inside an inbox and over all of an agent's inboxes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from inboxes import counters
from inboxes.models import Agent
from messaging.models import Message
from messaging.outbound.failures import mark_failure_seen
from messaging.stream import writing
from tests.cast import ANAS_LINE, CUSTOMER, DISPATCH, FRONT_DESK, Cast, client_of
from tests.markup import read_page
from tests.messaging.live.live_pages import parse_elements
from threads.actions import hide_thread

pytestmark = pytest.mark.django_db

OTHER = "+12025550178"
HTMX = {"HX-Request": "true"}


def fail_text(cast: Cast, *, to: str, sender: str = CUSTOMER, state: str = "failed") -> Message:
    """Let a text of ana's fail, as the carrier's answer would."""
    message = cast.answer(cast.thread(sender=sender, to=to), "On our way")
    with transaction.atomic():
        seq = counters.next_inbox_seq(message.inbox_id)
        writing.change_message(message, seq, state=state, reason="No such number.")
    return message


def listed(agent: Agent, path: str) -> list[tuple[str, str]]:
    """Return the rows of a list: their ids and words."""
    page = read_page(client_of(agent).get(path))
    return [(row.id, row.words) for row in parse_elements(page) if not row.is_gone]


def test_the_top_list_holds_the_failed_texts_of_all_my_inboxes(cast: Cast) -> None:
    messages: list[Any] = [fail_text(cast, to=to) for to in (DISPATCH, ANAS_LINE, FRONT_DESK)]
    cast.thread(sender=OTHER)
    rows = listed(cast.ana, "/?only=failed")
    assert [key for key, _ in rows] == [f"thread-{one.thread_id}" for one in reversed(messages)]
    assert [name in words for (_, words), name in zip(
        rows, ["Front Desk ·", "Ana Ruiz ·", "Dispatch ·"], strict=True
    )] == [True] * 3  # fmt: skip
    assert [key for key, _ in listed(cast.cho, "/?only=failed")] == [
        f"thread-{messages[2].thread_id}"
    ]
    assert listed(cast.dov, "/?only=failed") == []


def test_rows_say_failed_before_unknown(cast: Cast) -> None:
    fail_text(cast, to=DISPATCH, state="unknown")
    [(_, words)] = listed(cast.ana, f"/inboxes/{cast.dispatch.pk}/")
    assert "Unknown You: On our way" in words
    fail_text(cast, to=DISPATCH, sender=OTHER)
    top = dict(listed(cast.ana, "/"))
    assert "Failed You: On our way" in top[f"inbox-{cast.dispatch.pk}"]
    assert "Failed" not in top[f"inbox-{cast.front_desk.pk}"]


def test_a_thread_of_ones_own_line_is_marked_in_the_top_list(cast: Cast) -> None:
    message = fail_text(cast, to=ANAS_LINE)
    assert "Failed You: On our way" in dict(listed(cast.ana, "/"))[f"thread-{message.thread_id}"]


def test_the_link_has_a_count_and_is_hidden_where_nothing_failed(cast: Cast) -> None:
    client = client_of(cast.ana)
    assert 'data-count="failed" hidden></span>' in read_page(client.get("/"))
    fail_text(cast, to=DISPATCH)
    message = fail_text(cast, to=DISPATCH, sender=OTHER)
    for path in ("/", f"/inboxes/{cast.dispatch.pk}/"):
        assert 'data-count="failed">2<' in read_page(client.get(path))
    mark_failure_seen(message=message, agent=cast.ben)
    assert 'data-count="failed">1<' in read_page(client.get("/"))


def test_a_deleted_thread_stays_among_the_failed(cast: Cast) -> None:
    message = fail_text(cast, to=DISPATCH)
    hide_thread(thread=message.thread, agent=cast.ana, message_id=message.pk)
    path = f"/inboxes/{cast.dispatch.pk}/"
    assert listed(cast.ana, path) == []
    for address in (f"{path}?only=failed", "/?only=failed"):
        assert [key for key, _ in listed(cast.ana, address)] == [f"thread-{message.thread_id}"]


def test_a_conversation_out_of_the_list_leads_back_to_it(cast: Cast) -> None:
    message = fail_text(cast, to=DISPATCH)
    fail_text(cast, to=ANAS_LINE)
    address = f"/threads/{message.thread_id}/?only=failed&amp;all_inboxes=1"
    assert f'href="{address}"' in read_page(client_of(cast.ana).get("/?only=failed"))
    path = address.replace("&amp;", "&")
    beside = read_page(client_of(cast.ana).get(path))
    assert len([row for row in parse_elements(beside) if row.id.startswith("thread-")]) == 2
    assert 'href="/?only=failed" aria-label="Back to messages"' in beside


def test_nothing_failed_is_said_in_words(cast: Cast) -> None:
    page = read_page(client_of(cast.ana).get("/?only=failed"))
    assert "No failed texts" in page
    assert "Show all messages" in page
