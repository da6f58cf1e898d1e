"""Show contacts in a list: order, pages, search, filters, counts, and by whom they are seen."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inboxes.actions import add_member, remove_member
from inboxes.models import Agent, Inbox
from messaging.contacts import counts, lists, queries
from messaging.contacts.counts import count_opted_out
from messaging.contacts.describing import ContactValues, create_contact, describe_contact
from messaging.models import Message, OptOut
from messaging.outbound.opt_outs import end_opt_outs, record_opt_out
from messaging.outbound.starting import schedule_first_text
from tests.cast import ANAS_LINE, DISPATCH, FRONT_DESK, Cast, client_of
from threads import labels
from threads.models import Contact, Label, Thread

ROW = re.compile(r'<tr\s+class="contacts-row.*?</tr>', re.DOTALL)
NEXT = re.compile(r'href="(/contacts/\?[^"]*after=[^"]*)"')


def number(n: int) -> str:
    return f"+1202555{1000 + n}"


def page_of(agent: Agent, query: str = "") -> str:
    answer = client_of(agent).get(f"/contacts/{query}")
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def texts_of(html: str) -> list[str]:
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in ROW.findall(html)]


def rows_of(agent: Agent, query: str = "") -> list[str]:
    """Return the words of all rows, of all pages as a browser without scripts opens them."""
    found: list[str] = []
    html = page_of(agent, query)
    for _ in range(50):
        found += texts_of(html)
        further = NEXT.search(html)
        if further is None:
            return found
        html = page_of(agent, unescape(further[1]).removeprefix("/contacts/"))
    raise AssertionError("The pages don't end.")


def numbers_of(agent: Agent, query: str = "") -> list[str]:
    """Return the last four digits of each row's number, in the order of the rows."""
    return [match[1] for row in rows_of(agent, query) if (match := re.search(r"555-(\d{4})", row))]


def name(thread: Thread, words: str, **more: str) -> Thread:
    values = ContactValues(name=words, **more)
    describe_contact(contact=thread.contact, values=values, by=None)
    return thread


def add(inbox: Inbox, n: int, words: str = "", **more: str) -> Contact:
    values = ContactValues(name=words, **more)
    return create_contact(inbox_id=inbox.pk, address=number(n), values=values, by=None)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", 3)


def test_those_who_texted_last_come_first_and_those_who_never_did_last(cast: Cast) -> None:
    for n in (1, 2, 3):
        cast.thread(sender=number(n))
    add(cast.front_desk, 8)
    add(cast.front_desk, 9)
    cast.text_in("Again", sender=number(1))
    assert numbers_of(cast.ana) == ["1001", "1003", "1002", "1009", "1008"]


@pytest.mark.parametrize("windows", [(100, 2_000), (2, 4)])
def test_pages_continue_each_other_without_gaps_in_both_orders(
    cast: Cast, small_pages: None, monkeypatch: pytest.MonkeyPatch, windows: tuple[int, int]
) -> None:
    monkeypatch.setattr(queries, "FIRST_WINDOW", windows[0])
    monkeypatch.setattr(queries, "WINDOW", windows[1])
    monkeypatch.setattr(queries, "SMALLEST_WINDOW", windows[1])
    names = ["Zoe", "", "bert", "Anna", "", "Bert", "Ähm"]
    for n, words in enumerate(names):
        thread = cast.thread(sender=number(n), to=(FRONT_DESK, DISPATCH)[n % 2])
        name(thread, words)
    for n in range(7, 12):
        add((cast.front_desk, cast.dispatch)[n % 2], n, "Carl" if n == 9 else "")
    recent = [f"10{n:02}" for n in (6, 5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7)]
    assert numbers_of(cast.ana) == recent
    by_name = numbers_of(cast.ana, "?order=name")
    named = ["1003", "1002", "1005", "1009", "1000"]
    assert [one for one in by_name if one in named] == named
    assert by_name[6:] == ["1004", "1001", "1011", "1010", "1008", "1007"]
    assert sorted(by_name) == sorted(recent)


