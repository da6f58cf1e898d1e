"""Wrong passwords are counted by name and address, and by address alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from inboxes.models import Agent

PASSWORD = "long-enough-words"
OFFICE = "198.51.100.7"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _agents(settings: Settings) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 5
    for name in ("eve", "mia"):
        Agent.objects.create_user(name, password=PASSWORD, display_name=name)


def sign_in(name: str, password: str, address: str = OFFICE) -> int:
    form = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/sign-in/", form).status_code


def fail_with_new_names(times: int) -> list[int]:
    return [sign_in(f"nobody-{number}", "wrong") for number in range(times)]


def test_failures_of_many_names_lock_out_their_address_and_no_other() -> None:
    assert fail_with_new_names(5) == [200] * 4 + [429]
    assert sign_in("eve", PASSWORD) == 429
    assert sign_in("eve", PASSWORD, "198.51.100.8") == 302


def test_a_successful_sign_in_does_not_clear_the_failures_of_other_names() -> None:
    fail_with_new_names(2)
    assert sign_in("mia", "wrong") == 200
    assert sign_in("mia", PASSWORD) == 302
    assert sign_in("eve", "wrong") == 200
    assert fail_with_new_names(2) == [200, 429]
    assert sign_in("mia", PASSWORD) == 429


def test_a_lockout_of_an_address_ends_even_if_failures_continue() -> None:
    fail_with_new_names(5)
    begun = timezone.now()
    with time_machine.travel(begun + timedelta(minutes=14)):
        assert [sign_in("nobody-1", "wrong") for _ in range(6)] == [429] * 6
    with time_machine.travel(begun + timedelta(minutes=16)):
        assert sign_in("eve", PASSWORD) == 302
