"""Search all messages, names and numbers: what is found, its links, and by whom."""

from __future__ import annotations

import re

import pytest

from inboxes.actions import add_member, remove_member
from inboxes.models import Agent, Inbox
from messaging.conversations import message_search
from messaging.models import Message
from tests.cast import ANAS_LINE, DISPATCH, Cast, client_of
from tests.markup import without_bdi
from threads import search as walking
from threads import words
from threads.actions import hide_thread
from threads.models import Contact, Thread

pytestmark = pytest.mark.django_db
HIT = re.compile(r'<li id="hit-(\d+)" class="row')


def page_of(agent: Agent, q: str, place: Inbox | None = None) -> str:
    path = f"/inboxes/{place.pk}/search/" if place else "/search/"
    page = client_of(agent).get(path, {"q": q})
    assert page.status_code == 200
    return str(page.content.decode())


def found_messages(agent: Agent, q: str, place: Inbox | None = None) -> list[int]:
    """Return the messages on the page, in its order."""
    return [int(key) for key in HIT.findall(page_of(agent, q, place))]


def find_by_name(thread: Thread, name: str) -> Thread:
    contact = thread.contact
    what = [*words.split_words(name), *words.digit_triples(contact.address)]
    Contact.objects.filter(pk=contact.pk).update(
        name=name, words=words.build_tsvector(thread.inbox_id, what)
    )
    return thread


def last_of(thread: Thread) -> int:
    return Message.objects.filter(thread=thread).latest("pk").pk


def test_every_message_is_found_in_any_inbox_that_one_may_see(cast: Cast) -> None:
    first = cast.text_in("The gasket is broken")
    cast.answer(first.thread, "We bring a new one")
    note = cast.note(first.thread, "Gaskets are on shelf 4", author=cast.ben)
    there = cast.text_in("A gasket for van 2", to=DISPATCH)
    mine = cast.text_in("A gasket of my own", to=ANAS_LINE)
    for place in (None, cast.front_desk, cast.dispatch):
        assert found_messages(cast.ana, "GASKET", place) == [mine.pk, there.pk, note.pk, first.pk]
    assert found_messages(cast.ben, "gasket") == [there.pk, note.pk, first.pk]
    assert found_messages(cast.cho, "gasket") == [note.pk, first.pk]
    assert found_messages(cast.dov, "gasket") == []
    assert found_messages(cast.admin, "gasket") == []


def test_a_former_member_finds_nothing_and_a_new_one_everything(cast: Cast) -> None:
    text = cast.text_in("The gasket is broken")
    find_by_name(text.thread, "Marta Lindqvist")
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
    add_member(inbox=cast.front_desk, agent=cast.dov, changed_by=cast.admin)
    for q in ("gasket", "marta", "5550177"):
        assert found_messages(cast.cho, q) == []
        assert found_messages(cast.dov, q) == [text.pk]
        assert "Lindqvist" not in page_of(cast.cho, q)


@pytest.mark.parametrize(
    "q",
    [
        "555",
        "0177",
        "177",
        "5550177",
        "(202) 555-01",
        "202.555.0177",
        "+1 202 555 0177",
        "+12025550177",
        "1-202",
        "０１７７",
        "marta 0177",
        "177 LIND",
    ],
)
def test_a_number_is_found_by_any_digits_in_sequence_in_any_notation(cast: Cast, q: str) -> None:
    thread = find_by_name(cast.thread(), "Marta Lindqvist")
    cast.thread(sender="+13035550142")
    cast.thread(sender="72645")
    numbers = {thread.pk} if q != "555" else {thread.pk, thread.pk + 1}
    hits = Message.objects.filter(pk__in=found_messages(cast.ana, q))
    assert {message.thread_id for message in hits} == numbers


@pytest.mark.parametrize("q", ["77", "7702", "5770155", "2027", "055017 x", "marta 0142"])
def test_other_digits_find_no_number(cast: Cast, q: str) -> None:
    """Include runs whose every three digits occur somewhere in the number."""
    find_by_name(cast.thread(sender="+12025550177"), "Marta Lindqvist")
    cast.thread(sender="+12021230123")
    assert found_messages(cast.ana, q) == []


def test_digits_that_are_separate_are_not_a_sequence(cast: Cast) -> None:
    near = cast.thread(sender="+13031231234")
    cast.thread(sender="+13032341123")
    assert found_messages(cast.ana, "31234") == [last_of(near)]


def test_a_name_is_found_with_the_last_message_of_its_thread(cast: Cast) -> None:
    thread = find_by_name(cast.thread(), "Márta Lindqvist")
    newest = cast.answer(thread, "We bring a new one")
    other = cast.text_in("Greetings to Marta", sender="+13035550142")
    assert found_messages(cast.ana, "lind mar") == [newest.pk]
    assert found_messages(cast.ana, "marta") == [other.pk, newest.pk]
    page = page_of(cast.ana, "lind mar")
    assert "<mark>Márta</mark> <mark>Lindqvist</mark>" in page
    assert "(202) <mark>555-01</mark>77" in page_of(cast.ana, "55501")


