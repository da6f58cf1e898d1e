"""Search in the last message of each thread."""

from __future__ import annotations

import html
import re

import pytest

from inboxes.actions import remove_member
from inboxes.models import Agent, Inbox
from messaging.conversations import thread_search
from tests.cast import ANAS_LINE, DISPATCH, Cast, client_of
from tests.markup import read_page, read_words, without_bdi
from threads import search as searching
from threads.actions import hide_thread, restore_thread
from threads.models import Thread

pytestmark = pytest.mark.django_db
ROW = re.compile(r'<li id="thread-(\d+)" class="row')


def find_thread_ids(agent: Agent, inbox: Inbox | None, q: str, **more: str) -> list[int]:
    """Return the ids of the threads on the page, in its order."""
    path = f"/inboxes/{inbox.pk}/" if inbox else "/"
    page = client_of(agent).get(path, {"q": q, **more})
    assert page.status_code == 200
    return [int(key) for key in ROW.findall(read_page(page))]


def search_page(agent: Agent, inbox: Inbox | None, q: str) -> str:
    path = f"/inboxes/{inbox.pk}/" if inbox else "/"
    return read_page(client_of(agent).get(path, {"q": q}))


def write_text(cast: Cast, body: str, sender: str = "+12025550181", **more: str) -> Thread:
    return cast.text_in(body, sender=sender, **more).thread


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Dojazd z Łodzi", "lodzi"),
        ("Flug nach Đà Nẵng", "da nang"),
        ("Over Øresund", "ØRESUND"),
        ("Over Øresund", "oresund"),
        ("Iğdır otobüsü", "igdir"),
        ("İstanbul", "ISTANBUL"),
        ("Straße 5", "strasse"),
        ("Cæsar", "caesar"),
        ("so\u00adft and in\u200bvisible", "soft invisible"),
    ],
)
def test_letters_with_strokes_and_ligatures_are_found_by_plain_ones(
    cast: Cast, written: str, typed: str
) -> None:
    thread = write_text(cast, written)
    assert find_thread_ids(cast.ana, cast.front_desk, typed) == [thread.pk]
    assert find_thread_ids(cast.ana, cast.front_desk, written) == [thread.pk]
    everywhere = client_of(cast.ana).get("/search/", {"q": typed})
    assert f'id="hit-{thread.last_message_id}"' in read_page(everywhere)
    assert "<mark>" in search_page(cast.ana, cast.front_desk, typed)


@pytest.mark.parametrize(
    "q",
    [
        "crème",
        "CREME",
        "creme brulee",
        "brul crè",
        "order of a bru",
        "BRÛLÉE!",
        "  creme,\t\n brulee? ",
        "cre\u0300me",
        "ＣＲＥＭＥ",
        "strasse",
        "STRASSE",
        "straße",
        "8",
        "81",
        "日本",
        "本",
        "don't",
        "it’s",
    ],
)
def test_words_are_found_by_their_beginning_in_any_order_without_case_and_accents(
    cast: Cast, q: str
) -> None:
    thread = write_text(
        cast, "The order of a Crème Brûlée for Große Straße 81, 日本. Don't, it’s late."
    )
    write_text(cast, "Something else altogether", "+12025550182")
    assert find_thread_ids(cast.ana, cast.front_desk, q) == [thread.pk]


@pytest.mark.parametrize("q", ["reme", "rulee", "creme zebra", "1", "ruiz", "0181", "555"])
def test_only_beginnings_of_words_are_found(cast: Cast, q: str) -> None:
    thread = write_text(cast, "The order of a Crème Brûlée for Straße 81")
    assert find_thread_ids(cast.ana, cast.front_desk, "order") == [thread.pk]
    assert find_thread_ids(cast.ana, cast.front_desk, q) == []


def test_only_the_last_message_of_each_thread_counts(cast: Cast) -> None:
    thread = write_text(cast, "The gasket is broken")
    assert find_thread_ids(cast.ana, cast.front_desk, "gasket") == [thread.pk]
    cast.answer(thread, "We bring a new one")
    assert find_thread_ids(cast.ana, cast.front_desk, "gasket") == []
    assert find_thread_ids(cast.ana, cast.front_desk, "bring") == [thread.pk]


