"""Thousands of conversations are done by a job, batch by batch, and taken back as one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inboxes.actions import remove_member
from inboxes.models import Agent, Inbox
from messaging.models import BulkAction, BulkItem
from messaging.stream import jobs
from messaging.tasks import wake_forgotten_actions
from messaging.work import bulk, bulk_deeds, bulk_words, deeds, whole_views
from messaging.work.bulk_deeds import Batch, Deed, Outcome
from messaging.work.whole_views import WholeView
from tests.cast import ANAS_LINE, DISPATCH, Cast
from tests.messaging.stepped_worker import due_jobs, run_jobs
from threads import view_counts, walks
from threads.filters import ThreadFilter
from threads.models import Activity, Thread, ThreadState

MANY = 10_000

# Contacts and threads with one inbound message each, as if they had come in one after the other.
_CONTACTS = """
INSERT INTO threads_contact (inbox_id, address, raw_address, kind, name, note, created_at)
SELECT %(inbox)s, '+1303' || 1000000 + n, '', 'phone', '', '', now()
FROM generate_series(1, %(count)s) AS n RETURNING id
"""
_THREADS = """
INSERT INTO threads_thread (inbox_id, contact_id, our_address, priority, seq, created_at,
    last_kind, last_excerpt, last_at, needs_reply, message_count)
SELECT inbox_id, id, '+12025550110', '', 1, now(), 'inbound', 'Hi', now(), true, 1
FROM threads_contact WHERE inbox_id = %(inbox)s
"""
_MESSAGES = """
WITH written AS (
    INSERT INTO messaging_message (thread_id, inbox_id, kind, body, created_at, seq, position,
        state, reason, tries, carrier_message_id)
    SELECT id, inbox_id, 'inbound', 'Hi', now(), 1, 1, '', '', 0, 'SM' || id
    FROM threads_thread WHERE inbox_id = %(inbox)s RETURNING id, thread_id)
UPDATE threads_thread SET last_message_id = written.id, last_text_id = written.id
FROM written WHERE threads_thread.id = written.thread_id
"""


def write_threads(cast: Cast, count: int) -> dict[int, int]:
    """Write threads of Front Desk; return what a page says that shows them all."""
    with connection.cursor() as cursor:
        for statement in (_CONTACTS, _THREADS, _MESSAGES):
            cursor.execute(statement, {"inbox": cast.front_desk.pk, "count": count})
    return {one.pk: one.last_message_id or 0 for one in Thread.objects.all()}


def count_of(status: str) -> int:
    return Thread.objects.filter(status=status).count()


@pytest.mark.django_db(transaction=True)
def test_ten_thousand_are_done_by_a_job_and_undone_as_one(cast: Cast) -> None:
    shown = write_threads(cast, MANY)
    action = bulk.begin(agent=cast.ana, deed=Deed.DONE, shown=shown, details={})
    assert bulk_words.describe(action) == "Marking 10,000 as done… 0"
    assert count_of("open") == MANY
    run_jobs()
    action.refresh_from_db()
    assert bulk_words.describe(action) == "10,000 conversations marked done"
    assert count_of("done") == MANY
    assert Activity.objects.filter(kind="done").count() == MANY
    action = bulk.undo(action=action)
    assert bulk_words.describe(action) == "Undoing 10,000… 0"
    run_jobs()
    action.refresh_from_db()
    assert bulk_words.describe(action) == "Undone"
    assert count_of("open") == MANY
    assert not BulkItem.objects.exists()


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a job do what a request would otherwise do, two threads at a time."""
    monkeypatch.setattr(bulk, "AT_ONCE", 0)
    monkeypatch.setattr(bulk, "BATCH", 2)


def begin_with_some(cast: Cast, count: int = 7) -> BulkAction:
    shown = write_threads(cast, count)
    return bulk.begin(agent=cast.ana, deed=Deed.DONE, shown=shown, details={})


def assert_each_done_once(count: int) -> None:
    assert count_of("done") == count
    lines = Activity.objects.filter(kind="done").values_list("thread", flat=True)
    assert len(lines) == len(set(lines)) == count


