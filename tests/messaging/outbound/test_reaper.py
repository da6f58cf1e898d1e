"""Restart jobs that a dead worker left behind, and find threads without a job."""

from __future__ import annotations

import itertools
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from typing import cast as typed

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from messaging import tasks
from messaging.models import Attempt, Message
from messaging.outbound import delivery
from tests.cast import Cast
from tests.messaging.stepped_worker import attempt_states, message_states


def run_sql(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() if cursor.description else None


def make_worker(heartbeat: timedelta = timedelta(0)) -> int:
    """Insert a worker whose last heartbeat was so long ago; return its key."""
    [key] = run_sql(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s) RETURNING id",
        heartbeat,
    )
    return int(key)


def fetch_job(worker_id: int) -> int:
    """Let the worker take the next job; return its key."""
    [key] = run_sql("SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", worker_id)
    return int(key)


def reap_jobs(worker_id: int | None = None) -> None:
    job = SimpleNamespace(id=0, worker_id=worker_id)
    tasks.reap_stalled_jobs.func(typed("JobContext", SimpleNamespace(job=job)), timestamp=0)


def job_rows() -> list[tuple[str, str | None]]:
    rows = ProcrastinateJob.objects.order_by("pk").values_list("status", "lock")
    return [(status, lock) for status, lock in rows]


def make_older(message: Message, by: timedelta = timedelta(minutes=2)) -> None:
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - by)
    Attempt.objects.filter(message=message).update(started_at=timezone.now() - by)


DEAD = timedelta(seconds=20)


def test_the_job_of_a_dead_worker_gets_a_successor_and_the_open_attempt_is_unknown(
    cast: Cast,
) -> None:
    message = cast.answer(cast.thread(), "Hello")
    left = fetch_job(make_worker(DEAD))
    assert delivery._claim_next_attempt(message.thread) is not None
    reap_jobs()
    assert job_rows() == [("todo", f"thread-{message.thread_id}")]
    assert not ProcrastinateJob.objects.filter(pk=left).exists()
    delivery.deliver_thread(message.thread_id)
    assert (message_states(message), attempt_states(message)) == (["unknown"], ["unknown"])


def test_the_job_of_a_worker_without_a_row_gets_a_successor(cast: Cast) -> None:
    cast.answer(cast.thread(), "Hello")
    gone = make_worker()
    fetch_job(gone)
    run_sql("DELETE FROM procrastinate_workers WHERE id = %s", gone)
    reap_jobs()
    assert [status for status, _ in job_rows()] == ["todo"]


@pytest.mark.parametrize("is_own", [False, True])
def test_the_job_of_a_living_worker_is_left_alone(cast: Cast, is_own: bool) -> None:
    cast.answer(cast.thread(), "Hello")
    alive = make_worker(DEAD if is_own else timedelta(seconds=5))
    fetch_job(alive)
    reap_jobs(alive if is_own else None)
    assert [status for status, _ in job_rows()] == ["doing"]


def test_a_worker_that_wakes_up_late_cannot_end_the_job_of_its_successor(cast: Cast) -> None:
    cast.answer(cast.thread(), "Hello")
    left = fetch_job(make_worker(DEAD))
    reap_jobs()
    successor = fetch_job(make_worker())
    assert successor != left
    with pytest.raises(DatabaseError, match="Job was not found"), transaction.atomic():
        run_sql("SELECT procrastinate_finish_job_v1(%s, 'succeeded', true)", left)
    assert [status for status, _ in job_rows()] == ["doing"]


def test_a_delivery_whose_end_was_not_recorded_starts_over(cast: Cast) -> None:
    cast.answer(cast.thread(), "Hello")
    alive = make_worker()
    fetch_job(alive)
    reap_jobs()
    assert [status for status, _ in job_rows()] == ["doing"]
    run_sql("UPDATE procrastinate_events SET at = now() - interval '4 minutes'")
    reap_jobs(alive)
    assert [status for status, _ in job_rows()] == ["todo"]


def test_a_dead_workers_periodic_job_is_dropped(db: None) -> None:
    for _ in range(2):
        tasks.reap_stalled_jobs.configure().defer(timestamp=0)
        fetch_job(make_worker(DEAD))
    tasks.reap_stalled_jobs.configure().defer(timestamp=0)
    reap_jobs()
    assert [status for status, _ in job_rows()] == ["todo"]


def test_any_other_job_of_a_dead_worker_keeps_its_arguments(cast: Cast) -> None:
    tasks.wake_thread.configure().defer(thread_id=7)
    fetch_job(make_worker(DEAD))
    reap_jobs()
    job = ProcrastinateJob.objects.get()
    assert (job.status, job.task_name, job.args) == ("todo", "wake_thread", {"thread_id": 7})


def test_a_text_whose_job_failed_for_good_is_woken_once(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Hello")
    [job] = run_sql(
        "SELECT procrastinate_finish_job_v1(%s, 'failed', false)::text", fetch_job(make_worker())
    )
    assert job == ""
    reap_jobs()
    assert [status for status, _ in job_rows()] == ["failed"]
    make_older(message)
    for _ in range(3):
        reap_jobs()
    assert job_rows() == [
        ("failed", f"thread-{message.thread_id}"),
        ("todo", f"thread-{message.thread_id}"),
    ]


def test_an_open_attempt_without_a_job_is_found_and_set_to_unknown(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Hello")
    assert delivery._claim_next_attempt(message.thread) is not None
    run_sql("DELETE FROM procrastinate_jobs")
    reap_jobs()
    assert job_rows() == []
    make_older(message)
    reap_jobs()
    assert len(job_rows()) == 1
    delivery.deliver_thread(message.thread_id)
    assert message_states(message) == ["unknown"]


def test_a_thread_with_a_job_gets_no_second_one(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Hello")
    make_older(message)
    reap_jobs()
    assert len(job_rows()) == 1
    alive = make_worker()
    fetch_job(alive)
    reap_jobs(alive)
    assert [status for status, _ in job_rows()] == ["doing"]


def test_a_text_that_waits_for_its_next_try_is_not_woken_before(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Hello")
    run_sql("DELETE FROM procrastinate_jobs")
    make_older(message)
    Message.objects.update(next_try_at=timezone.now() + timedelta(seconds=20))
    reap_jobs()
    assert job_rows() == []
    Message.objects.update(next_try_at=timezone.now() - timedelta(seconds=40))
    reap_jobs()
    assert len(job_rows()) == 1


@pytest.mark.parametrize(
    ("name", "seconds"), [("reap_stalled_jobs", 15), ("look_for_due_texts", 5)]
)
def test_the_periodic_tasks_run_as_often_as_they_should(name: str, seconds: int) -> None:
    [task] = [
        known for known in app.periodic_registry.periodic_tasks.values() if known.task.name == name
    ]
    hours = [task.croniter.get_next(float) for _ in range(20)]
    assert {later - hour for hour, later in itertools.pairwise(hours)} == {seconds}