def test_agents_find_threads_only_in_their_own_inboxes(cast: Cast) -> None:
    here = write_text(cast, "A gasket here")
    there = write_text(cast, "A gasket there", to=DISPATCH)
    mine = write_text(cast, "A gasket of my own", to=ANAS_LINE)
    assert find_thread_ids(cast.ana, cast.front_desk, "gasket") == [here.pk]
    assert find_thread_ids(cast.ana, cast.dispatch, "gasket") == [there.pk]
    assert find_thread_ids(cast.ana, None, "gasket") == [mine.pk]
    assert find_thread_ids(cast.ben, None, "gasket") == []
    assert client_of(cast.cho).get(f"/inboxes/{cast.dispatch.pk}/?q=gasket").status_code == 404
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
    assert client_of(cast.cho).get(f"/inboxes/{cast.front_desk.pk}/?q=gasket").status_code == 404


def test_a_thread_that_i_deleted_is_found_by_others_but_not_by_me(cast: Cast) -> None:
    thread = write_text(cast, "A gasket here")
    last_id = thread.messages.get().pk
    hide_thread(thread=thread, agent=cast.ana, message_id=last_id)
    assert find_thread_ids(cast.ana, cast.front_desk, "gasket") == []
    assert find_thread_ids(cast.ben, cast.front_desk, "gasket") == [thread.pk]
    write_text(cast, "Another gasket")
    assert find_thread_ids(cast.ana, cast.front_desk, "gasket") == [thread.pk]
    hide_thread(thread=thread, agent=cast.ana, message_id=thread.messages.latest("pk").pk)
    assert find_thread_ids(cast.ana, cast.front_desk, "gasket") == []
    restore_thread(thread=thread, agent=cast.ana)
    assert find_thread_ids(cast.ana, cast.front_desk, "gasket") == [thread.pk]


@pytest.mark.parametrize("walk", [1, 3, 2_000])
def test_hits_are_sorted_newest_first_across_pages(
    cast: Cast, walk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "NEWEST_WALKED", walk)
    monkeypatch.setattr(searching, "PAGE_SIZE", 3)
    monkeypatch.setattr(thread_search, "PAGE_SIZE", 3)
    threads = [
        write_text(cast, "A gasket" if n % 2 else "A bolt", f"+130355502{n:02d}")
        for n in range(16)
    ]
    expected = [
        thread.pk for thread in threads[::-1] if thread.pk in {t.pk for t in threads[1::2]}
    ]
    client, url = client_of(cast.ana), f"/inboxes/{cast.front_desk.pk}/?q=gasket"
    seen: list[int] = []
    for _ in range(9):
        page = read_page(client.get(url, headers={"HX-Request": "true"}))
        seen += [int(key) for key in ROW.findall(page)]
        following = re.search(r'<a href="([^"]*after=[^"]*)"', page)
        if following is None:
            break
        url = following.group(1).replace("&amp;", "&")
    assert seen == expected


@pytest.mark.parametrize(
    "q",
    [
        "' OR 1=1 --",
        "'; DROP TABLE threads_thread; --",
        "gasket:*",
        "gasket & !x",
        "!gasket",
        "(gasket | bolt) <-> x",
        "\\'gasket\\",
        "%",
        "_",
        "%s %(query)s {beyond}",
        "~1",
        "<script>alert(1)</script>",
        "😀",
        "\u202e\ufffd",
        " . ",
        "a " * 99,
        "x" * 200,
    ],
)
def test_any_input_is_searched_as_words(cast: Cast, q: str) -> None:
    write_text(cast, "A bolt and nothing more")
    for agent, place in [(cast.ana, cast.front_desk), (cast.ana, None), (cast.ben, None)]:
        page = search_page(agent, place, q)
        assert "<script>alert" not in page
    for path in ("/search/", f"/inboxes/{cast.front_desk.pk}/search/"):
        assert client_of(cast.ana).get(path, {"q": q}).status_code == 200
    assert Thread.objects.count() == 1


