"""An installation that nobody has set up yet, and browsers at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from messaging.setup import key

PASSWORD = "Quercitron-password"
ADA = {"display_name": "Ada Byron", "username": "ada", "password": PASSWORD}


@pytest.fixture(autouse=True)
def _new_installation(db: None, settings: Any, tmp_path: Path) -> None:
    settings.DEMO = False
    settings.DATA_DIR = tmp_path / "data"


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