def test_a_number_that_several_inboxes_know_is_one_row(cast: Cast, small_pages: None) -> None:
    both = number(1)
    name(cast.thread(sender=both), "Old words", company="Whitlock Rentals")
    for n in (2, 3, 4, 5):
        cast.thread(sender=number(n))
    name(cast.thread(sender=both, to=DISPATCH), "Sam Whitlock")
    add(cast.anas_line, 1)
    rows = rows_of(cast.ana)
    assert len(rows) == 5
    assert rows[0].startswith("SW Sam Whitlock Whitlock Rentals (202) 555-1001")
    assert "Dispatch, Front Desk, Ana Ruiz" in rows[0]
    [his] = [row for row in rows_of(cast.ben) if "1001" in row]
    assert "Dispatch, Front Desk" in his
    assert "Ana Ruiz" not in his
    [hers] = [row for row in rows_of(cast.cho) if "1001" in row]
    assert "Old words" in hers
    assert "Dispatch" not in hers
    [narrowed] = [
        row for row in rows_of(cast.ana, f"?inbox={cast.front_desk.pk}") if "1001" in row
    ]
    assert "Front Desk" in narrowed


def test_a_contact_whom_one_inbox_alone_names_stands_by_that_name(
    cast: Cast, small_pages: None
) -> None:
    name(cast.thread(sender=number(1)), "Marta")
    name(cast.thread(sender=number(2)), "Anna")
    name(cast.thread(sender=number(3)), "Zoe")
    cast.thread(sender=number(4))
    cast.thread(sender=number(1), to=DISPATCH)
    rows = rows_of(cast.ana, "?order=name")
    assert [row.split()[1] for row in rows] == ["Anna", "Marta", "Zoe", "No"]
    marta = Thread.objects.get(contact__address=number(1), inbox=cast.dispatch)
    page = page_of(cast.ana, "?order=name")
    assert f'id="contact-{marta.contact_id}"' in page, "whom it texted last is what opens"
    unnamed = rows_of(cast.ana, f"?order=name&inbox={cast.dispatch.pk}")
    assert ["No name" in row for row in unnamed] == [True], "another inbox calls them so"
    for n, words in ((1, "Marta"), (2, "Anna")):
        put_on(Thread.objects.get(contact__name=words), "Repair", Label.objects.first())
        assert str(1000 + n) in " ".join(numbers_of(cast.ana, "?order=name&q=repair"))
    found = numbers_of(cast.ana, f"?order=name&label={Label.objects.get().pk}")
    assert found == ["1002", "1001"]


def test_only_members_see_contacts(cast: Cast) -> None:
    cast.thread()
    add(cast.front_desk, 1, "Marta")
    assert len(rows_of(cast.cho)) == 2
    for stranger in (cast.dov, cast.admin):
        assert rows_of(stranger) == []
        assert "No contacts yet" in page_of(stranger)
        assert client_of(stranger).get(f"/contacts/?inbox={cast.front_desk.pk}").status_code == 404
        assert rows_of(stranger, "?q=marta") == []
    add_member(inbox=cast.front_desk, agent=cast.dov, changed_by=cast.admin)
    remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
    assert len(rows_of(cast.dov)) == 2
    assert rows_of(cast.cho) == []


SEARCHES = {
    "marta": "1001",
    "LIND mart": "1001",
    "lindq marta x": "",
    "castellano sons": "1002",
    "joe@castellano.example": "1002",
    "88-0931": "1003",
    "(202) 555-1004": "1004",
    "5551004": "1004",
    "5100": "1004 1003 1002 1001 1009",
    "repair": "1003",
    "insta": "1002 1001",
    "' | !(": "",
    "10": "",
}


