"""Whoever leaves an inbox keeps none of its threads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes import counters
from inboxes.actions import add_member, deactivate_agent, reactivate_agent, remove_member
from messaging.stream.jobs import UNASSIGN
from messaging.tasks import unassign_threads
from messaging.work import leaving
from tests.cast import ANAS_LINE, DISPATCH, Cast, client_of
from tests.databases import sessions_waiting_for_locks
from tests.markup import read_words
from tests.messaging.work.test_deeds import activity_of, assign
from threads.assignment import NotAMember
from threads.models import Activity, Thread

pytestmark = pytest.mark.django_db


def assigned(*, to: str) -> int:
    return Thread.objects.filter(assignee__username=to).count()


def waiting_jobs() -> list[dict[str, Any]]:
    jobs = ProcrastinateJob.objects.filter(task_name=UNASSIGN)
    return list(jobs.values_list("args", flat=True))


def test_a_member_who_is_removed_keeps_nothing_in_that_inbox(cast: Cast) -> None:
    thread, elsewhere = cast.thread(), cast.thread(to=DISPATCH)
    for one in (thread, elsewhere):
        assign(one, cast.ben, by=cast.ana)
    remove_member(inbox=cast.front_desk, agent=cast.ben, changed_by=cast.admin)
    assert Thread.objects.get(assignee=cast.ben) == elsewhere
    assert activity_of(thread) == [("ana", "assigned"), ("", "unassigned")]
    details = Activity.objects.latest("pk").details
    assert details == {"agent": cast.ben.pk, "name": "Ben Okafor", "has_left": True}
    assert waiting_jobs() == []


def test_removing_a_member_in_the_administration_unassigns(cast: Cast, admin_client: Any) -> None:
    thread = cast.thread()
    assign(thread, cast.cho, by=cast.ana)
    memberships = list(cast.front_desk.memberships.order_by("pk"))
    form: dict[str, object] = {
        "name": "Front Desk",
        "memberships-TOTAL_FORMS": len(memberships),
        "memberships-INITIAL_FORMS": len(memberships),
        "labels-TOTAL_FORMS": "0",
        "labels-INITIAL_FORMS": "0",
    }
    for index, membership in enumerate(memberships):
        form |= {
            f"memberships-{index}-id": membership.pk,
            f"memberships-{index}-inbox": cast.front_desk.pk,
            f"memberships-{index}-agent": membership.agent_id,
        }
        if membership.agent == cast.cho:
            form[f"memberships-{index}-DELETE"] = "on"
    path = f"/admin/inboxes/inbox/{cast.front_desk.pk}/change/"
    assert admin_client.post(path, form).status_code == 302
    assert not cast.front_desk.memberships.filter(agent=cast.cho).exists()
    assert assigned(to="cho") == 0


def test_thousands_go_by_a_job_in_batches(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "BATCH", 2)
    for index in range(5):
        assign(cast.thread(sender=f"+1202555020{index}"), cast.ben, by=cast.ana)
    remove_member(inbox=cast.front_desk, agent=cast.ben, changed_by=cast.admin)
    assert assigned(to="ben") == 3
    [args] = waiting_jobs()
    unassign_threads(**args)
    assert assigned(to="ben") == 0
    assert Activity.objects.filter(kind="unassigned").count() == 5


def test_somebody_deactivated_keeps_nothing_anywhere_and_is_told_so_before(
    cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    for thread in (cast.thread(), cast.thread(to=DISPATCH), cast.thread(to=ANAS_LINE)):
        assign(thread, cast.ana, by=cast.ana)
    page = client_of(cast.admin).get(f"/admin/inboxes/agent/{cast.ana.pk}/deactivate/")
    words = " ".join(read_words(page).split())
    assert "3 conversations assigned to them become nobody's." in words
    with django_capture_on_commit_callbacks(execute=True):
        deactivate_agent(agent=cast.ana, changed_by=cast.admin)
    assert assigned(to="ana") == 0
    [args] = waiting_jobs()
    unassign_threads(**args)
    assert Activity.objects.filter(kind="unassigned").count() == 3


def test_whoever_comes_back_meanwhile_keeps_what_is_theirs_by_then(cast: Cast) -> None:
    thread = cast.thread()
    deactivate_agent(agent=cast.ben, changed_by=cast.admin)
    [args] = waiting_jobs()
    reactivate_agent(agent=cast.ben)
    assign(thread, cast.ben, by=cast.ana)
    unassign_threads(**args)
    assert assigned(to="ben") == 1
    remove_member(inbox=cast.front_desk, agent=cast.ben, changed_by=cast.admin)
    add_member(inbox=cast.front_desk, agent=cast.ben, changed_by=cast.admin)
    assert assigned(to="ben") == 0


def test_an_assignment_and_a_removal_at_once_leave_nothing_to_somebody_outside(
    transactional_db: None, cast: Cast
) -> None:
    """Whichever has the counter first: the other one waits for it."""
    threads = [cast.thread(sender=f"+1202555020{index}") for index in range(2)]

    def assign_to_cho() -> bool:
        try:
            return bool(assign(threads[1], cast.cho, by=cast.ana))
        except NotAMember:
            return False
        finally:
            connections.close_all()

    def remove() -> None:
        remove_member(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
        connections.close_all()

    for is_removed_first in (False, True):
        add_member(inbox=cast.front_desk, agent=cast.cho, changed_by=cast.admin)
        with ThreadPoolExecutor(2) as pool:
            with transaction.atomic():
                counters.next_inbox_seq(cast.front_desk.pk)
                running = [pool.submit(remove if is_removed_first else assign_to_cho)]
                wait_for_sessions(1)
                running.append(pool.submit(assign_to_cho if is_removed_first else remove))
                wait_for_sessions(2)
            results = [one.result(10) for one in running]
        assert results == ([None, False] if is_removed_first else [True, None])
        assert assigned(to="cho") == 0
    assert not cast.front_desk.memberships.filter(agent=cast.cho).exists()


def wait_for_sessions(count: int) -> None:
    """Wait until so many others want a lock that this transaction holds."""
    for _ in range(2_000):
        if sessions_waiting_for_locks() >= count:
            return
        time.sleep(0.002)
    pytest.fail(f"Fewer than {count} wait, in {connection.settings_dict['NAME']}.")
