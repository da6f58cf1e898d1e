"""The two lists: order, pages, previews, unread marks, and their number of queries."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inboxes.actions import add_member
from inboxes.models import Agent, Inbox
from tests.cast import ANAS_LINE, DISPATCH, Cast, client_of
from tests.markup import read_page, read_words
from tests.messaging.live.live_pages import Element, parse_elements
from threads import walks
from threads.lists import PAGE_SIZE
from threads.models import Thread

HTMX = {"HX-Request": "true"}


def make_numbers(count: int) -> list[str]:
    return [f"+1202555{1000 + index}" for index in range(count)]


def get_rows(client: Client, path: str, **headers: str) -> list[Element]:
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    return parse_elements(read_page(response))


def next_page_path(page: str) -> str | None:
    found = re.search(r'<li class="more"[^>]*>\s*<a href="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else None


def walk_pages(client: Client, path: str) -> list[list[str]]:
    pages = []
    following: str | None = path
    while following is not None:
        page = read_page(client.get(following, headers=HTMX))
        pages.append([element.id for element in parse_elements(page)])
        following = next_page_path(page)
        assert len(pages) < 20
    return pages


def test_inboxes_and_personal_conversations_are_listed_newest_first(cast: Cast) -> None:
    older = cast.thread(to=ANAS_LINE)
    cast.text_in("To the desk")
    newer = cast.thread(to=ANAS_LINE, sender="+12025550178")
    found = get_rows(client_of(cast.ana), "/")
    assert [element.id for element in found] == [
        f"thread-{newer.pk}",
        f"inbox-{cast.front_desk.pk}",
        f"thread-{older.pk}",
        f"inbox-{cast.dispatch.pk}",
    ]
    assert "No messages yet" in found[-1].words
    assert {element.container for element in found} == {"list-top"}


def test_each_agent_sees_their_own_top_list(cast: Cast) -> None:
    cast.thread(to=ANAS_LINE)
    for agent, names in [
        (cast.ben, {"Front Desk", "Dispatch"}),
        (cast.cho, {"Front Desk"}),
        (cast.dov, set()),
        (cast.admin, set()),
    ]:
        found = get_rows(client_of(agent), "/")
        assert {e.words.split("  ")[0].split(" No ")[0] for e in found} == names


def test_an_inbox_shows_its_threads_under_their_numbers(cast: Cast) -> None:
    first = cast.thread()
    second = cast.thread(sender="72645")
    cast.thread(to=DISPATCH)
    Thread.objects.filter(pk=first.pk).update(priority="urgent")
    found = get_rows(client_of(cast.cho), f"/inboxes/{cast.front_desk.pk}/")
    assert [element.id for element in found] == [f"thread-{second.pk}", f"thread-{first.pk}"]
    assert found[0].words.startswith("72645")
    assert found[1].words.startswith("Urgent (202) 555-0177")


@pytest.mark.parametrize("path", ["/", "inbox"])
def test_pages_hold_each_row_once(cast: Cast, path: str) -> None:
    to = ANAS_LINE if path == "/" else DISPATCH
    path = path if path == "/" else f"/inboxes/{cast.dispatch.pk}/"
    for number in make_numbers(2 * PAGE_SIZE + 3):
        cast.text_in("Hi", sender=number, to=to)
    pages = walk_pages(client_of(cast.ana), path)
    seen = [key for page in pages for key in page]
    assert [len(page) for page in pages[:2]] == [PAGE_SIZE, PAGE_SIZE]
    newest_first = [f"thread-{pk}" for pk in Thread.objects.order_by("-last_at").values_list(
        "pk", flat=True)]  # fmt: skip
    assert [key for key in seen if key.startswith("thread")] == newest_first
    assert len(seen) == len(set(seen)) == len(newest_first) + (2 if path == "/" else 0)


def test_rows_of_one_instant_are_paged_by_their_ids(cast: Cast) -> None:
    threads = [cast.thread(sender=number, to=DISPATCH) for number in make_numbers(PAGE_SIZE + 5)]
    Thread.objects.filter(inbox=cast.dispatch).update(last_at=threads[0].created_at)
    pages = walk_pages(client_of(cast.ana), f"/inboxes/{cast.dispatch.pk}/")
    seen = [key for page in pages for key in page]
    assert seen == [f"thread-{thread.pk}" for thread in reversed(threads)]


@pytest.mark.parametrize("path", ["/", "inbox"])
def test_rows_that_move_between_two_pages_are_neither_twice_nor_missed(
    cast: Cast, path: str
) -> None:
    """A row that moved up is on the live first page; all the others appear exactly once."""
    to = ANAS_LINE if path == "/" else DISPATCH
    path = path if path == "/" else f"/inboxes/{cast.dispatch.pk}/"
    senders = make_numbers(PAGE_SIZE + 10)
    threads = {sender: cast.thread(sender=sender, to=to) for sender in senders}
    client = client_of(cast.ana)
    first = read_page(client.get(path, headers=HTMX))
    on_first = [element.id for element in parse_elements(first)]
    lifted = [senders[0], senders[3], senders[-1]]
    for sender in lifted:
        cast.text_in("Up!", sender=sender, to=to)
    cast.text_in("New", sender="+12025559999", to=to)
    address = next_page_path(first)
    assert address is not None
    on_second = [element.id for element in parse_elements(read_page(client.get(address)))]
    assert not set(on_first) & set(on_second)
    unmoved = {f"thread-{t.pk}" for sender, t in threads.items() if sender not in lifted}
    assert unmoved <= set(on_first) | set(on_second)
    assert f"thread-{threads[senders[0]].pk}" not in on_second


@pytest.mark.parametrize(
    "after", ["x", "1", "1-", "-1-1-1", "1-x", "9" * 40 + "-1", "%00", "1-٣x"]
)
def test_an_invalid_cursor_is_a_404(cast: Cast, after: str) -> None:
    for path in ("/", f"/inboxes/{cast.front_desk.pk}/"):
        assert client_of(cast.ana).get(f"{path}?after={after}").status_code == 404


@pytest.mark.parametrize("after", ["0-0", "0-1"])
def test_a_cursor_after_the_last_row_gives_an_empty_page(cast: Cast, after: str) -> None:
    cast.thread(to=ANAS_LINE)
    response = client_of(cast.ana).get(f"/?after={after}", headers=HTMX)
    assert response.status_code == 200
    assert parse_elements(read_page(response)) == []


def count_queries(client: Client, path: str, **headers: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path, headers=headers).status_code == 200
    return len(queries)


def test_the_lists_cost_the_same_with_5_and_60_threads(cast: Cast) -> None:
    client = client_of(cast.ana)
    paths = ["/", f"/inboxes/{cast.front_desk.pk}/"]
    counts = []
    for senders in (make_numbers(5), make_numbers(60)):
        for number in senders:
            cast.text_in("Hi", sender=number, to=ANAS_LINE)
            cast.answer(cast.thread(sender=number), "Hello", author=cast.ben)
        counts.append([count_queries(client, path) for path in paths])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 12


def test_the_top_list_costs_the_same_with_2_and_20_inboxes(cast: Cast) -> None:
    client = client_of(cast.ana)
    cast.thread()
    before = count_queries(client, "/")
    for index in range(18):
        inbox = Inbox.objects.create(name=f"Inbox {index}")
        add_member(inbox=inbox, agent=cast.ana, changed_by=None)
    assert len(get_rows(client, "/")) == 20
    assert count_queries(client, "/") == before


def test_htmx_gets_a_fragment_and_other_requests_a_page(cast: Cast) -> None:
    cast.thread()
    for path in ("/", f"/inboxes/{cast.front_desk.pk}/"):
        client = client_of(cast.ana)
        page, panes = client.get(path), client.get(path, headers=HTMX | {"HX-Target": "panes"})
        more = client.get(f"{path}?after=9999999999999999-0", headers=HTMX)
        assert [b"<html" in answer.content for answer in (page, panes, more)] == [
            True,
            False,
            False,
        ]
        assert [b'id="listing"' in a.content for a in (page, panes, more)] == [True, True, False]
        assert parse_elements(read_page(page)) == parse_elements(read_page(panes))
        assert parse_elements(read_page(more)) == parse_elements(read_page(page))


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_lists_accept_only_get(cast: Cast, method: str) -> None:
    for path in ("/", f"/inboxes/{cast.front_desk.pk}/"):
        assert getattr(client_of(cast.ana), method)(path).status_code == 405


def get_row(agent: Agent, path: str, key: str) -> Element:
    return {element.id: element for element in get_rows(client_of(agent), path)}[key]


def test_previews_name_the_author(cast: Cast) -> None:
    thread = cast.thread()
    inbox, key = f"/inboxes/{cast.front_desk.pk}/", f"thread-{thread.pk}"
    place = f"inbox-{cast.front_desk.pk}"
    assert get_row(cast.ana, inbox, key).words.endswith("Is anybody there? 1 unread")
    cast.answer(thread, "Yes, until six.", author=cast.ben)
    for path, name in [(inbox, key), ("/", place)]:
        assert "You: Yes, until six." in get_row(cast.ben, path, name).words
        assert "Ben: Yes, until six." in get_row(cast.ana, path, name).words
    mine = cast.thread(to=ANAS_LINE)
    cast.answer(mine, "From my own line.")
    assert "You: From my own line." in get_row(cast.ana, "/", f"thread-{mine.pk}").words


def is_unread(agent: Agent, path: str, key: str) -> bool:
    return "unread" in get_row(agent, path, key).marks


def test_unread_marks_are_each_agents_own(cast: Cast) -> None:
    thread = cast.thread()
    inbox, key = f"/inboxes/{cast.front_desk.pk}/", f"thread-{thread.pk}"
    place = f"inbox-{cast.front_desk.pk}"
    client_of(cast.ana).get(f"/threads/{thread.pk}/")
    for path, name in [(inbox, key), ("/", place)]:
        assert not is_unread(cast.ana, path, name)
        assert is_unread(cast.ben, path, name)
    cast.answer(thread, "Yes, until six.", author=cast.ben)
    for path, name in [(inbox, key), ("/", place)]:
        assert is_unread(cast.ana, path, name)
        assert not is_unread(cast.ben, path, name)
    personal = cast.thread(to=ANAS_LINE)
    assert is_unread(cast.ana, "/", f"thread-{personal.pk}")
    client_of(cast.ana).get(f"/threads/{personal.pk}/")
    assert not is_unread(cast.ana, "/", f"thread-{personal.pk}")


def test_an_inbox_shows_its_name_and_its_number(cast: Cast) -> None:
    page = read_page(client_of(cast.ana).get(f"/inboxes/{cast.front_desk.pk}/"))
    assert re.search(r"<h1[^>]*>Front Desk</h1>", page)
    assert "(202) 555-0110" in page
    assert 'aria-label="Back to messages"' in page


def test_empty_lists_say_what_to_do(cast: Cast) -> None:
    def words(response: Any) -> str:
        return read_words(response)

    assert "You're not in an inbox yet" in words(client_of(cast.dov).get("/"))
    empty = words(client_of(cast.ana).get(f"/inboxes/{cast.dispatch.pk}/"))
    assert "Texts to (202) 555-0111 appear here." in empty


def test_a_list_that_ends_at_its_window_offers_to_look_further_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "WINDOW", 3)
    monkeypatch.setattr(walks, "SMALLEST_WINDOW", 1)
    client = client_of(cast.ana)
    oldest, *others = [cast.thread(sender=number) for number in make_numbers(5)]
    for thread in others:
        client.get(f"/threads/{thread.pk}/")
    path = f"/inboxes/{cast.front_desk.pk}/?only=unread"
    page = read_page(client.get(path))
    assert parse_elements(page) == []
    link = re.search(r'<li class="more" id="more">\s*<a href="([^"]+)"([^>]*)>([^<]+)<', page)
    assert link is not None
    assert link[3] == "Look further back"
    assert "intersect" not in link[2], "it waits for a click"
    more = read_page(client.get(link[1].replace("&amp;", "&"), headers=HTMX))
    assert [row.id for row in parse_elements(more)] == [f"thread-{oldest.pk}"]
    assert "Look further back" not in more
