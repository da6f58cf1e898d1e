"""Hashing passwords: its cost, and what happens when many arrive at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.db import connection
from django.test import Client

from inboxes import passwords
from inboxes.models import Agent
from tests.cast import Cast, client_of

OWASP = "argon2$argon2id$v=19$m=19456,t=2,p=1$"
PASSWORD, NEW = "long-enough-words", "other-words-entirely"


@contextmanager
def occupied(queue: passwords.HashingQueue) -> Iterator[None]:
    """Keep the queue busy with the hash of another thread."""
    has_begun, is_over = threading.Event(), threading.Event()

    def wait_for_end() -> None:
        has_begun.set()
        is_over.wait(10)

    thread = threading.Thread(target=queue.hash_in_turn, args=[wait_for_end])
    thread.start()
    try:
        assert has_begun.wait(5)
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> passwords.HashingQueue:
    """Return a queue in which nobody may wait while another hashes."""
    full = passwords.HashingQueue(max_waiting=0)
    monkeypatch.setattr(passwords, "queue", full)
    return full


def test_a_new_password_is_hashed_with_owasps_parameters() -> None:
    assert make_password(PASSWORD).startswith(OWASP)


@pytest.mark.django_db
def test_a_hash_with_djangos_larger_parameters_is_replaced_at_sign_in() -> None:
    hasher = Argon2PasswordHasher()
    old = hasher.encode(PASSWORD, hasher.salt())
    agent = Agent.objects.create(username="eve", display_name="Eve", password=old)
    wrong = Client().post("/sign-in/", {"username": "eve", "password": "wrong"})
    agent.refresh_from_db()
    assert (wrong.status_code, agent.password) == (200, old)
    right = Client().post("/sign-in/", {"username": "eve", "password": PASSWORD})
    agent.refresh_from_db()
    assert right.status_code == 302
    assert agent.password.startswith(OWASP)
    assert agent.check_password(PASSWORD)


def test_hashing_and_verifying_with_any_parameters_go_through_the_queue(
    queue: passwords.HashingQueue,
) -> None:
    hasher = passwords.Argon2Hasher()
    salt = hasher.salt()
    encoded = hasher.encode(PASSWORD, salt)
    larger = Argon2PasswordHasher().encode(PASSWORD, salt)
    with occupied(queue):
        with pytest.raises(passwords.PasswordsBusy):
            hasher.encode(PASSWORD, salt)
        for one in (encoded, larger):
            with pytest.raises(passwords.PasswordsBusy):
                hasher.verify(PASSWORD, one)
    assert hasher.verify(PASSWORD, encoded)
    assert hasher.verify(PASSWORD, larger)


def test_a_wait_longer_than_the_limit_is_refused() -> None:
    impatient = passwords.HashingQueue(max_wait=0.01)
    with occupied(impatient):
        for _ in range(2):
            with pytest.raises(passwords.PasswordsBusy):
                impatient.hash_in_turn(int)
    assert impatient.hash_in_turn(lambda: 7) == 7
    assert not impatient.is_full


@pytest.mark.django_db(transaction=True)
def test_a_thread_that_waits_holds_no_database_connection() -> None:
    queue = passwords.HashingQueue()
    held: list[bool] = []

    def sign_in() -> None:
        connection.ensure_connection()
        queue.hash_in_turn(int)
        held.append(connection.connection is not None)

    thread = threading.Thread(target=sign_in)
    with occupied(queue):
        thread.start()
        while queue._count < 2:
            time.sleep(0.01)
    thread.join()
    assert held == [False]


@pytest.mark.django_db
def test_a_sign_in_at_a_full_queue_gets_the_form_back_and_costs_no_query(
    queue: passwords.HashingQueue, django_assert_num_queries: Any
) -> None:
    form = {"username": "eve", "password": PASSWORD}
    with occupied(queue), django_assert_num_queries(0):
        answer = Client().post("/sign-in/", form)
    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Try again in a few seconds" in page
    assert 'value="eve"' in page
    assert PASSWORD not in page
    assert Client().post("/sign-in/", form).status_code == 200


@pytest.mark.django_db
def test_a_sign_in_that_waited_too_long_gets_the_form_back_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    impatient = passwords.HashingQueue(max_wait=0.01)
    monkeypatch.setattr(passwords, "queue", impatient)
    with occupied(impatient):
        answer = Client().post("/sign-in/", {"username": "eve", "password": PASSWORD})
    assert answer.status_code == 503


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/sign-in/confirm/", {"password": PASSWORD}),
        (
            "/account/password/",
            {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW},
        ),
    ],
)
def test_a_password_of_somebody_signed_in_that_cannot_be_checked_now_is_said_so(
    cast: Cast, queue: passwords.HashingQueue, path: str, form: dict[str, str]
) -> None:
    cast.ana.set_password(PASSWORD)
    cast.ana.save()
    ana = client_of(cast.ana)
    with occupied(queue):
        answer = ana.post(path, form)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Go back and try again" in answer.content.decode()
    assert ana.post(path, form).status_code == 302
