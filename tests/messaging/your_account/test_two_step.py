"""Two-step sign-in and passkeys in *Your account*."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth import HASH_SESSION_KEY
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from inboxes.models import Agent
from tests.markup import read_words
from tests.messaging.your_account.people import (
    add_app,
    add_passkey_row,
    code_of,
    is_signed_in,
    make_agent,
    set_up_app,
    sign_in,
)

pytestmark = pytest.mark.django_db
# What was set up counts as given once it is committed.
AS_COMMITTED = pytest.mark.django_db(transaction=True)
APP = "/account/two-step/app/"
CODES = "/account/two-step/codes/"


@pytest.fixture(autouse=True)
def nobody_is_asked(settings: Settings) -> None:
    settings.TWO_STEP_SIGN_IN = "nobody"


@pytest.fixture
def mia() -> Agent:
    return make_agent()


@pytest.fixture
def client(mia: Agent) -> Client:
    return sign_in()


IS_OFF = '<span class="tag">Off</span>'


def read(client: Client, path: str = "/account/") -> str:
    return " ".join(read_words(client.get(path)).split())


def codes_in(page: str) -> list[str]:
    return re.findall(r"<code>(\d{8})</code>", page)


def test_an_app_is_set_up_and_its_codes_are_shown_once(client: Client) -> None:
    assert IS_OFF in read(client)
    answer = set_up_app(client)
    codes = codes_in(read_words(answer))
    assert len(set(codes)) == 10
    file = unquote(read_words(answer).partition("data:text/plain;charset=utf-8,")[2])
    assert all(code in file for code in codes)
    assert codes_in(read(client, CODES)) == []
    page = read(client)
    assert "10 of 10 left, made" in page
    assert IS_OFF not in page
    assert not any(code in page for code in codes)


def test_the_code_is_an_image_that_the_security_policy_allows(client: Client) -> None:
    answer = client.get(APP)
    assert 'src="data:image/svg+xml;base64,' in read_words(answer)
    assert "data:" in answer["Content-Security-Policy"]


def test_a_wrong_first_code_changes_nothing(client: Client, mia: Agent) -> None:
    secret = re.findall(r'data-copy="([A-Z2-7]+)"', read(client, APP))
    answer = client.post(APP, {"code": "000000"})
    assert answer.status_code == 422
    assert "That code isn't right." in read_words(answer)
    assert re.findall(r'data-copy="([A-Z2-7]+)"', read_words(answer)) == secret
    assert not Authenticator.objects.filter(user=mia).exists()


def test_the_next_sign_in_asks_for_the_code_and_takes_a_recovery_code(client: Client) -> None:
    [code, *_] = codes_in(read_words(set_up_app(client)))
    other = sign_in()
    assert not is_signed_in(other)
    other.post("/sign-in/code/", {"code": code})
    assert is_signed_in(other)
    assert "9 of 10 left" in read(client)


def test_new_codes_end_the_old_ones(client: Client) -> None:
    [old, *_] = codes_in(read_words(set_up_app(client)))
    answer = client.post(f"{CODES}new/", follow=True)
    [new, *_] = codes_in(read_words(answer))
    assert old not in codes_in(read_words(answer))
    other = sign_in()
    other.post("/sign-in/code/", {"code": old})
    assert not is_signed_in(other)
    other.post("/sign-in/code/", {"code": new})
    assert is_signed_in(other)


def test_codes_come_only_with_a_second_step(client: Client) -> None:
    answer = client.post(f"{CODES}new/")
    assert answer.status_code == 422
    assert client.get(CODES).status_code == 404


def test_removing_the_last_step_turns_it_off_and_ends_its_codes(
    client: Client, mia: Agent
) -> None:
    set_up_app(client)
    client.post(f"{APP}remove/")
    assert IS_OFF in read(client)
    assert not Authenticator.objects.filter(user=mia).exists()


@AS_COMMITTED
@pytest.mark.parametrize("way", ["app", "passkey"])
def test_the_last_step_stays_while_it_is_demanded(
    client: Client, mia: Agent, settings: Settings, way: str
) -> None:
    set_up_app(client)
    if way == "passkey":
        path = f"/account/passkeys/{add_passkey_row(mia).pk}/remove/"
        Authenticator.objects.filter(type="totp").delete()
    else:
        path = f"{APP}remove/"
    settings.TWO_STEP_SIGN_IN = "everybody"
    for answer in (client.get(path), client.post(path)):
        assert "Add another way first" in read_words(answer)
    assert Authenticator.objects.exclude(type="recovery_codes").count() == 1


@AS_COMMITTED
def test_one_of_two_steps_can_go_though_it_is_demanded(
    client: Client, mia: Agent, settings: Settings
) -> None:
    set_up_app(client)
    add_passkey_row(mia)
    settings.TWO_STEP_SIGN_IN = "everybody"
    client.post(f"{APP}remove/")
    assert {one.type for one in Authenticator.objects.all()} == {"webauthn", "recovery_codes"}


@AS_COMMITTED
@pytest.mark.parametrize(
    ("demand", "is_staff", "sentence"),
    [
        ("everybody", False, "Asked of everybody here."),
        ("administrators", True, "Asked of administrators here."),
        ("administrators", False, "After your password you're asked for a code or a passkey."),
    ],
)
def test_it_says_who_demands_it(
    client: Client, settings: Settings, demand: str, is_staff: bool, sentence: str
) -> None:
    set_up_app(client)
    Agent.objects.update(is_staff=is_staff)
    settings.TWO_STEP_SIGN_IN = demand
    assert sentence in read(client)


@AS_COMMITTED
def test_whoever_has_to_set_it_up_is_led_through_and_back(mia: Agent, settings: Settings) -> None:
    settings.TWO_STEP_SIGN_IN = "everybody"
    client = sign_in()
    led = client.get("/notifications/")["Location"]
    assert led == "/account/two-step/?next=%2Fnotifications%2F"
    page = read(client, led)
    assert f"{APP}?next=%2Fnotifications%2F" in page
    answer = set_up_app(client, f"{APP}?next=%2Fnotifications%2F")
    assert 'href="/notifications/"' in read_words(answer)
    assert client.get("/notifications/").status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:x"])
def test_no_foreign_address_is_led_to(client: Client, target: str) -> None:
    answer = set_up_app(client, f"{APP}?next={target}")
    assert "evil" not in read_words(answer)
    assert "javascript:x" not in read_words(answer)


@pytest.mark.parametrize(
    "path",
    [
        APP,
        f"{APP}remove/",
        f"{CODES}new/",
        "/account/passkeys/add/",
        "/account/passkeys/{key}/",
        "/account/passkeys/{key}/remove/",
    ],
)
def test_dangerous_deeds_ask_who_it_is(client: Client, mia: Agent, path: str) -> None:
    if path != APP:
        set_up_app(client)
    path = path.format(key=add_passkey_row(mia).pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        for answer in (client.get(path), client.post(path)):
            assert answer["Location"].startswith("/sign-in/confirm/")
    assert Authenticator.objects.filter(type="webauthn").exists()


def test_passkeys_are_listed_and_renamed(client: Client, mia: Agent) -> None:
    passkey = add_passkey_row(mia)
    assert "Work laptop" in read(client)
    path = f"/account/passkeys/{passkey.pk}/"
    assert client.post(path, {"name": ""}).status_code == 422
    assert client.post(path, {"name": "x" * 61}).status_code == 422
    client.post(path, {"name": "Home laptop"})
    assert "Home laptop" in read(client)


def test_a_passkey_is_removed(client: Client, mia: Agent) -> None:
    passkey = add_passkey_row(mia)
    client.post(f"/account/passkeys/{passkey.pk}/remove/")
    assert "Work laptop" not in read(client)


def test_the_only_way_in_stays(client: Client, mia: Agent) -> None:
    path = f"/account/passkeys/{add_passkey_row(mia).pk}/remove/"
    mia.set_unusable_password()
    change_session(client, mia)
    for answer in (client.get(path), client.post(path)):
        assert "It's the only way in which you can sign in." in read_words(answer)
    assert Authenticator.objects.filter(user=mia).exists()
    another = add_passkey_row(mia, "Phone")
    client.post(f"/account/passkeys/{another.pk}/remove/")
    assert Authenticator.objects.filter(user=mia).count() == 1


def change_session(client: Client, agent: Agent) -> None:
    """Keep the agent signed in after their password was taken away."""
    agent.save()
    session = client.session
    session[HASH_SESSION_KEY] = agent.get_session_auth_hash()
    session.save()


def test_whoever_has_no_password_sets_one_without_an_old_one(client: Client, mia: Agent) -> None:
    mia.set_unusable_password()
    change_session(client, mia)
    assert "You have none. You sign in another way." in read(client)
    assert "Current password" not in read(client, "/account/password/")
    form = {"new_password1": "other-words-entirely", "new_password2": "other-words-entirely"}
    assert "Password set." in read_words(client.post("/account/password/", form, follow=True))
    assert is_signed_in(sign_in(password="other-words-entirely"))


@pytest.mark.parametrize("deed", ["", "remove/"])
def test_nobody_touches_anothers_passkey(client: Client, deed: str) -> None:
    passkey = add_passkey_row(make_agent("eve", "Eve"))
    path = f"/account/passkeys/{passkey.pk}/{deed}"
    assert client.get(path).status_code == 404
    assert client.post(path, {"name": "Mine"}).status_code == 404
    passkey.refresh_from_db()
    assert passkey.data["name"] == "Work laptop"


@pytest.mark.parametrize(
    "credential", ["", "x", "{}", "[]", '{"id": 1}', "null", '{"response": {}}']
)
def test_what_is_no_passkey_is_refused(client: Client, mia: Agent, credential: str) -> None:
    client.get("/account/passkeys/add/")
    answer = client.post("/account/passkeys/add/", {"name": "x", "credential": credential})
    assert answer.status_code == 422
    assert "Couldn't add the passkey." in read_words(answer)
    assert not Authenticator.objects.filter(user=mia).exists()


def test_an_app_that_was_set_up_elsewhere_counts_too(client: Client, mia: Agent) -> None:
    add_app(mia)
    assert code_of("JBSWY3DPEHPK3PXP").isdigit()
    page = read(client)
    assert IS_OFF not in page
    assert "Recovery codes" not in page
