"""The counts beside *Needs reply*, *Mine* and *Failed*."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inboxes.models import Inbox
from messaging.stream.hiding import delete_thread
from messaging.work.deeds import assign_threads
from tests.cast import DISPATCH, Cast, client_of
from tests.markup import read_page
from threads import view_counts
from threads.models import Thread
from threads.view_counts import ViewCounts, cap_count, count_views

pytestmark = pytest.mark.django_db


def make_threads(cast: Cast, count: int) -> list[Thread]:
    return [cast.thread(sender=f"+1202555{2000 + index}") for index in range(count)]


def take(cast: Cast, *threads: Thread) -> None:
    """Assign threads to ana."""
    assign_threads(
        inbox_id=threads[0].inbox_id,
        thread_ids=[thread.pk for thread in threads],
        assignee=cast.ana,
        by=cast.ben,
    )


def delete(cast: Cast, thread: Thread) -> None:
    delete_thread(thread=thread, agent=cast.ana, message_id=thread.last_message_id or 0)


def test_each_agent_has_counts_without_what_they_deleted(cast: Cast) -> None:
    first, second, third = make_threads(cast, 3)
    take(cast, first, second)
    delete(cast, second)
    delete(cast, third)
    counted = count_views([cast.ana.pk, cast.ben.pk], [cast.front_desk])
    assert counted == {
        (cast.ana.pk, cast.front_desk.pk): ViewCounts(reply=1, mine=1),
        (cast.ben.pk, cast.front_desk.pk): ViewCounts(reply=3, mine=0),
    }


def test_the_page_sums_over_all_inboxes(cast: Cast) -> None:
    cast.thread()
    cast.thread(to=DISPATCH)
    assert 'data-count="reply">2<' in read_page(client_of(cast.ana).get("/?only=all"))
    assert 'data-count="reply">1<' in read_page(client_of(cast.cho).get("/?only=all"))


def test_what_was_deleted_is_subtracted_before_the_cap(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_counts, "CAP", 3)
    monkeypatch.setattr(view_counts, "DELETED_OF_MANY", 0)
    threads = make_threads(cast, 5)
    take(cast, *threads)
    key = (cast.ana.pk, cast.front_desk.pk)
    for expected in (3, 3, 3, 2):
        counted = count_views([cast.ana.pk], [cast.front_desk])
        assert counted[key] == ViewCounts(expected, expected)
        delete(cast, threads.pop())


def test_many_are_not_counted_to_the_end() -> None:
    assert [cap_count(number) for number in (0, 7, 999, 1000, 4000)] == [
        "",
        "7",
        "999",
        "999+",
        "999+",
    ]


def test_all_agents_are_counted_in_one_query(cast: Cast) -> None:
    take(cast, *make_threads(cast, 2))
    with CaptureQueriesContext(connection) as captured:
        count_views([cast.ana.pk, cast.ben.pk, cast.cho.pk], Inbox.objects.shared())
    assert len(captured) == 2  # the inboxes, and the counts


def test_of_thousands_that_one_agent_deleted_no_end_is_looked_for(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_counts, "CAP", 1)
    monkeypatch.setattr(view_counts, "DELETED_OF_MANY", 0)
    threads = make_threads(cast, 9)
    for thread in threads[1:]:
        delete(cast, thread)
    with CaptureQueriesContext(connection) as captured:
        counted = count_views([cast.ana.pk, cast.ben.pk], [cast.front_desk])
    assert len(captured) == 4
    assert [counted[one.pk, cast.front_desk.pk].reply for one in (cast.ana, cast.ben)] == [0, 1]
