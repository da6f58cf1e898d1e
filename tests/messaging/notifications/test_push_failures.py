"""Failing push services delay no text and no other browser, and are given up."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from config.worker import NOTIFICATION_SLOTS, build_worker_app
from inboxes.actions import add_member
from inboxes.models import Agent
from messaging import private_networks
from messaging.models import Message, PushSubscription
from messaging.models.notifications import MOST_BROWSERS
from messaging.notifications import push
from messaging.stream import jobs
from messaging.stream.notifying import subscribe_push
from tests.cast import Cast, client_of
from tests.far_end_client import FarEnd, far_end
from tests.messaging.notifications.push_service import (
    DRIPPING,
    SILENT,
    Browser,
    FakeService,
    run_push_jobs,
    service,
    subscribe_browser,
)
from tests.messaging.stepped_worker import carrier
from tests.messaging.worker_processes import run_workers, wait_until

__all__ = ["carrier", "far_end", "service"]

KEYS = Browser().form_fields


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up a call soon after the fake service could have answered."""
    monkeypatch.setattr(push, "CALL_TIMEOUT", 1.0)
    monkeypatch.setattr(push, "POLL_INTERVAL", 0.05)


def failure_counts() -> dict[str, int]:
    """Return the failures of each browser, by the end of its address."""
    rows = PushSubscription.objects.values_list("endpoint", "failures")
    return {endpoint.rsplit("/", 1)[1]: count for endpoint, count in rows}


def called_names(service: FakeService) -> list[str]:
    return sorted(name for name, _, _ in service.log)


def let_the_pauses_end() -> None:
    PushSubscription.objects.exclude(paused_until=None).update(paused_until=timezone.now())


@pytest.mark.usefixtures("impatient")
def test_a_service_that_never_answers_is_given_up_and_delays_no_other(
    cast: Cast, service: FakeService
) -> None:
    client = client_of(cast.ana)
    service.answers = {"silent": SILENT, "dripping": DRIPPING}
    for name in ("silent", "dripping", "well"):
        subscribe_browser(client, service.endpoint(name), Browser())
    begun = time.monotonic()
    run_push_jobs(cast.text_in("Hello"))
    assert 1 <= time.monotonic() - begun < 4
    assert failure_counts() == {"silent": 1, "dripping": 1, "well": 0}


def test_an_endless_name_look_up_delays_no_job(
    cast: Cast, service: FakeService, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_networks, "resolve", lambda *_: service.has_ended.wait(20) and [])
    subscribe_browser(client_of(cast.ana), service.endpoint("lost"), Browser())
    begun = time.monotonic()
    run_push_jobs(cast.text_in("Hello"))
    assert time.monotonic() - begun < 3
    assert failure_counts() == {"lost": 1}


def test_a_process_that_ends_waits_for_no_service_and_counts_no_failure(
    cast: Cast, service: FakeService
) -> None:
    service.answers = {"silent": SILENT}
    subscribe_browser(client_of(cast.ana), service.endpoint("silent"), Browser())
    message = cast.text_in("Hello")
    begun = time.monotonic()
    push.push_agent(cast.ana.pk, message.pk, is_ending=lambda: bool(service.log))
    assert time.monotonic() - begun < push.CALL_TIMEOUT / 2
    assert failure_counts() == {"silent": 0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "https://\uff41.\uff42/wrong"},
        {"endpoint": "https://[v1.a/wrong"},
        {"endpoint": "http://\udcff.example/wrong".encode(errors="replace").decode()},
        {"p256dh": "#"},
        {"auth": "\u00e9"},
    ],
)
def test_an_invalid_subscription_of_an_earlier_version_stops_no_other(
    cast: Cast, service: FakeService, wrong: dict[str, str]
) -> None:
    client = client_of(cast.ana)
    for name in ("wrong", "well"):
        subscribe_browser(client, service.endpoint(name), Browser())
    PushSubscription.objects.filter(endpoint__endswith="/wrong").update(**wrong)
    run_push_jobs(cast.text_in("Hello"))
    assert called_names(service) == ["well"]
    assert failure_counts() == {"wrong": 1, "well": 0}


def test_a_browser_is_deleted_after_five_failures_with_pauses_between(
    cast: Cast, service: FakeService
) -> None:
    service.answers["ill"] = 503
    subscribe_browser(client_of(cast.ana), service.endpoint("ill"), Browser())
    run_push_jobs(cast.text_in("Once"))
    run_push_jobs(cast.text_in("Twice"))
    run_push_jobs(cast.text_in("While it is left alone"))
    assert (len(service.log), failure_counts()) == (2, {"ill": 2})
    for count in (3, 4):
        let_the_pauses_end()
        run_push_jobs(cast.text_in("Again"))
        assert failure_counts() == {"ill": count}
    assert PushSubscription.objects.get().paused_until > timezone.now() + timedelta(minutes=15)  # type: ignore[operator]
    let_the_pauses_end()
    run_push_jobs(cast.text_in("The last time"))
    assert not PushSubscription.objects.exists()
    assert len(service.log) == push.MAX_FAILURES


