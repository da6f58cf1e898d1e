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
def _people(settings: Settings) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 5
    for name in ("eve", "mia"):
        Agent.objects.create_user(name, password=PASSWORD, display_name=name)


def sign_in(name: str, password: str, address: str = OFFICE) -> int:
    form = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/sign-in/", form).status_code


def fail(times: int) -> list[int]:
    return [sign_in(f"nobody-{number}", "wrong") for number in range(times)]


def test_many_names_from_one_address_close_the_door_there_and_nowhere_else() -> None:
    assert fail(5) == [200] * 4 + [429]
    assert sign_in("eve", PASSWORD) == 429
    assert sign_in("eve", PASSWORD, "198.51.100.8") == 302


def test_an_account_of_ones_own_does_not_open_the_way_to_others() -> None:
    fail(2)
    assert sign_in("mia", "wrong") == 200
    assert sign_in("mia", PASSWORD) == 302
    assert sign_in("eve", "wrong") == 200
    assert fail(2) == [200, 429]
    assert sign_in("mia", PASSWORD) == 429


def test_an_office_that_was_locked_out_is_let_in_again_though_somebody_goes_on_trying() -> None:
    fail(5)
    begun = timezone.now()
    with time_machine.travel(begun + timedelta(minutes=14)):
        assert [sign_in("nobody-1", "wrong") for _ in range(6)] == [429] * 6
    with time_machine.travel(begun + timedelta(minutes=16)):
        assert sign_in("eve", PASSWORD) == 302
