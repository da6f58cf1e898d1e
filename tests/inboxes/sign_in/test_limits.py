"""Limits for guesses: by name and address, by address, by the agent whose codes are guessed."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from inboxes import passwords
from inboxes.models import Agent, SignInFailure
from tests.inboxes.sign_in.people import (
    PASSWORD,
    add_app,
    add_recovery_codes,
    code_now,
    create_agent,
    sign_in,
)
from tests.markup import read_words
from tests.stack import ROOT

OFFICE, HOME = "198.51.100.7", "198.51.100.8"
CODE_PAGE = "/sign-in/code/"


@pytest.fixture
def mia(db: None) -> Agent:
    return create_agent("mia")


def guess(name: str = "mia", password: str = "wrong", address: str = OFFICE) -> int:
    form = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/sign-in/", form).status_code


def guess_code(code: str = "000000", address: str = OFFICE) -> int:
    client = sign_in("mia", client=Client(REMOTE_ADDR=address))
    return client.post(CODE_PAGE, {"code": code}).status_code


def test_ten_wrong_passwords_lock_a_name_out_of_one_address_and_no_other(mia: Agent) -> None:
    assert [guess() for _ in range(11)] == [200] * 9 + [429] * 2
    assert guess(password=PASSWORD) == 429
    assert guess(password=PASSWORD, address=HOME) == 302
    assert guess(name="someone-else") == 200


def test_a_lockout_says_what_happened_and_how_long_it_lasts(mia: Agent) -> None:
    for _ in range(9):
        guess()
    form = {"username": "mia", "password": "wrong"}
    page = read_words(Client(REMOTE_ADDR=OFFICE).post("/sign-in/", form))
    assert "Too many attempts" in page
    assert "Wait 15 minutes" in page


@pytest.mark.parametrize("path", ["/invitation/{}/", "/account/new-phone/{}/", "/setup/?key={}"])
def test_what_another_website_has_a_browser_open_keeps_no_password_out(
    mia: Agent, path: str
) -> None:
    browser = Client(REMOTE_ADDR=OFFICE)
    for number in range(51):
        browser.get(path.format(f"{'0' * 60}{number}"))
    assert guess(password=PASSWORD) == 302
    answers = {browser.get(path.format(f"{'1' * 60}{number}")).status_code for number in "12"}
    assert answers == ({404} if "key" in path else {429})
    counted = SignInFailure.objects.filter(address=OFFICE)
    assert counted.count() == (10 if "key" in path else 50)


def test_wrong_passwords_keep_nobody_from_their_invitation_link(mia: Agent) -> None:
    for number in range(50):
        SignInFailure.objects.create(address=OFFICE, subject=str(number))
    assert guess("eve") == 429
    browser = Client(REMOTE_ADDR=OFFICE)
    assert browser.get("/invitation/unknown/").status_code == 404
    assert browser.get("/account/new-phone/unknown/").status_code == 404


def test_a_network_of_ipv6_counts_as_one_address(mia: Agent) -> None:
    for number in range(10):
        guess(address=f"2001:db8:1:2::{number}")
    assert guess(password=PASSWORD, address="2001:db8:1:2:ffff::1") == 429
    assert guess(password=PASSWORD, address="2001:db8:1:3::1") == 302


def test_a_lockout_ends_after_a_quarter_of_an_hour_even_if_guesses_go_on(mia: Agent) -> None:
    begun = timezone.now()
    with time_machine.travel(begun):
        for _ in range(10):
            guess()
    with time_machine.travel(begun + timedelta(minutes=14)):
        assert {guess() for _ in range(5)} == {429}
    with time_machine.travel(begun + timedelta(minutes=16)):
        assert guess(password=PASSWORD) == 302


def test_wrong_codes_are_limited_for_one_address(mia: Agent) -> None:
    add_app(mia)
    assert [guess_code() for _ in range(11)] == [200] * 9 + [429] * 2
    assert guess_code(code_now()) == 429
    assert guess_code(code_now(), address=HOME) == 302


def test_recovery_codes_and_codes_of_the_app_are_one_limit(mia: Agent) -> None:
    add_app(mia)
    codes = add_recovery_codes(mia)
    for number in range(10):
        guess_code("000000" if number % 2 else "11111111")
    assert guess_code(codes[0]) == 429


def test_wrong_codes_are_limited_for_all_addresses_together(
    mia: Agent, settings: Settings
) -> None:
    settings.SIGN_IN_WRONG_CODES = 5
    add_app(mia)
    answers = [guess_code(address=f"203.0.113.{number}") for number in range(6)]
    assert answers == [200] * 4 + [429] * 2


def test_a_right_code_clears_the_wrong_ones_before_it(mia: Agent) -> None:
    add_app(mia)
    for _ in range(9):
        guess_code()
    assert guess_code(code_now()) == 302
    assert guess_code() == 200
    assert SignInFailure.objects.count() == 1


def test_guessing_at_a_password_in_an_open_session_is_limited_too(mia: Agent) -> None:
    client, path = sign_in("mia"), "/sign-in/confirm/"
    answers = [client.post(path, {"password": "wrong"}).status_code for _ in range(10)]
    assert answers == [200] * 9 + [429]


def test_guessing_at_a_code_in_an_open_session_is_limited_too(mia: Agent) -> None:
    client = sign_in("mia")
    add_app(mia)
    path = "/sign-in/confirm/code/"
    answers = [client.post(path, {"code": "000000"}).status_code for _ in range(10)]
    assert answers == [200] * 9 + [429]


@pytest.mark.django_db
def test_names_that_were_tried_are_not_stored() -> None:
    guess("my-password-typed-as-a-name")
    [row] = SignInFailure.objects.values_list("address", "subject")
    assert row[0] == OFFICE
    assert "password" not in row[1]


@pytest.mark.django_db
def test_old_failures_are_removed() -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        guess("one", address=HOME)
    guess("two")
    assert list(SignInFailure.objects.values_list("address", flat=True)) == [OFFICE]


@pytest.mark.usefixtures("_real_hashes")
def test_a_password_that_could_not_be_checked_counts_for_nothing(
    mia: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise passwords.PasswordsBusy

    monkeypatch.setattr(passwords.HashingQueue, "hash_in_turn", refuse)
    assert guess() == 503
    assert not SignInFailure.objects.exists()


@pytest.mark.usefixtures("_real_hashes")
@pytest.mark.parametrize("name", ["mia", "nobody", "gone"])
def test_nothing_tells_an_unknown_name_from_a_known_one(
    mia: Agent, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_agent("gone")
    Agent.objects.filter(username="gone").update(is_active=False)
    hashed: list[str] = []
    verify, encode = passwords.Argon2Hasher.verify, passwords.Argon2Hasher.encode

    def count_verify(self: Any, *args: Any) -> bool:
        hashed.append("once")
        return verify(self, *args)

    def count_encode(self: Any, *args: Any) -> str:
        hashed.append("once")
        return encode(self, *args)

    monkeypatch.setattr(passwords.Argon2Hasher, "verify", count_verify)
    monkeypatch.setattr(passwords.Argon2Hasher, "encode", count_encode)
    password = PASSWORD if name == "gone" else "wrong"
    answer = Client().post("/sign-in/", {"username": name, "password": password})
    assert answer.status_code == 200
    assert "That username and password don't match." in read_words(answer)
    assert hashed == ["once"]


GUESSING = """
import sys
import django
django.setup()
from django.test import RequestFactory
from inboxes.sign_in import throttle

request = RequestFactory().post("/", REMOTE_ADDR="198.51.100.7")
sys.stdin.readline()
checked = 0
for _ in range(40):
    try:
        throttle.check_guess(lambda: None, request=request, of=throttle.password_of("mia"))
    except throttle.TooManyGuesses:
        continue
    checked += 1
print(checked)
"""


@pytest.mark.django_db(transaction=True)
def test_processes_that_guess_at_the_same_time_get_no_more_than_one_would() -> None:
    environment = os.environ | {
        "DATABASE_URL": database_of_this_test(),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-c", GUESSING],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    answered = sum(int(one.communicate(timeout=60)[0]) for one in running)
    # The last guess before the limit is checked too, and answered as the lockout that it begins.
    assert answered == django_settings.SIGN_IN_FAILURES - 1
    assert SignInFailure.objects.filter(address=OFFICE).count() == django_settings.SIGN_IN_FAILURES


def database_of_this_test() -> str:
    found = connection.settings_dict
    return (
        f"postgresql://{found['USER']}:{found['PASSWORD']}@/{found['NAME']}?host={found['HOST']}"
    )