@pytest.mark.parametrize("mends", ["answers", "subscribes"])
def test_a_browser_that_recovers_starts_at_no_failures(
    cast: Cast, service: FakeService, mends: str
) -> None:
    client, browser = client_of(cast.ana), Browser()
    subscribe_browser(client, service.endpoint("ill"), browser)
    PushSubscription.objects.update(failures=4, paused_until=timezone.now())
    if mends == "answers":
        run_push_jobs(cast.text_in("Hello"))
    else:
        subscribe_browser(client, service.endpoint("ill"), browser)
    assert failure_counts() == {"ill": 0}
    assert PushSubscription.objects.get().paused_until is None


# Ten an agent


def test_one_browser_too_many_replaces_the_worst(cast: Cast) -> None:
    def add(number: int) -> None:
        endpoint = f"https://push.example.com/{number}"
        subscribe_push(agent=cast.ana, session_key="", endpoint=endpoint, **KEYS)

    for number in range(MOST_BROWSERS):
        add(number)
    PushSubscription.objects.filter(endpoint__endswith="/4").update(failures=1)
    add(0)
    assert len(failure_counts()) == MOST_BROWSERS
    add(10)
    assert failure_counts().keys() == {str(number) for number in range(11)} - {"4"}
    add(11)
    assert failure_counts().keys() == {str(number) for number in range(12)} - {"4", "0"}


@pytest.mark.django_db(transaction=True)
def test_two_that_subscribe_at_once_are_not_one_too_many(cast: Cast) -> None:
    def add(number: int) -> None:
        endpoint = f"https://push.example.com/{number}"
        subscribe_push(agent=cast.ana, session_key="", endpoint=endpoint, **KEYS)

    def add_aside() -> None:
        try:
            add(99)
        finally:
            connections.close_all()

    for number in range(MOST_BROWSERS - 1):
        add(number)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            add(98)
            aside = pool.submit(add_aside)
            wait([aside], 0.5)
        aside.result(10)
    assert cast.ana.push_subscriptions.count() == MOST_BROWSERS


def test_of_more_than_ten_stored_browsers_ten_are_called(cast: Cast, service: FakeService) -> None:
    subscribe_browser(client_of(cast.ana), service.endpoint("0"), Browser())
    first = PushSubscription.objects.get()
    for number in range(1, 15):
        first.pk, first.endpoint = None, service.endpoint(str(number))
        first.save()
    run_push_jobs(cast.text_in("Hello"))
    assert len(service.log) == MOST_BROWSERS


# Queues and workers


def test_an_agent_with_twenty_waiting_pushes_gets_no_further_job(cast: Cast) -> None:
    subscribe_browser(client_of(cast.ana), "https://push.example.com/x", Browser())
    message = cast.text_in("Hello")
    for _ in range(jobs.MAX_WAITING_PUSHES + 5):
        push.push_message(message.pk)
    made = ProcrastinateJob.objects.filter(task_name="push_agent")
    assert made.count() == jobs.MAX_WAITING_PUSHES
    assert set(made.values_list("queue_name", "lock", "priority")) == {
        (jobs.NOTIFICATIONS, f"push-{cast.ana.pk}", jobs.BEHIND_SENDING)
    }


def test_each_periodic_task_is_deferred_by_one_worker_of_a_process(settings: Any) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1"
    queues = [
        build_worker_app(queue, 1).periodic_registry.periodic_tasks.keys()
        for queue in jobs.queues()
    ]
    everything = app.periodic_registry.periodic_tasks.keys()
    assert sorted(key for queue in queues for key in queue) == sorted(everything)
    assert all(queues)


@pytest.fixture
def hung(carrier: FarEnd, cast: Cast, service: FakeService) -> None:
    """Give more agents than a worker has slots browsers at a service that never answers."""
    for number in range(10):
        name = f"hung-{number}"
        agent = Agent.objects.create(username=name, display_name=name)
        add_member(inbox=cast.front_desk, agent=agent, changed_by=None)
        service.answers[name] = SILENT
        subscribe_browser(client_of(agent), service.endpoint(name), Browser())


@pytest.mark.usefixtures("hung")
def test_texts_go_out_while_push_services_hang_and_the_worker_ends_soon(
    carrier: FarEnd, cast: Cast, tmp_path: Path
) -> None:
    thread = cast.thread()
    doing = ProcrastinateJob.objects.filter(task_name="push_agent", status="doing")
    with run_workers(carrier, tmp_path / "workers.log", push_anywhere=True) as log:
        wait_until(lambda: doing.count() >= NOTIFICATION_SLOTS, log)
        for number in range(6):
            cast.answer(thread, f"Answer {number}")
        wait_until(
            lambda: Message.objects.filter(kind="outbound", state="sent").count() == 6, log, 4
        )
        assert doing.count() == NOTIFICATION_SLOTS
        ending = time.monotonic()
    assert time.monotonic() - ending < 7
    assert "did not stop" not in log.read_text()