@pytest.mark.parametrize("window", [2_000, 1])
def test_search_finds_names_numbers_and_labels(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(queries, "WINDOW", window)
    monkeypatch.setattr(queries, "SMALLEST_WINDOW", window)
    one, two, three, _ = (cast.thread(sender=number(n)) for n in (1, 2, 3, 4))
    name(one, "Märta Lindqvist")
    name(two, "Joe", company="Castellano & Sons", email="joe@castellano.example")
    name(three, "", reference="Order 88-0931")
    put_on(three, "Repair")
    install = put_on(two, "Install")
    put_on(one, "Install", install)
    add(cast.front_desk, 9)
    found = {q: " ".join(numbers_of(cast.ana, f"?{urlencode({'q': q})}")) for q in SEARCHES}
    assert found == SEARCHES


def put_on(thread: Thread, words: str, label: Label | None = None) -> Label:
    label = label or Label.objects.create(inbox=thread.inbox, name=words)
    labels.put_on(inbox_id=thread.inbox_id, thread_ids=[thread.pk], label=label, seq=1)
    return label


def opted_out(cast: Cast, n: int, ours: str = FRONT_DESK) -> None:
    record_opt_out(our_address=ours, address=number(n))


@pytest.mark.parametrize("most", [1_000, 1])
def test_filters_narrow_the_list_and_combine(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, most: int, small_pages: None
) -> None:
    monkeypatch.setattr(queries, "MOST_SORTED", most)
    monkeypatch.setattr(counts, "MOST_SORTED", most)
    threads = [cast.thread(sender=number(n)) for n in range(6)]
    label = put_on(threads[1], "Repair")
    put_on(threads[2], "Repair", label)
    other = put_on(cast.thread(sender=number(3), to=DISPATCH), "repair")
    for n in (2, 3, 5):
        opted_out(cast, n)
    opted_out(cast, 4, DISPATCH)
    add(cast.front_desk, 9)
    opted_out(cast, 9)
    for n in (1, 5):
        block(threads[n])
    for key in (label.pk, other.pk):
        assert numbers_of(cast.ana, f"?label={key}") == ["1003", "1002", "1001"]
    assert numbers_of(cast.cho, f"?label={label.pk}") == ["1002", "1001"]
    assert numbers_of(cast.ana, "?opted_out=1") == ["1005", "1003", "1002", "1009"]
    assert numbers_of(cast.ana, "?blocked=1") == ["1005", "1001"]
    assert numbers_of(cast.ana, "?blocked=1&opted_out=1") == ["1005"]
    assert numbers_of(cast.ana, f"?blocked=1&label={label.pk}") == ["1001"]
    assert numbers_of(cast.ana, f"?opted_out=1&inbox={cast.dispatch.pk}") == []
    assert numbers_of(cast.ana, "?opted_out=1&q=1003") == ["1003"]
    assert numbers_of(cast.ana, "?opted_out=1&order=name") == ["1005", "1003", "1002", "1009"]
    assert numbers_of(cast.ana, f"?label={label.pk + 1000}") == []


def block(thread: Thread) -> None:
    """Block as the action does, as far as the list is concerned."""
    Contact.objects.filter(pk=thread.contact_id).update(blocked_at=thread.created_at)
    Thread.objects.filter(pk=thread.pk).update(status="blocked")


def test_counts_stand_beside_the_filters(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = [cast.thread(sender=number(n)) for n in range(5)]
    for n in (0, 1, 2):
        opted_out(cast, n)
    cast.thread(sender=number(1), to=DISPATCH)
    opted_out(cast, 1, DISPATCH)
    block(threads[0])
    assert counts_of(page_of(cast.ana)) == ("3", "1", "5 contacts")
    assert counts_of(page_of(cast.ana, f"?inbox={cast.dispatch.pk}")) == ("1", "0", "1 contact")
    assert counts_of(page_of(cast.ana, "?q=1001")) == ("3", "1", "1 contact")
    end_opt_outs(
        our_address=FRONT_DESK,
        address=number(0),
        inbox_id=cast.front_desk.pk,
        by=cast.ana,
        reason="They asked.",
    )
    assert counts_of(page_of(cast.ana))[0] == "2"
    monkeypatch.setattr(counts, "MOST_SORTED", 1)
    monkeypatch.setattr(counts, "MOST_COUNTED", 4)
    assert counts_of(page_of(cast.cho)) == ("2+", "1", "more than 4 contacts")


def test_an_opt_out_of_all_our_numbers_counts_in_each_inbox(cast: Cast) -> None:
    cast.thread(sender=number(1))
    OptOut.objects.create(
        our_address=DISPATCH,
        address=number(1),
        is_for_all=True,
        source=OptOut.Source.KEYWORD,
        since=cast.front_desk.created_at,
    )
    assert numbers_of(cast.cho, "?opted_out=1") == ["1001"]
    assert counts_of(page_of(cast.cho))[0] == "1"
    assert "Opted out" in rows_of(cast.cho)[0]


def for_all(n: int, since: datetime) -> None:
    OptOut.objects.create(
        our_address=DISPATCH,
        address=number(n),
        is_for_all=True,
        source=OptOut.Source.KEYWORD,
        since=since,
    )


def test_opt_outs_of_people_whom_nobody_knows_hide_none(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.thread(sender=number(9))
    cast.thread(sender=number(8))
    opted_out(cast, 8)
    for n in (1, 2, 3, 8, 9):
        for_all(n, cast.front_desk.created_at)
    monkeypatch.setattr(counts, "MOST_SORTED", 3)
    assert counts_of(page_of(cast.cho))[0] == "2"
    assert numbers_of(cast.cho, "?opted_out=1") == ["1008", "1009"]
    # Where not all of them were looked up, the list does not take them for all.
    monkeypatch.setattr(counts, "MOST_EXAMINED", 3)
    assert counts_of(page_of(cast.cho))[0] == "1+"
    assert numbers_of(cast.cho, "?opted_out=1") == ["1008", "1009"]
    opt_outs = OptOut.objects.filter(our_address=FRONT_DESK)
    opt_outs.delete()
    assert counts_of(page_of(cast.cho))[0] == ""


_MANY_OPT_OUTS = """
INSERT INTO messaging_optout (our_address, address, source, since, is_for_all)
SELECT %s, '+1303555' || lpad(n::text, 5, '0'), 'keyword', now(), n > 10000
FROM generate_series(1, 20000) AS n;
ANALYZE messaging_optout
"""


def test_counting_opt_outs_reads_few_of_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_EXAMINED", 500)
    cast.thread()
    with connection.cursor() as cursor:
        cursor.execute(_MANY_OPT_OUTS, [FRONT_DESK])
        with CaptureQueriesContext(connection) as queries_made:
            count_opted_out([cast.front_desk.pk])
        [made] = queries_made.captured_queries
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {made['sql']}")
        [[plan]] = cursor.fetchone()
    assert most_rows(plan["Plan"]) <= 1_500, plan


def most_rows(node: dict[str, Any]) -> int:
    """Return how many rows the busiest node of a plan read."""
    left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    own = (node["Actual Rows"] + left_out) * node["Actual Loops"]
    return int(max([own, *map(most_rows, node.get("Plans", ()))]))


def test_a_scheduled_text_is_no_last_text(cast: Cast) -> None:
    schedule_first_text(
        inbox=cast.front_desk,
        author=cast.ana,
        address=number(0),
        body="Good morning",
        form_key=uuid.uuid4(),
        send_at=timezone.now() + timedelta(hours=3),
    )
    assert numbers_of(cast.ana) == ["1000"]
    assert "<time" not in ROW.findall(page_of(cast.ana))[0]
    # The same number has texted elsewhere.
    other = cast.thread(sender=number(0), to=DISPATCH)
    Thread.objects.filter(pk=other.pk).update(last_at=timezone.now() - timedelta(days=3))
    [row] = ROW.findall(page_of(cast.ana))
    assert "<time" in row


def counts_of(html: str) -> tuple[str, ...]:
    shown = [
        re.search(rf'id="contacts-{which}"[^>]*>([^<]*)<', html)
        for which in ("opted-out", "blocked")
    ]
    total = re.search(r'class="contacts-total"[^>]*>([^<]*)<', html)
    return tuple(match[1].strip() if match else "" for match in (*shown, total))


def test_only_exceptions_are_marked(cast: Cast) -> None:
    plain, failed, unknown, out = (cast.thread(sender=number(n)) for n in range(4))
    for thread, state in ((failed, "failed"), (unknown, "unknown"), (plain, "delivered")):
        text = cast.answer(thread, "Yes")
        Message.objects.filter(pk=text.pk).update(state=state, reason="x")
    opted_out(cast, 3)
    block(out)
    rows = dict(zip(numbers_of(cast.ana), rows_of(cast.ana), strict=True))
    marks = ("Last text failed", "Delivery unknown", "Opted out", "Blocked")
    found = {key: [mark for mark in marks if mark in row] for key, row in rows.items()}
    assert found == {
        "1000": [],
        "1001": ["Last text failed"],
        "1002": ["Delivery unknown"],
        "1003": ["Opted out", "Blocked"],
    }
    cast.text_in("I am here", sender=number(1))
    assert "failed" not in rows_of(cast.ana)[0]


@pytest.mark.parametrize(
    "query",
    ["?after=x", "?after=t-1", "?after=u-", "?after=z-1", "?order=age", "?inbox=0", "?label=-1"],
)
def test_a_place_that_is_none_is_a_404(cast: Cast, query: str) -> None:
    assert client_of(cast.ana).get(f"/contacts/{query}").status_code == 404


def test_a_page_takes_as_many_queries_for_many_contacts_as_for_few(
    cast: Cast,
) -> None:
    taken = []
    for n in range(24):
        cast.thread(sender=number(n), to=(FRONT_DESK, DISPATCH, ANAS_LINE)[n % 3])
        if n in {2, 23}:
            client = client_of(cast.ana)
            with CaptureQueriesContext(
                connection,
            ) as captured:
                client.get("/contacts/")
            taken.append(len(captured))
    assert taken[0] == taken[1]
