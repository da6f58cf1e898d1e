"""An installation that nobody has set up yet, and browsers at it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client

from messaging.carriers import http
from messaging.setup import key
from tests.messaging.carriers.number_far_ends.base import Answer, Request
from tests.messaging.carriers.number_far_ends.calls import client_of
from tests.messaging.carriers.number_far_ends.twilio import ACCOUNT, TOKEN, TwilioNumbers

PASSWORD = "Quercitron-password"
ADA = {"display_name": "Ada Byron", "username": "ada", "password": PASSWORD}


@pytest.fixture(autouse=True)
def _new_installation(db: None, settings: Any, tmp_path: Path) -> None:
    settings.DEMO = False
    settings.DATA_DIR = tmp_path / "data"


SECRETS = {"account_sid": ACCOUNT, "auth_token": TOKEN}


def typed(secrets: Mapping[str, str] = SECRETS) -> dict[str, str]:
    """Return what the form sends when these are entered."""
    return {f"credential-{name}": value for name, value in secrets.items()}


def the_key() -> str:
    return key.setup_address().partition("?key=")[2]


def open_with_key(client: Client | None = None) -> Client:
    """Return a browser that has followed the printed address."""
    client = client or Client()
    answer = client.get("/setup/", {"key": the_key()})
    assert (answer.status_code, answer["Location"]) == (302, "/setup/")
    return client


@pytest.fixture
def ada() -> Client:
    """Return the browser of the administrator who has just been made."""
    client = open_with_key()
    answer = client.post("/setup/administrator/", ADA)
    assert answer.status_code == 302, answer.content.decode()
    return client


@pytest.fixture
def far_end(monkeypatch: pytest.MonkeyPatch, settings: Any) -> TwilioAccount:
    """Put a Twilio account at the other end of every client of a carrier's API."""
    settings.PUBLIC_URL, settings.PUBLIC_HOST = "https://texts.example.com", "texts.example.com"
    account = TwilioAccount()

    def new_client(timeout: float | None = None) -> httpx.Client:
        return client_of(account)

    monkeypatch.setattr(http, "new_client", new_client)
    return account


class TwilioAccount(TwilioNumbers):
    """Answer who the account is, and take texts."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[dict[str, str]] = []

    def answer(self, request: Request) -> Answer:
        is_right = super().answer(request).status != 401
        asked = re.fullmatch(r"/2010-04-01/Accounts/(AC\w+)\.json", request.path)
        if asked and is_right:
            return Answer.of({"sid": asked[1], "friendly_name": "Brandt", "status": "active"})
        if request.path.endswith("/Messages.json") and request.is_change and is_right:
            self.texts.append(request.form)
            return Answer.of({"sid": f"SM{len(self.texts):032d}", "status": "queued"}, 201)
        return super().answer(request)