def test_a_job_that_was_killed_goes_on_where_it_was(
    cast: Cast, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = begin_with_some(cast)
    batches = 0

    def die_in_the_third(batch: Batch) -> Outcome:
        nonlocal batches
        batches += 1
        outcome = carry_out(batch)
        if batches == 3:
            raise KeyboardInterrupt  # nothing of this batch is committed
        return outcome

    carry_out = bulk_deeds.carry_out
    monkeypatch.setattr(bulk_deeds, "carry_out", die_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        bulk.go_on(action.pk)
    action.refresh_from_db()
    assert (count_of("done"), action.done_count, action.state) == (4, 4, "running")
    assert bulk_words.describe(action) == "Marking 7 as done… 4"
    assert bulk.go_on(action.pk)
    assert_each_done_once(7)
    assert bulk.go_on(action.pk)
    assert_each_done_once(7)


def test_a_long_job_lets_others_go_first(cast: Cast, small_batches: None) -> None:
    action = begin_with_some(cast, 5)
    rounds = 0
    while not bulk.go_on(action.pk, seconds=-1):
        rounds += 1
    assert rounds == 3
    assert_each_done_once(5)


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_no_conversation_twice(cast: Cast, small_batches: None) -> None:
    action = begin_with_some(cast, 40)

    def work() -> None:
        bulk.go_on(action.pk)
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        for run in [pool.submit(work), pool.submit(work)]:
            run.result()
    assert_each_done_once(40)
    action.refresh_from_db()
    assert (action.done_count, action.details["changed"]) == (40, 40)


def test_undo_stops_what_still_goes_on(cast: Cast, small_batches: None) -> None:
    action = begin_with_some(cast)
    bulk.go_on(action.pk, seconds=-1)
    action = bulk.undo(action=action)
    assert (action.total, count_of("done")) == (2, 2)
    bulk.go_on(action.pk)
    assert count_of("open") == 7
    action.refresh_from_db()
    assert action.state == "undone"


def test_an_undo_that_was_killed_goes_on_too(cast: Cast, small_batches: None) -> None:
    action = begin_with_some(cast)
    bulk.go_on(action.pk)
    bulk.undo(action=action)
    assert not bulk.go_on(action.pk, seconds=-1)
    assert count_of("open") == 2
    assert bulk.go_on(action.pk)
    assert count_of("open") == 7
    action.refresh_from_db()
    assert bulk_words.describe(action) == "Undone"


def test_an_action_whose_job_is_gone_is_woken(cast: Cast, small_batches: None) -> None:
    action = begin_with_some(cast)
    assert len(due_jobs()) == 1
    BulkAction.objects.update(created_at=timezone.now() - bulk.FORGOTTEN_AFTER * 2)
    wake_forgotten_actions(timestamp=0)
    assert len(due_jobs()) == 1
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    wake_forgotten_actions(timestamp=0)
    (job,) = due_jobs()
    assert (job.task_name, job.args) == (jobs.GO_ON_WITH_MANY, {"action_id": action.pk})


def test_an_undo_that_has_just_begun_is_not_woken(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = [cast.thread(sender=f"+1202555100{index}") for index in range(2)]
    shown = dict.fromkeys([thread.pk for thread in threads], 2**40)
    action = bulk.begin(agent=cast.ana, deed=Deed.DONE, shown=shown, details={})
    BulkAction.objects.update(created_at=timezone.now() - bulk.FORGOTTEN_AFTER * 2)
    action.refresh_from_db()
    monkeypatch.setattr(bulk, "go_on", lambda *_: None)  # the request is at it
    bulk.undo(action=action)
    wake_forgotten_actions(timestamp=0)
    assert due_jobs() == []
    BulkAction.objects.update(undone_at=timezone.now() - bulk.FORGOTTEN_AFTER * 2)
    wake_forgotten_actions(timestamp=0)
    assert len(due_jobs()) == 1


def test_actions_are_forgotten_after_some_days_with_what_they_changed(cast: Cast) -> None:
    old = begin_with_some(cast)
    new = bulk.begin(agent=cast.ana, deed=Deed.REOPEN, shown=dict.fromkeys([1], 1), details={})
    BulkAction.objects.filter(pk=old.pk).update(created_at=timezone.now() - bulk.KEEP_FOR)
    old.refresh_from_db()
    with pytest.raises(bulk.CannotUndo):
        bulk.undo(action=old)
    assert BulkItem.objects.exists()
    assert bulk.delete_old_actions() == 1
    assert BulkAction.objects.get() == new
    assert not BulkItem.objects.exists()


def view_seen_by(agent: Agent, inbox: Inbox | None, query: str = "") -> WholeView:
    return WholeView.seen_now(agent, inbox, ThreadFilter.from_query(query))


def begin_with(cast: Cast, view: WholeView, deed: Deed = Deed.DONE) -> BulkAction:
    action = bulk.begin_with_view(agent=cast.ana, deed=deed, view=view, details={})
    bulk.go_on(action.pk)
    action.refresh_from_db()
    return action


def test_all_of_a_view_are_done_but_nothing_that_came_later(cast: Cast) -> None:
    first, second = cast.thread(), cast.thread(sender="+12025550101")
    elsewhere = cast.thread(to=DISPATCH)
    deeds.assign_threads(
        inbox_id=cast.front_desk.pk, thread_ids=[first.pk, second.pk], assignee=cast.ana, by=None
    )
    cast.thread(sender="+12025550102")  # nobody's
    view = view_seen_by(cast.ana, cast.front_desk, "only=mine")
    assert view.count(cast.ana) == (2, False)
    cast.text_in("Wait!", sender=second.contact.address)
    late = cast.thread(sender="+12025550103")
    for thread in (late, elsewhere):
        deeds.assign_threads(
            inbox_id=thread.inbox_id, thread_ids=[thread.pk], assignee=cast.ana, by=None
        )
    action = begin_with(cast, view)
    assert set(Thread.objects.filter(status="done")) == {first}
    assert (action.total, action.done_count) == (1, 1)


def test_a_view_over_all_inboxes_is_theirs_whom_it_is_shown(cast: Cast) -> None:
    here, there, own = cast.thread(), cast.thread(to=DISPATCH), cast.thread(to=ANAS_LINE)
    everything = view_seen_by(cast.ana, None, "only=open")
    assert everything.count(cast.ana) == (3, False)
    assert everything.count(cast.cho) == (1, False)
    assert view_seen_by(cast.ana, None).count(cast.ana) == (
        1,
        False,
    )  # what the list of inboxes shows
    remove_member(inbox=cast.dispatch, agent=cast.ana, changed_by=cast.admin)
    begin_with(cast, WholeView.from_json(everything.to_json()))
    assert set(Thread.objects.filter(status="done")) == {here, own}
    assert set(Thread.objects.filter(status="open")) == {there}


def test_what_i_deleted_is_in_no_view_and_an_unread_one_knows_what_i_read(cast: Cast) -> None:
    deleted, read, unread = (cast.thread(sender=f"+1202555010{n}") for n in range(3))
    newest = {one.pk: one.last_message_id or 0 for one in Thread.objects.all()}
    for deed, thread in ((Deed.DELETE, deleted), (Deed.READ, read)):
        shown = {thread.pk: newest[thread.pk]}
        bulk.begin(agent=cast.ana, deed=deed, shown=shown, details={})
    assert view_seen_by(cast.ana, cast.front_desk).count(cast.ana) == (2, False)
    begin_with(cast, view_seen_by(cast.ana, cast.front_desk, "only=unread"), Deed.READ)
    states = ThreadState.objects.filter(agent=cast.ana, last_read_id__gt=0)
    assert {one.thread for one in states} == {read, unread}


def test_of_a_long_view_only_some_are_counted_and_all_are_done(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_views, "CAP", 2)
    monkeypatch.setattr(view_counts, "CAP", 2)
    for at in range(3):
        cast.thread(sender=f"+1202555010{at}")
    view = view_seen_by(cast.ana, cast.front_desk, "only=open")
    assert view.count(cast.ana) == (2, True)
    assert view.count(cast.ana).words == "1+"
    with CaptureQueriesContext(connection) as captured:
        action = bulk.begin_with_view(agent=cast.ana, deed=Deed.DONE, view=view, details={})
    assert "count(*)" not in " ".join(query["sql"].lower() for query in captured)
    assert bulk_words.describe(action) == "Marking all in this view as done…"
    bulk.go_on(action.pk)
    assert Thread.objects.filter(status="done").count() == 3


def test_a_view_with_few_in_its_window_may_have_more(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WINDOW", "FIRST_WINDOW", "SMALLEST_WINDOW"):
        monkeypatch.setattr(walks, name, 2)
    for at in range(3):
        cast.thread(sender=f"+1202555010{at}")
    sizes = [
        view_seen_by(cast.ana, cast.front_desk, query).count(cast.ana)
        for query in ("only=unread", "only=unread&only=urgent", "only=open")
    ]
    assert [size.words for size in sizes] == ["2+", "0", "2+"]
