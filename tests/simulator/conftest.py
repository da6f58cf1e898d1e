"""Partyline over real HTTP, with one simulated number; the far end is the product's own."""

from __future__ import annotations

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from inboxes.models import Inbox
from messaging.models import CarrierAccount, Number

SECRET = "a-simulated-secret"


@pytest.fixture
def account(transactional_db: None) -> CarrierAccount:
    account = CarrierAccount(carrier="simulator", name="Simulator")
    account.set_credentials({"secret": SECRET})
    account.save()
    return account


@pytest.fixture
def number(account: CarrierAccount) -> Number:
    inbox = Inbox.objects.create(name="Front Desk")
    return Number.objects.create(address="+12025550110", account=account, inbox=inbox)


@pytest.fixture
def served(live_server: LiveServer, settings: Settings) -> str:
    """Return the address at which the webhooks can be reached."""
    settings.PUBLIC_URL = live_server.url
    settings.CARRIER_TIMEOUT = 0.5
    return live_server.url
