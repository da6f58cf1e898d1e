"""Sending over real HTTP to the far end, a process of its own, with every possible outcome."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pytest_django import Settings

from messaging.carriers import results
from messaging.carriers.base import Carrier
from messaging.carriers.simulator import Simulator
from messaging.carriers.twilio import Twilio
from tests.far_end_client import FarEnd, far_end

__all__ = ["far_end"]

CREDENTIALS = {"account_sid": "AC0", "auth_token": "the-token", "secret": "the-secret"}
CALLBACK = "https://texts.example.com/webhooks/x/account/attempt-7/"
TEXT = "Yes, it’s here 📦 & costs 5 % + tax = ?"
OUTGOING = results.Outgoing("attempt-7", "+12025550110", "+12025550177", TEXT, CALLBACK)


@pytest.fixture(params=[Twilio(), Simulator()], ids=["twilio", "simulator"])
def carrier(request: pytest.FixtureRequest) -> Carrier:
    adapter: Carrier = request.param
    return adapter


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    # Following redirects is what the adapter must forbid by itself.
    with httpx.Client(timeout=0.5, trust_env=False, follow_redirects=True) as client:
        yield client


@pytest.fixture(autouse=True)
def api_urls(far_end: FarEnd, settings: Settings) -> None:
    settings.TWILIO_API_URL = far_end.url
    settings.SIMULATOR_API_URL = far_end.url


def send_once(
    carrier: Carrier, http: httpx.Client, far_end: FarEnd, answer: dict[str, Any]
) -> results.SendResult:
    """Return the result of sending. Fail unless the carrier is called exactly once."""
    far_end.plan(answer)
    result = carrier.send(OUTGOING, CREDENTIALS, http)
    assert len(far_end.wait_for(1)) == 1
    assert "+12025550177" not in repr(result)
    return result


def test_an_accepted_text_arrives_as_written(
    carrier: Carrier, http: httpx.Client, far_end: FarEnd
) -> None:
    result = send_once(carrier, http, far_end, {"kind": "accept"})
    [entry] = far_end.ledger()
    assert result == results.Accepted(entry["id"], "sent")
    assert entry["carrier"] == carrier.name
    assert entry["taken"]
    assert (entry["sender"], entry["to"], entry["body"], entry["callback"]) == (
        "+12025550110",
        "+12025550177",
        TEXT,
        CALLBACK,
    )
    assert entry["attempt"] == "attempt-7"


def test_credentials_are_sent_in_the_way_of_the_carrier(
    carrier: Carrier, http: httpx.Client, far_end: FarEnd
) -> None:
    send_once(carrier, http, far_end, {"kind": "accept"})
    [entry] = far_end.ledger()
    if carrier.name == "twilio":
        assert entry["path"] == "/2010-04-01/Accounts/AC0/Messages.json"
        expected = "Basic " + base64.b64encode(b"AC0:the-token").decode()
    else:
        expected = "Bearer the-secret"
    assert entry["authorization"] == expected


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "error", "status": 500},
        {"kind": "error", "status": 503},
        {"kind": "error", "status": 408},
        {"kind": "garbled"},
        {"kind": "redirect"},
        {"kind": "timeout", "seconds": 2},
        {"kind": "reset"},
        {"kind": "reset_untaken"},
    ],
    ids=lambda answer: "-".join(str(value) for value in answer.values()),
)
def test_a_text_that_may_have_been_accepted_is_unknown(
    carrier: Carrier, http: httpx.Client, far_end: FarEnd, answer: dict[str, Any]
) -> None:
    result = send_once(carrier, http, far_end, answer)
    assert isinstance(result, results.OutcomeUnknown)
    time.sleep(0.2)
    assert len(far_end.ledger()) == 1, "an unknown text is never sent again"


def test_a_refused_connection_means_not_sent(
    carrier: Carrier, http: httpx.Client, far_end: FarEnd
) -> None:
    far_end.stop()
    assert isinstance(carrier.send(OUTGOING, CREDENTIALS, http), results.NotSent)


def test_a_pool_without_a_free_connection_means_not_sent(
    carrier: Carrier, far_end: FarEnd
) -> None:
    limits = httpx.Limits(max_connections=1)
    with (
        httpx.Client(limits=limits, timeout=0.2, trust_env=False) as busy,
        busy.stream("POST", far_end.url + "/control/plan", json={}),
    ):
        assert isinstance(carrier.send(OUTGOING, CREDENTIALS, busy), results.NotSent)
    assert far_end.ledger() == []


def test_a_handshake_that_never_ends_means_not_sent(
    carrier: Carrier, http: httpx.Client, settings: Settings
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        settings.TWILIO_API_URL = settings.SIMULATOR_API_URL = address
        assert isinstance(carrier.send(OUTGOING, CREDENTIALS, http), results.NotSent)
