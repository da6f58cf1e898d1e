"""The second factor of administrators."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.admin_site import PartylineAdminSite

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> AbstractBaseUser:
    return get_user_model().objects.create_superuser(
        "root", display_name="Root", password="a long enough password"
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
    with pytest.raises(CommandError, match="Nobody is called ghost"):
        call_command("add_second_factor", "ghost")
