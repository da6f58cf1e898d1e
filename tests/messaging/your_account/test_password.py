"""Agents change their own password."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from inboxes.models import Agent
from tests.markup import read_words

OLD, NEW = "long-enough-words", "other-words-entirely"
PAGE = "/account/password/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def mia() -> Agent:
    return Agent.objects.create_user("mia", password=OLD, display_name="Mia")


def sign_in(password: str = OLD) -> Client:
    client = Client()
    client.post("/sign-in/", {"username": "mia", "password": password})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


def form(old: str = OLD, new: str = NEW, again: str | None = None) -> dict[str, str]:
    return {"old_password": old, "new_password1": new, "new_password2": again or new}


def test_a_new_password_ends_all_sessions_but_this_one(mia: Agent) -> None:
    here, there = sign_in(), sign_in()
    key = here.session.session_key
    answer = here.post(PAGE, form(), follow=True)
    assert "Password changed. You're signed out everywhere else." in read_words(answer)
    assert is_signed_in(here)
    assert here.session.session_key == key
    assert not is_signed_in(there)
    assert not is_signed_in(sign_in(OLD))
    assert is_signed_in(sign_in(NEW))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (form(old="wrong"), "That isn't your current password."),
        (form(again="something-else"), "The two new passwords don't match."),
        (form(new="mia"), "This password is too short."),
        (form(new="password"), "This password is too common."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(
    mia: Agent, given: dict[str, str], sentence: str
) -> None:
    client = sign_in()
    answer = client.post(PAGE, given)
    assert answer.status_code == 422
    assert sentence in read_words(answer)
    assert is_signed_in(sign_in(OLD))


def test_guessing_the_current_password_is_stopped_as_at_the_sign_in(
    mia: Agent, settings: Settings
) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 3
    client = sign_in()
    answers = [client.post(PAGE, form(old="wrong")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [422, 422, 429]
    assert "Too many attempts" in read_words(answers[-1])
    assert client.post(PAGE, form()).status_code == 429
    mia.refresh_from_db()
    assert mia.check_password(OLD)


def test_the_account_leads_to_it(mia: Agent) -> None:
    client = sign_in()
    assert f'href="{PAGE}"' in read_words(client.get("/account/"))
    assert "Current password" in read_words(client.get(PAGE))


def test_all_that_is_wrong_with_a_password_is_read_out_with_its_field(mia: Agent) -> None:
    page = sign_in().post(PAGE, form(new="12345")).content.decode()
    assert "This password is too short." in page
    assert "This password is too common." in page
    assert (
        page.count('id="id_new_password2_error"') + page.count('id="id_new_password1_error"') == 1
    )