def test_operators_of_tsquery_have_no_meaning(cast: Cast) -> None:
    thread = write_text(cast, "A gasket and nothing more")
    assert find_thread_ids(cast.ana, cast.front_desk, "gasket:* | !more") == [thread.pk]
    assert find_thread_ids(cast.ana, cast.front_desk, "gasket | bolt") == []


@pytest.mark.parametrize(
    ("q", "sentence"),
    [
        ("x" * 10_000, "That's too long. Search for at most 200 characters."),
        ("gas\0ket", "That contains a character that no message has."),
        ("!?", "Enter letters or digits."),
        ("zebra", "Nothing found"),
    ],
)
def test_the_page_says_why_nothing_is_found(cast: Cast, q: str, sentence: str) -> None:
    write_text(cast, "A gasket")
    assert sentence in html.unescape(search_page(cast.ana, cast.front_desk, q))
    page = read_words(client_of(cast.ana).get("/search/", {"q": q}))
    assert sentence in page
    assert find_thread_ids(cast.ana, cast.front_desk, q) == []


@pytest.mark.parametrize("q", ["", "   "])
def test_an_empty_box_shows_the_whole_list(cast: Cast, q: str) -> None:
    threads = [write_text(cast, "A gasket"), write_text(cast, "A bolt", "+12025550182")]
    assert find_thread_ids(cast.ana, cast.front_desk, q) == [threads[1].pk, threads[0].pk]
    assert f'id="list-{cast.front_desk.pk}"' in search_page(cast.ana, cast.front_desk, q)


def test_matches_are_highlighted_and_everything_else_is_escaped(cast: Cast) -> None:
    thread = write_text(cast, "<b>Crème</b> & cream for <mark>Straße</mark>")
    page = search_page(cast.ana, cast.front_desk, "cre str")
    assert (
        "&lt;b&gt;<mark>Crème</mark>&lt;/b&gt; &amp; <mark>cream</mark> for"
        " &lt;mark&gt;<mark>Straße</mark>&lt;/mark&gt;"
    ) in page
    cast.answer(thread, "It comes at noon")
    assert re.search(
        r"You: It comes at <mark>noon</mark>",
        without_bdi(search_page(cast.ana, cast.front_desk, "noo")),
    )


def test_a_hit_far_down_in_a_text_shows_an_excerpt_around_it(cast: Cast) -> None:
    write_text(cast, "word " * 60 + "and there the gasket lies " + "again " * 40)
    page = search_page(cast.ana, cast.front_desk, "gasket")
    assert re.search(r"… there the <mark>gasket</mark> lies again", page)


def test_the_address_of_a_thread_keeps_the_list_beside_it(cast: Cast) -> None:
    thread, other = write_text(cast, "A gasket"), write_text(cast, "A bolt", "+12025550182")
    client = client_of(cast.ana)
    page = read_page(client.get(f"/inboxes/{cast.front_desk.pk}/?q=gas"))
    assert f'href="/threads/{thread.pk}/?q=gas"' in page
    beside = read_page(client.get(f"/threads/{thread.pk}/?q=gas"))
    assert ROW.findall(beside) == [str(thread.pk)]
    assert f'href="/inboxes/{cast.front_desk.pk}/?q=gas" aria-label="Back to Front Desk"' in beside
    whole = read_page(client.get(f"/threads/{thread.pk}/"))
    assert ROW.findall(whole) == [str(other.pk), str(thread.pk)]


def test_a_search_takes_few_queries_however_much_it_finds(
    cast: Cast, django_assert_max_num_queries: object
) -> None:
    for n in range(20):
        write_text(cast, "A gasket" + " and more" * 30, f"+130355502{n:02d}")
    client = client_of(cast.ana)
    path = f"/inboxes/{cast.front_desk.pk}/?q=gasket+more"
    client.get(path)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        client.get(path)


def test_the_search_box_says_what_it_searches(cast: Cast) -> None:
    inbox = search_page(cast.ana, cast.front_desk, "")
    assert 'aria-label="Search last messages"' in inbox
    assert "Searches the last message of each thread only." in inbox
    assert 'role="switch" aria-checked="false"' in inbox
    assert "last message of each of your own conversations" in search_page(cast.ana, None, "")
    assert 'aria-label="Search all messages"' in search_page(cast.ben, None, "")
