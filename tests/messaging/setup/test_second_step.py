"""The administrator of a new installation sets up a second step before anything else."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.test import Client

from tests.markup import read_words


@pytest.fixture(autouse=True)
def _two_steps(settings: Any) -> None:
    settings.TWO_STEP_SIGN_IN = "administrators"


def code_of(page: str) -> str:
    """Return what an authenticator app shows for the secret on the page."""
    secret = re.findall(r'data-secret="(\w+)"', html.unescape(page))[0]
    value: str = auth.format_hotp_value(
        auth.hotp_value(secret, next(auth.yield_hotp_counters_from_time()))
    )
    return value


def test_no_other_step_is_open_before_it(ada: Client) -> None:
    assert ada.get("/setup/")["Location"] == "/setup/two-step/"
    for path in ("/setup/carrier/", "/setup/inbox/", "/", "/admin/"):
        assert "two-step" in ada.get(path)["Location"]
    page = read_words(ada.get("/setup/two-step/"))
    assert "Skip for now" not in page
    assert "Use a passkey instead" in page


@pytest.mark.django_db(transaction=True)
def test_a_code_of_the_app_leads_to_the_recovery_codes_and_on(ada: Client) -> None:
    page = read_words(ada.get("/setup/two-step/"))
    wrong = ada.post("/setup/two-step/", {"code": "000000"})
    assert wrong.status_code == 422
    assert "That code isn't right" in read_words(wrong)
    answer = ada.post("/setup/two-step/", {"code": code_of(page)})
    assert (answer.status_code, answer["Location"]) == (302, "/setup/two-step/codes/")
    codes = re.findall(
        r"<li>\s*([\w-]{8,})\s*</li>", read_words(ada.get("/setup/two-step/codes/"))
    )
    assert len(codes) == 10
    assert Authenticator.objects.filter(type="totp").count() == 1
    assert ada.get("/setup/")["Location"] == "/setup/carrier/"
    page = read_words(ada.get("/setup/carrier/"))
    assert "Ada Byron, two-step sign-in on" in page


def test_it_may_be_skipped_where_nobody_needs_it(ada: Client, settings: Any) -> None:
    settings.TWO_STEP_SIGN_IN = "nobody"
    assert ada.get("/setup/")["Location"] == "/setup/carrier/"
    assert "Skip for now" in read_words(ada.get("/setup/two-step/"))