def test_messages_of_a_deleted_thread_are_found(cast: Cast) -> None:
    text = cast.text_in("The gasket is broken")
    hide_thread(thread=text.thread, agent=cast.ana, message_id=text.pk)
    assert found_messages(cast.ana, "gasket") == [text.pk]


def test_a_hit_shows_author_inbox_and_time_and_links_to_the_message(cast: Cast) -> None:
    texts = [cast.text_in(f"Text {number}") for number in range(60)]
    thread = texts[0].thread
    old = texts[3]
    Message.objects.filter(pk=old.pk).update(
        body="a " * 90 + "<b>gasket</b>",
        words=words.build_tsvector(thread.inbox_id, ["gasket", "a", "b"]),
    )
    page = page_of(cast.ana, "gask", cast.front_desk)
    row = page[page.index(f'id="hit-{old.pk}"') :]
    assert "Received · Front Desk" in without_bdi(row)
    assert re.search(r"… [a ]*&lt;b&gt;<mark>gasket</mark>&lt;/b&gt;", row)
    link = f"/threads/{thread.pk}/?at={old.pk}&amp;q=gask&amp;all=1"
    assert f'href="{link}"' in row
    opened = client_of(cast.ana).get(link.replace("&amp;", "&")).content.decode()
    assert f'id="message-{old.pk}"' in opened
    assert f'data-arrive="{old.pk}"' in opened
    assert f'id="hit-{old.pk}"' in opened
    back = f'href="/inboxes/{cast.front_desk.pk}/search/?q=gask" aria-label="Back to Front Desk"'
    assert back in opened


@pytest.mark.parametrize("walk", [1, 2_000])
def test_pages_follow_each_other_newest_first(
    cast: Cast, walk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_search, "NEWEST_WALKED", walk)
    monkeypatch.setattr(message_search, "PAGE_SIZE", 3)
    thread = find_by_name(cast.thread(), "Gasket & Sons")
    texts = [cast.text_in("A gasket" if n % 2 else "A bolt") for n in range(14)]
    assert thread.pk == texts[0].thread_id
    wanted = [text.pk for text in texts[1::2]][::-1]
    client, url, seen = client_of(cast.ana), "/search/?q=gasket", []
    for _ in range(9):
        page = client.get(url, headers={"HX-Request": "true"}).content.decode()
        seen += [int(key) for key in HIT.findall(page)]
        following = re.search(r'<a href="([^"]*after=[^"]*)"', page)
        if following is None:
            break
        url = following.group(1).replace("&amp;", "&")
    assert seen == wanted


def test_the_plan_is_one_walk_or_one_look_into_the_index(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check that the result does not depend on the plan."""
    find_by_name(cast.thread(), "Marta Lindqvist")
    for number in range(5):
        cast.text_in(f"Gasket {number}", sender=f"+130355502{number:02d}")
    results = []
    for walk in (0, 1, 3, 2_000):
        monkeypatch.setattr(message_search, "NEWEST_WALKED", walk)
        monkeypatch.setattr(walking, "NEWEST_WALKED", walk)
        results.append(
            [found_messages(cast.ana, q) for q in ("gasket", "marta", "0177", "zebra", "303")]
        )
    assert results == [results[0]] * 4
    assert [len(keys) for keys in results[0]] == [5, 1, 1, 0, 5]


@pytest.mark.parametrize("after", ["x", "-1", "0", str(2**63), "1-1"])
def test_an_invalid_cursor_is_a_404(cast: Cast, after: str) -> None:
    assert client_of(cast.ana).get(f"/search/?q=a&after={after}").status_code == 404


@pytest.mark.parametrize("deed", ["post", "put", "delete"])
def test_search_only_reads(cast: Cast, deed: str) -> None:
    for path in ("/search/", f"/inboxes/{cast.front_desk.pk}/search/"):
        assert getattr(client_of(cast.ana), deed)(path).status_code == 405


def test_an_empty_box_shows_the_list_with_the_scope_still_on(cast: Cast) -> None:
    thread = cast.thread()
    page = page_of(cast.ana, "", cast.front_desk)
    assert f'id="thread-{thread.pk}"' in page
    assert 'role="switch" aria-checked="true"' in page
    assert f'id="inbox-{cast.front_desk.pk}"' in page_of(cast.ana, "")


def test_a_page_of_hits_costs_few_queries(
    cast: Cast, django_assert_max_num_queries: object
) -> None:
    for number in range(25):
        cast.text_in(f"Gasket {number}", sender=f"+130355502{number:02d}")
    client = client_of(cast.ana)
    client.get("/search/?q=gasket")
    with django_assert_max_num_queries(15):  # type: ignore[operator]
        client.get("/search/?q=gasket")
