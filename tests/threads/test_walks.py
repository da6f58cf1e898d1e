"""The walks behind the views: each follows the index that fits it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from tests.cast import FRONT_DESK, Cast, create_cast
from tests.databases import rolled_back
from threads.filters import ThreadFilter
from threads.models import Contact, Label, Thread, ThreadLabel
from threads.walks import compose_walk

pytestmark = pytest.mark.django_db

INDEXES = {
    "": "thread_all_list",
    "unread": "thread_all_list",
    "open": "thread_open_list",
    "mine": "thread_assignee_list",
    "unassigned": "thread_assignee_list",
    "reply": "thread_wanting_list",
    "failed": "thread_failed_list",
    "scheduled": "thread_scheduled_list",
    "snoozed": "thread_snoozed_list",
    "done": "thread_done_list",
    "urgent": "thread_priority_list",
    "label": "label_thread_list",
    "mine urgent": "thread_assignee_list",
    "mine done": "thread_done_list",
    "done snoozed": "thread_all_list",
    "blocked": "thread_blocked_list",
    "blocked mine": "thread_blocked_list",
}


@pytest.fixture(scope="module")
def busy_inbox(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """Fill Front Desk with threads, few of which belong to any view."""
    with rolled_back(django_db_blocker):
        cast = create_cast()
        contacts = Contact.objects.bulk_create(
            Contact(inbox=cast.front_desk, address=f"+1202556{at:04}", kind="phone")
            for at in range(2_000)
        )
        threads = Thread.objects.bulk_create(
            _make_thread(cast, contact, at) for at, contact in enumerate(contacts)
        )
        label = Label.objects.create(inbox=cast.front_desk, name="Repair")
        ThreadLabel.objects.bulk_create(
            ThreadLabel(label=label, thread=thread, last_at=thread.last_at)
            for thread in threads[::40]
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE threads_thread, threads_threadlabel, threads_threadstate")
        yield cast


def _make_thread(cast: Cast, contact: Contact, at: int) -> Thread:
    kind = at % 40
    now = timezone.now()
    status = {1: "snoozed", 2: "done", 39: "blocked"}.get(kind, "open" if kind < 20 else "done")
    return Thread(
        inbox=cast.front_desk,
        contact=contact,
        our_address=FRONT_DESK,
        seq=1,
        last_at=now - timedelta(minutes=at),
        status=status,
        snoozed_until=now if status == "snoozed" else None,
        snoozed_by=cast.ana if status == "snoozed" else None,
        assignee=cast.ana if kind == 3 else cast.ben if kind < 19 else None,
        needs_reply=kind in {4, 12},
        failed_count=int(kind == 5),
        scheduled_count=int(kind == 6),
        priority={7: "urgent", 8: "low"}.get(kind, ""),
    )


def plan_of(agent_id: int, inbox_ids: list[int], wanted: ThreadFilter) -> str:
    """Return the plan of a walk; a few rows would be sorted, many never are."""
    statement, details = compose_walk(agent_id, inbox_ids, wanted, count=31)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {statement}", details)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("names", INDEXES)
def test_each_view_walks_its_own_index(busy_inbox: Cast, names: str) -> None:
    cast, words = busy_inbox, names.split()
    labels = [label.pk for label in Label.objects.all() if "label" in words]
    wanted = ThreadFilter.of([one for one in words if one != "label"], labels)
    for inbox_ids in ([cast.front_desk.pk], [cast.front_desk.pk, cast.dispatch.pk]):
        plan = plan_of(cast.ana.pk, inbox_ids, wanted)
        scan = rf" *->  Index (?:Only )?Scan using {INDEXES[names]} "
        numbering = r"(?: *->  WindowAgg .*\n *Window: .*\n)?"
        assert re.search(rf"Limit .*\n{numbering}(?: *->  Nested Loop .*\n)?{scan}", plan), plan
        assert "Seq Scan on threads_" not in plan


def test_blocked_and_others_together_take_the_newest_of_both_indexes(busy_inbox: Cast) -> None:
    wanted = ThreadFilter.of(["blocked", "done"])
    plan = plan_of(busy_inbox.ana.pk, [busy_inbox.front_desk.pk], wanted)
    for index in ("thread_all_list", "thread_blocked_list"):
        assert re.search(rf"Limit .*\n *->  Index Scan using {index} ", plan), plan
    assert "Seq Scan on threads_" not in plan
