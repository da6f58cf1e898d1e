"""The second factor of administrators."""

import time
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.admin_site import PartylineAdminSite
from tests.markup import read_words

PASSWORD = "a long enough password"

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> AbstractBaseUser:
    return get_user_model().objects.create_superuser(
        "root", display_name="Root", password=PASSWORD
    )


def may_enter(person: Any, *, is_verified: bool) -> bool:
    request = RequestFactory().get("/admin/")
    person.is_verified = lambda: is_verified
    request.user = person
    return PartylineAdminSite().has_permission(request)


def test_the_password_alone_does_not_open_admin(admin: AbstractBaseUser, settings: Any) -> None:
    settings.ADMIN_SECOND_FACTOR = True
    assert not may_enter(admin, is_verified=False)
    assert may_enter(admin, is_verified=True)


def test_in_the_demo_the_password_alone_opens_admin(
    admin: AbstractBaseUser, settings: Any
) -> None:
    settings.ADMIN_SECOND_FACTOR = False
    assert may_enter(admin, is_verified=False)


def test_the_first_key_comes_from_the_shell(admin: AbstractBaseUser) -> None:
    out = StringIO()
    call_command("add_second_factor", "root", stdout=out)
    call_command("add_second_factor", "root", stdout=out)
    device = TOTPDevice.objects.get(user=admin)
    assert out.getvalue().count("otpauth://totp/") == 2
    assert device.config_url in out.getvalue()


def test_an_unknown_user_gets_no_key() -> None:
    with pytest.raises(CommandError, match="no agent named ghost"):
        call_command("add_second_factor", "ghost")


def code_of(device: TOTPDevice) -> str:
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time()
    return f"{totp.token():06d}"


@pytest.fixture
def device(admin: Any, settings: Any) -> TOTPDevice:
    settings.ADMIN_SECOND_FACTOR = True
    return TOTPDevice.objects.create(user=admin, name="authenticator")


def sign_in_form(code: str) -> dict[str, str]:
    return {"username": "root", "password": PASSWORD, "otp_token": code, "next": "/admin/"}


def test_the_right_code_lets_an_administrator_in_at_the_first_try(device: TOTPDevice) -> None:
    client = Client()
    code = code_of(device)
    answer = client.post("/admin/login/", sign_in_form(f"{code[:3]} {code[3:]}"))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_a_recovery_code_lets_an_administrator_in_and_counts_no_failure_for_the_app(
    device: TOTPDevice,
) -> None:
    recovery = StaticDevice.objects.create(user=device.user, name="recovery")
    StaticToken.objects.create(device=recovery, token="abcd2345")
    client = Client()
    assert client.post("/admin/login/", sign_in_form("abcd2345")).status_code == 302
    device.refresh_from_db()
    assert device.throttling_failure_count == 0
    device_again = Client().post("/admin/login/", sign_in_form(code_of(device)))
    assert device_again.status_code == 302


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("", "Enter the code that your authenticator app shows."),
        ("000000", "That code isn't right."),
    ],
)
def test_a_missing_or_wrong_code_is_said_in_plain_words(
    device: TOTPDevice, code: str, sentence: str
) -> None:
    client = Client()
    answer = client.post("/admin/login/", sign_in_form(code))
    assert sentence in read_words(answer)
    assert client.get("/admin/").status_code == 302


def test_two_apps_are_to_be_chosen_from(device: TOTPDevice) -> None:
    second = TOTPDevice.objects.create(user=device.user, name="tablet")
    client = Client()
    asked = read_words(client.post("/admin/login/", sign_in_form(code_of(second))))
    assert "Choose the device that the code is from." in asked
    assert "tablet</option>" in asked
    chosen = sign_in_form(code_of(second)) | {"otp_device": second.persistent_id}
    assert client.post("/admin/login/", chosen).status_code == 302


def test_whoever_lacks_only_the_code_is_asked_for_it(device: TOTPDevice) -> None:
    client = Client()
    client.post("/sign-in/", {"username": "root", "password": PASSWORD})
    asked = client.get("/admin/inboxes/inbox/", follow=True)
    assert "The administration also asks for a code." in read_words(asked)
    assert 'name="password"' not in read_words(asked)
    address = "/admin/login/?next=/admin/inboxes/inbox/"
    assert "That code isn't right." in read_words(client.post(address, {"otp_token": "000000"}))
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    answer = client.post(address, {"otp_token": code_of(device)})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/inboxes/inbox/")
    assert client.get("/admin/inboxes/inbox/").status_code == 200


def test_an_administrator_without_a_second_factor_learns_where_to_get_one(
    admin: Any, settings: Any
) -> None:
    settings.ADMIN_SECOND_FACTOR = True
    answer = Client().post("/admin/login/", sign_in_form("123456"))
    assert "manage.py add_second_factor" in read_words(answer)


def test_an_agent_who_is_no_administrator_is_told_so(settings: Any) -> None:
    settings.ADMIN_SECOND_FACTOR = True
    get_user_model().objects.create_user("mia", display_name="Mia", password=PASSWORD)
    client = Client()
    client.post("/sign-in/", {"username": "mia", "password": PASSWORD})
    asked = read_words(client.get("/admin/", follow=True))
    assert "You're signed in as Mia, who isn't an administrator." in asked
