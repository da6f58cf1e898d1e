"""Activity in the history: folded groups between messages, on their pages, live, and whole."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.db import connection, transaction
from django.test import Client

from inboxes.counters import next_inbox_seq
from inboxes.models import Agent
from messaging.conversations import activity as groups
from messaging.conversations import history
from messaging.models import Message, Notification
from tests.cast import ANAS_LINE, Cast, client_of
from tests.markup import read_page
from tests.messaging.live.live_pages import new_tab, parse_elements
from threads import activity
from threads.actions import set_priority
from threads.models import Activity, Thread

HTMX = {"HX-Request": "true"}


def do(thread: Thread, kind: Activity.Kind, by: Agent | None, **details: Any) -> Activity:
    with transaction.atomic():
        (line,) = activity.record(
            thread_ids=[thread.pk],
            inbox_id=thread.inbox_id,
            actor=by,
            kind=kind,
            details=details,
            seq=next_inbox_seq(thread.inbox_id),
        )
    return line


def shown_order(client: Client, path: str, **headers: str) -> list[str]:
    return [e.id for e in parse_elements(read_page(client.get(path, headers=headers)))
            if e.container.startswith("log-")]  # fmt: skip


def toggle_priority(thread: Thread, by: Agent, times: int) -> None:
    for index in range(times):
        set_priority(thread=thread, priority=["high", "low"][index % 2], by=by)


@pytest.mark.django_db
def test_what_was_done_between_two_messages_is_one_folded_line(cast: Cast) -> None:
    thread = cast.thread()
    set_priority(thread=thread, priority="high", by=cast.ana)
    do(thread, Activity.Kind.ASSIGNED, cast.ana, **activity.about_agent(cast.ben))
    cast.answer(thread, "We are on our way")
    do(thread, Activity.Kind.DONE, cast.ben)
    first, second = Message.objects.order_by("pk").values_list("pk", flat=True)
    page = read_page(client_of(cast.ben).get(f"/threads/{thread.pk}/"))
    shown = [e for e in parse_elements(page) if e.container == f"log-{thread.pk}"]
    assert [e.id for e in shown] == [
        f"message-{first}",
        f"activity-{thread.pk}-{first}",
        f"message-{second}",
        f"activity-{thread.pk}-{second}",
    ]
    assert shown[1].words.startswith("2 changes · Ana assigned this to you, today at ")
    assert "Ana set the priority to High" in shown[1].words
    assert shown[3].words.startswith("1 change · You marked this as done, today at ")
    assert page.count("<details") == 2
    assert "<details open" not in re.sub(r"\s+", " ", page)
    assert Thread.objects.get(pk=thread.pk).message_count == 2


@pytest.mark.django_db
def test_a_line_ends_a_run_of_bubbles_and_no_day(cast: Cast) -> None:
    thread = cast.thread()
    for index in range(2):
        cast.text_in("And another")
        if index == 0:
            do(thread, Activity.Kind.DONE, cast.ana)
    page = read_page(client_of(cast.ana).get(f"/threads/{thread.pk}/"))
    classes = re.findall(r'<article\s+id="message-\d+"\s+class="([^"]*)"', page)
    assert classes == ["message inbound joined", "message inbound follows", "message inbound"]
    assert page.count('<h2 class="day"') == 1


@pytest.mark.django_db
def test_each_page_of_the_history_has_the_lines_of_its_messages(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE_SIZE", 3)
    thread = cast.thread()
    Activity.objects.filter(pk=do(thread, Activity.Kind.WAITING, None).pk).update(after_id=0)
    do(thread, Activity.Kind.DONE, cast.ana)
    for index in range(6):
        cast.text_in(f"Text {index}")
        do(thread, Activity.Kind.DONE, cast.ana)
    client, path = client_of(cast.ana), f"/threads/{thread.pk}/"
    pages = [shown_order(client, path, **HTMX)]
    while before := re.search(r'href="[^"]*\?before=(\d+)"', read_page(client.get(path))):
        path = f"/threads/{thread.pk}/?before={before[1]}"
        pages.insert(0, shown_order(client, path, **HTMX))
    keys = list(Message.objects.order_by("pk").values_list("pk", flat=True))
    both = [[f"message-{key}", f"activity-{thread.pk}-{key}"] for key in keys]
    whole = [f"activity-{thread.pk}-0", *(one for pair in both for one in pair)]
    assert [one for page in pages for one in page] == whole
    assert [len(page) for page in pages] == [3, 6, 6]


@pytest.mark.django_db
def test_a_long_group_shows_its_newest_lines_and_all_on_request(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "LINES_SHOWN", 3)
    thread = cast.thread()
    toggle_priority(thread, cast.ben, 5)
    client = client_of(cast.ana)
    page = read_page(client.get(f"/threads/{thread.pk}/"))
    lines = re.findall(r'id="activity-line-(\d+)"', page)
    every = [str(key) for key in Activity.objects.order_by("pk").values_list("pk", flat=True)]
    assert lines == every[-3:]
    assert "5 changes" in page
    url = f"/activity/{every[-1]}/"
    assert f'hx-get="{url}"' in page
    for headers in (HTMX, {}):
        whole = read_page(client.get(url, headers=headers))
        assert re.findall(r'id="activity-line-(\d+)"', whole) == every
        assert "Show all" not in whole
    oldest = read_page(client.get(f"/threads/{thread.pk}/?line={every[0]}"))
    assert re.findall(r'id="activity-line-(\d+)"', oldest) == every


@pytest.mark.django_db
def test_a_conversation_opened_at_a_line_shows_it_unfolded(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE_SIZE", 3)
    thread = cast.thread()
    line = do(thread, Activity.Kind.DONE, cast.ana)
    for index in range(9):
        cast.text_in(f"Text {index}")
    do(thread, Activity.Kind.DONE, cast.ana)
    page = read_page(client_of(cast.ana).get(f"/threads/{thread.pk}/?line={line.pk}"))
    assert f'id="activity-line-{line.pk}"' in page
    assert re.sub(r"\s+", " ", page).count('<details class="activity-fold" open>') == 1
    missing = client_of(cast.ana).get(f"/threads/{thread.pk}/?line={2**40}")
    assert missing.status_code == 200


@pytest.mark.django_db
def test_lines_are_no_messages(cast: Cast) -> None:
    """They are not counted, not unread, notify nobody, and are no preview."""
    thread = cast.thread()
    for client in (client_of(cast.ben), client_of(cast.cho)):
        client.get(f"/threads/{thread.pk}/")
    before = Thread.objects.values().get(pk=thread.pk)
    told = Notification.objects.count()
    do(thread, Activity.Kind.DONE, cast.ana)
    assert Thread.objects.values().get(pk=thread.pk) == before
    assert Notification.objects.count() == told
    page = read_page(client_of(cast.cho).get(f"/inboxes/{cast.front_desk.pk}/"))
    (row,) = [e for e in parse_elements(page) if e.id == f"thread-{thread.pk}"]
    assert "unread" not in row.marks
    assert "done" not in row.words


@pytest.mark.django_db
def test_lines_of_a_personal_line_are_its_owners(cast: Cast) -> None:
    thread = cast.thread(to=ANAS_LINE)
    line = do(thread, Activity.Kind.DONE, cast.ana)
    for path in (f"/threads/{thread.pk}/", f"/activity/{line.pk}/"):
        assert client_of(cast.ana).get(path).status_code == 200
        assert client_of(cast.ben).get(path).status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_open_pages_get_new_lines_each_in_their_own_words(cast: Cast) -> None:
    thread = await in_database(cast.thread)()
    pages = [await in_database(new_tab)(agent) for agent in (cast.ana, cast.ben)]
    for page in pages:
        await page.open(f"/threads/{thread.pk}/")
    key = f"activity-{thread.pk}-{thread.last_message_id}"
    ben = activity.about_agent(cast.ben)
    await in_database(do)(thread, Activity.Kind.DONE, cast.ben)
    await in_database(do)(thread, Activity.Kind.ASSIGNED, cast.ana, **ben)
    await in_database(set_priority)(thread=thread, priority="high", by=cast.ana)
    for page in pages:
        await page.receive_until_idle()
    ana, ben_reads = (page.placed[key].words for page in pages)
    assert ana.startswith("3 changes · You set the priority to High")
    assert ben_reads.startswith("3 changes · Ana set the priority to High")
    assert "Ben marked this as done" in ana
    assert "Ana assigned this to you" in ben_reads
    for page in pages:
        await page.disconnect()


@pytest.mark.django_db
def test_a_late_text_stands_below_what_was_done_when_it_belongs(cast: Cast) -> None:
    first = cast.text_in("On time")
    do(first.thread, Activity.Kind.DONE, cast.ana)
    late = cast.text_in("Found afterwards")
    Message.objects.filter(pk=late.pk).update(
        after_id=first.pk, carrier_sent_at=datetime.now(UTC) - timedelta(minutes=1)
    )
    shown = shown_order(client_of(cast.ana), f"/threads/{first.thread_id}/")
    line = f"activity-{first.thread_id}-{first.pk}"
    assert shown == [f"message-{first.pk}", line, f"message-{late.pk}"]


@pytest.mark.django_db
def test_of_an_endless_group_no_more_is_read_than_shown(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "LINES_SHOWN", 2)
    monkeypatch.setattr(groups, "MOST_LINES", 5)
    thread = cast.thread()
    toggle_priority(thread, cast.ben, 9)
    cast.text_in("And another")
    do(thread, Activity.Kind.DONE, cast.ben)
    first, _ = Message.objects.order_by("pk").values_list("pk", flat=True)
    long, short = groups.read_groups_between(thread, 0)
    assert [len(long.activities), long.count_words] == [2, "5+"]
    assert [len(short.activities), short.count_words] == [1, "1"]
    before_last = groups.read_groups_between(thread, first, short.after_id)
    assert [group.after_id for group in before_last] == [first]
    assert "5+ changes" in read_page(client_of(cast.ana).get(f"/threads/{thread.pk}/"))
    assert max(rows_scanned(thread)) <= 6


def rows_scanned(thread: Thread) -> list[float]:
    """Return how many lines each step reads for the thread's groups."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) " + groups._READ.format(places=groups._BETWEEN),
            {"thread": thread.pk, "first": 0, "before": 2**62, "most": 2, "most_counted": 6},
        )
        plan = json.dumps(cursor.fetchone()[0])
    scans = re.findall(r'"Relation Name": "threads_activity".*?"Actual Rows": ([\d.]+)', plan)
    assert scans
    return [float(count) for count in scans]
