"""Jobs that a dead worker left behind start over; a thread without a job is found."""

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
from tests.messaging.working import attempts, states


def sql(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() if cursor.description else None


def worker(heartbeat: timedelta = timedelta(0)) -> int:
    """A worker whose last heartbeat is so long ago."""
    [key] = sql(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s) RETURNING id",
        heartbeat,
    )
    return int(key)


def fetch(worker_id: int) -> int:
    """The worker takes the next job; its key."""
    [key] = sql("SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", worker_id)
    return int(key)


def reap(worker_id: int | None = None) -> None:
    job = SimpleNamespace(id=0, worker_id=worker_id)
    tasks.reap_stalled_jobs.func(typed("JobContext", SimpleNamespace(job=job)), timestamp=0)


def jobs() -> list[tuple[str, str | None]]:
    rows = ProcrastinateJob.objects.order_by("pk").values_list("status", "lock")
    return [(status, lock) for status, lock in rows]


def age(message: Message, by: timedelta = timedelta(minutes=2)) -> None:
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - by)
    Attempt.objects.filter(message=message).update(started_at=timezone.now() - by)


DEAD = timedelta(seconds=20)


def test_the_job_of_a_dead_worker_gets_a_successor_and_the_open_attempt_is_unknown(
    cast: Cast,
) -> None:
    message = cast.answer(cast.thread(), "Hello")
    left = fetch(worker(DEAD))
    assert delivery._claim_next_attempt(message.thread) is not None
    reap()
    assert jobs() == [("todo", f"thread-{message.thread_id}")]
    assert not ProcrastinateJob.objects.filter(pk=left).exists()
    delivery.deliver_thread(message.thread_id)
    assert (states(message), attempts(message)) == (["unknown"], ["unknown"])


def test_the_job_of_a_worker_that_is_gone_from_the_record_gets_a_successor(cast: Cast) -> None:
    cast.answer(cast.thread(), "Hello")
    gone = worker()
    fetch(gone)
    sql("DELETE FROM procrastinate_workers WHERE id = %s", gone)
    reap()
    assert [status for status, _ in jobs()] == ["todo"]


@pytest.mark.parametrize("is_own", [False, True])
def test_the_job_of_a_living_worker_is_left_alone(cast: Cast, is_own: bool) -> None:
    cast.answer(cast.thread(), "Hello")
    alive = worker(DEAD if is_own else timedelta(seconds=5))
    fetch(alive)
    reap(alive if is_own else None)
    assert [status for status, _ in jobs()] == ["doing"]


def test_a_worker_that_wakes_up_late_cannot_end_the_job_of_its_successor(cast: Cast) -> None:
    cast.answer(cast.thread(), "Hello")
    left = fetch(worker(DEAD))
    reap()
    successor = fetch(worker())
    assert successor != left
    with pytest.raises(DatabaseError, match="Job was not found"), transaction.atomic():
        sql("SELECT procrastinate_finish_job_v1(%s, 'succeeded', true)", left)
    assert [status for status, _ in jobs()] == ["doing"]


def test_a_delivery_whose_end_went_unrecorded_starts_over(cast: Cast) -> None:
    cast.answer(cast.thread(), "Hello")
    alive = worker()
    fetch(alive)
    reap()
    assert [status for status, _ in jobs()] == ["doing"]
    sql("UPDATE procrastinate_events SET at = now() - interval '4 minutes'")
    reap(alive)
    assert [status for status, _ in jobs()] == ["todo"]


def test_a_dead_workers_periodic_job_is_dropped_since_it_comes_again(db: None) -> None:
    for _ in range(2):
        tasks.reap_stalled_jobs.configure().defer(timestamp=0)
        fetch(worker(DEAD))
    tasks.reap_stalled_jobs.configure().defer(timestamp=0)
    reap()
    assert [status for status, _ in jobs()] == ["todo"]


def test_any_other_job_of_a_dead_worker_keeps_its_arguments(cast: Cast) -> None:
    tasks.wake_thread.configure().defer(thread_id=7)
    fetch(worker(DEAD))
    reap()
    job = ProcrastinateJob.objects.get()
    assert (job.status, job.task_name, job.args) == ("todo", "wake_thread", {"thread_id": 7})


def test_a_text_whose_job_failed_for_good_is_woken_once(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Hello")
    [job] = sql("SELECT procrastinate_finish_job_v1(%s, 'failed', false)::text", fetch(worker()))
    assert job == ""
    reap()
    assert [status for status, _ in jobs()] == ["failed"]
    age(message)
    for _ in range(3):
        reap()
    assert jobs() == [
        ("failed", f"thread-{message.thread_id}"),
        ("todo", f"thread-{message.thread_id}"),
    ]


def test_an_open_attempt_without_a_job_is_found_and_unknown(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Hello")
    assert delivery._claim_next_attempt(message.thread) is not None
    sql("DELETE FROM procrastinate_jobs")
    reap()
    assert jobs() == []
    age(message)
    reap()
    assert len(jobs()) == 1
    delivery.deliver_thread(message.thread_id)
    assert states(message) == ["unknown"]


def test_a_thread_with_a_job_gets_no_second_one(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Hello")
    age(message)
    reap()
    assert len(jobs()) == 1
    alive = worker()
    fetch(alive)
    reap(alive)
    assert [status for status, _ in jobs()] == ["doing"]


def test_a_text_that_waits_for_its_next_try_is_not_woken_before(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Hello")
    sql("DELETE FROM procrastinate_jobs")
    age(message)
    Message.objects.update(next_try_at=timezone.now() + timedelta(seconds=20))
    reap()
    assert jobs() == []
    Message.objects.update(next_try_at=timezone.now() - timedelta(seconds=40))
    reap()
    assert len(jobs()) == 1


@pytest.mark.parametrize(
    ("name", "seconds"), [("reap_stalled_jobs", 15), ("look_for_due_texts", 5)]
)
def test_the_rounds_come_as_often_as_they_should(name: str, seconds: int) -> None:
    [task] = [
        known for known in app.periodic_registry.periodic_tasks.values() if known.task.name == name
    ]
    hours = [task.croniter.get_next(float) for _ in range(20)]
    assert {later - hour for hour, later in itertools.pairwise(hours)} == {seconds}
