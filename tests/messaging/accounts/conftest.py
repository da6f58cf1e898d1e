from __future__ import annotations

import httpx
import pytest
from pytest_django import Settings

from messaging.carriers import http
from messaging.models import CarrierAccount
from tests.cast import Cast
from tests.messaging.carriers.number_far_ends import twilio
from tests.messaging.carriers.number_far_ends.calls import client_of

CREDENTIALS = {"account_sid": twilio.ACCOUNT, "auth_token": twilio.TOKEN}


@pytest.fixture
def far_end(monkeypatch: pytest.MonkeyPatch) -> twilio.TwilioNumbers:
    """Put Twilio's numbers at the other end of every client of a carrier's API."""
    numbers = twilio.TwilioNumbers()

    def new_client(timeout: float | None = None) -> httpx.Client:
        return client_of(numbers)

    monkeypatch.setattr(http, "new_client", new_client)
    return numbers


@pytest.fixture
def account(cast: Cast, settings: Settings) -> CarrierAccount:
    """Return the cast's account, which can log in at the far end."""
    settings.PUBLIC_URL = "https://texts.example.com"
    cast.account.set_credentials(CREDENTIALS)
    cast.account.save()
    return cast.account
