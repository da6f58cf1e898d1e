"""All messages also finds what the team did, and threads by the names of their labels."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection

from inboxes.actions import remove_member
from inboxes.models import Agent, Inbox
from messaging.conversations import message_search, work_search
from messaging.work import deeds
from messaging.work.label_definitions import define_labels
from messaging.work.labels import label_threads
from tests.cast import ANAS_LINE, DISPATCH, Cast, client_of
from tests.markup import read_page
from tests.messaging.conversations.test_activity import toggle_priority
from threads.actions import set_priority
from threads.models import Activity, Label, Thread
from threads.search import Search

pytestmark = pytest.mark.django_db
HIT = re.compile(r'<li id="((?:line-)?hit-\d+)" class="row')


def found(agent: Agent, q: str, place: Inbox | None = None) -> list[str]:
    """Return what all pages of a search show, in their order."""
    path = f"/inboxes/{place.pk}/search/" if place else "/search/"
    shown: list[str] = []
    query: dict[str, list[str]] = {"q": [q]}
    while query:
        page = read_page(client_of(agent).get(path, query))
        shown += HIT.findall(page)
        more = re.search(r'id="more">\s*<a\s+href="([^"]*)"', page)
        query = parse_qs(urlsplit(more[1].replace("&amp;", "&")).query) if more else {}
    return shown


def lines() -> list[str]:
    keys = Activity.objects.order_by("-pk").values_list("pk", flat=True)
    return [f"line-hit-{key}" for key in keys]


def put_label(cast: Cast, name: str, *threads: Thread) -> Label:
    inbox = threads[0].inbox
    define_labels(inbox=inbox, added=[Label(name=name)])
    label = Label.objects.get(inbox=inbox, name=name)
    label_threads(
        inbox_id=inbox.pk,
        thread_ids=[thread.pk for thread in threads],
        label_id=label.pk,
        is_on=True,
        by=cast.ana,
    )
    return label


def test_lines_are_found_by_what_they_say_and_by_whom_they_name(cast: Cast) -> None:
    thread = cast.thread()
    deeds.assign_threads(
        inbox_id=thread.inbox_id, thread_ids=[thread.pk], assignee=cast.ben, by=cast.ana
    )
    set_priority(thread=thread, priority="high", by=cast.cho)
    priority, assigned = lines()
    for q in ("assigned", "Assigned to BEN", "okafor", "ana assign", "Ana assigned this to Ben"):
        assert found(cast.cho, q) == [assigned], q
        assert found(cast.cho, q, cast.front_desk) == [assigned], q
    assert found(cast.ben, "cho priority high") == [priority]
    for q in ("this", "the to", "mark", "assigned to cho", "30"):
        assert found(cast.cho, q) == [], q


def test_a_found_line_opens_the_conversation_there_unfolded(cast: Cast) -> None:
    thread = cast.thread()
    deeds.reopen(inbox_id=thread.inbox_id, thread_ids=[thread.pk], by=cast.ana)
    set_priority(thread=thread, priority="high", by=cast.ana)
    client = client_of(cast.ben)
    page = read_page(client.get("/search/", {"q": "priority"}))
    url = re.search(r'class="row-link" href="([^"]*)"', page)
    assert url is not None
    assert "<mark>priority</mark> to High" in page
    opened = read_page(client.get(url[1].replace("&amp;", "&")))
    assert '<details class="activity-fold" open>' in re.sub(r"\s+", " ", opened)
    assert f'data-arrive-line="{Activity.objects.get().pk}"' in opened


def test_lines_of_other_inboxes_are_not_found(cast: Cast) -> None:
    for to in (DISPATCH, ANAS_LINE):
        set_priority(thread=cast.thread(to=to), priority="high", by=cast.ana)
    mine, there = lines()
    assert found(cast.ana, "priority") == [mine, there]
    assert found(cast.ben, "priority") == [there]
    assert found(cast.cho, "priority") == found(cast.admin, "priority") == []
    remove_member(inbox=cast.dispatch, agent=cast.ben, changed_by=cast.admin)
    assert found(cast.ben, "priority") == []


def test_threads_are_found_by_the_names_of_their_labels_of_today(cast: Cast) -> None:
    threads = [cast.thread(sender=f"+1202555020{index}") for index in range(3)]
    label = put_label(cast, "Invoices 2026", *threads[:2])
    Activity.objects.all().delete()
    last = [f"hit-{thread.last_message_id}" for thread in (threads[1], threads[0])]
    for q in ("invoice", "2026 INVO"):
        assert found(cast.ben, q) == last
    assert found(cast.dov, "invoice") == []
    assert 'class="label-mark blue"' in read_page(client_of(cast.ben).get("/search/?q=invoice"))
    label.name = "Bills"
    define_labels(inbox=label.inbox, changed=[label])
    assert found(cast.ben, "invoice") == []
    assert found(cast.ben, "bills") == last
    define_labels(inbox=label.inbox, deleted=[label])
    assert found(cast.ben, "bills") == []


@pytest.mark.parametrize("walk", [2, 500], ids=["index", "walk"])
def test_pages_hold_everything_once_and_messages_are_not_drowned(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, walk: int
) -> None:
    monkeypatch.setattr(message_search, "PAGE_SIZE", 5)
    monkeypatch.setattr(message_search, "NEWEST_WALKED", walk)
    monkeypatch.setattr(work_search, "NEWEST_WALKED", walk)
    messages = [cast.text_in(f"What priority has number {index}?") for index in range(12)]
    threads = [cast.thread(sender=f"+1202555020{index}") for index in range(7)]
    put_label(cast, "Priority", *threads)
    toggle_priority(threads[0], cast.ana, 9)
    wanted = [f"hit-{message.pk}" for message in messages]
    wanted += [f"hit-{thread.last_message_id}" for thread in threads]
    shown = found(cast.ben, "priority")
    assert sorted(shown) == sorted([*wanted, *lines()])
    assert sum(key in wanted[:12] for key in shown[:5]) == 3
    assert [key for key in shown if key.startswith("line")] == lines()


def test_the_newest_lines_and_rare_words_take_an_index_each(cast: Cast) -> None:
    """Among millions of lines, neither a common nor a rare word may read all of them."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = on")
        for statement, index in (
            (work_search._NEWEST_LINES, "threads_activity_pkey"),
            (work_search._ALL_LINES, "activity_words"),
        ):
            details: dict[str, Any] = {"query": "'1~priority':*", "inboxes": [1]}
            details |= {"walk": 2000, "count": 31}
            parts = {"beyond": "true", "is_standing": work_search.is_standing(Search("x"))}
            cursor.execute("EXPLAIN " + statement.format(**parts), details)
            assert index in "\n".join(row for (row,) in cursor.fetchall())
