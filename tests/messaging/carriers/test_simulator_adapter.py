"""The demo's carrier: its webhooks, honest and forged."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.carriers.base import (
    Event,
    Ignored,
    InboundText,
    RawRequest,
    Receipt,
    Unparsable,
    VerificationError,
)
from messaging.carriers.simulator import Simulator

PATH = "/webhooks/simulator/token/"
MESSAGE = {"type": "message", "id": "m1", "from": "+12025550177", "to": "+12025550110"}


def signed(body: bytes, secret: str = "s", path: str = PATH) -> RawRequest:
    mark = hmac.new(secret.encode(), path.encode() + body, hashlib.sha256).hexdigest()
    return RawRequest("POST", PATH, {"x-simulator-signature": mark}, body)


def parse(body: bytes) -> list[Event]:
    return Simulator().parse(RawRequest("POST", PATH, {}, body))


def test_what_the_secret_signed_is_accepted() -> None:
    Simulator().verify(signed(b"{}"), {"secret": "s"}, "http://x")


@pytest.mark.parametrize(
    ("request_", "credentials"),
    [
        (signed(b"{}", secret="other"), {"secret": "s"}),
        (signed(b"{}", path="/webhooks/simulator/other/"), {"secret": "s"}),
        (RawRequest("POST", PATH, {}, b"{}"), {"secret": "s"}),
        (RawRequest("POST", PATH, {"x-simulator-signature": "é"}, b"{}"), {"secret": "s"}),
        (signed(b"{}", secret=""), {"secret": ""}),
        (signed(b"{}", secret=""), {}),
    ],
)
def test_anything_else_is_refused(request_: RawRequest, credentials: dict[str, str]) -> None:
    with pytest.raises(VerificationError):
        Simulator().verify(request_, credentials, "http://x")


def test_a_message_is_read() -> None:
    body = json.dumps({**MESSAGE, "text": "Hi 📦", "sent_at": "2026-11-22T10:42:00+00:00"})
    assert parse(body.encode()) == [
        InboundText(
            "m1",
            "+12025550177",
            "+12025550110",
            "Hi 📦",
            datetime(2026, 11, 22, 10, 42, tzinfo=UTC),
        )
    ]


def test_receipts_are_read() -> None:
    assert parse(b'{"type": "receipt", "id": "m", "state": "sent"}') == [Receipt("m", "sent")]
    failed = b'{"type": "receipt", "id": "m", "state": "failed", "code": "transient"}'
    assert parse(failed) == [Receipt("m", "failed", "transient", "transient")]
    odd = b'{"type": "receipt", "id": "m", "state": "failed", "code": "?"}'
    assert parse(odd) == [Receipt("m", "failed", "?", "other")]


@pytest.mark.parametrize("body", [b'{"type": "x", "id": "m"}', b'{"type":"receipt","id":"m"}'])
def test_what_is_of_no_use_is_ignored(body: bytes) -> None:
    [event] = parse(body)
    assert isinstance(event, Ignored)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"type": "message"}',
        b'{"type": "message", "id": 5}',
        json.dumps({**MESSAGE, "text": "\ud83d"}).encode(),
        json.dumps({**MESSAGE, "text": "a\x00b"}).encode(),
        json.dumps({**MESSAGE, "text": ["x"]}).encode(),
        json.dumps({**MESSAGE, "text": "x", "from": ""}).encode(),
        json.dumps({**MESSAGE, "text": "x", "sent_at": "noon"}).encode(),
    ],
)
def test_what_makes_no_sense_is_unparsable(body: bytes) -> None:
    with pytest.raises(Unparsable):
        parse(body)


@given(
    st.binary()
    | st.recursive(st.none() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with contextlib.suppress(Unparsable):
        parse(body)
