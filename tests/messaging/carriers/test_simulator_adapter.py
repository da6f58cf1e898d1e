"""Events of the demo's carrier, beyond the contract."""

from __future__ import annotations

import json

import pytest

from messaging.carriers import events
from messaging.carriers.simulator import Simulator

PATH = "/webhooks/simulator/token/"
MESSAGE = {"type": "message", "id": "m1", "from": "+12025550177", "to": "+12025550110"}


def parse(body: bytes) -> list[events.Event]:
    return Simulator().parse(events.RawRequest("POST", PATH, {}, body))


def test_receipts_are_read() -> None:
    assert parse(b'{"type": "receipt", "id": "m", "state": "sent"}') == [
        events.Receipt("m", "sent")
    ]
    failed = b'{"type": "receipt", "id": "m", "state": "failed", "code": "transient"}'
    assert parse(failed) == [events.Receipt("m", "failed", "transient", "transient")]
    odd = b'{"type": "receipt", "id": "m", "state": "failed", "code": "?"}'
    assert parse(odd) == [events.Receipt("m", "failed", "?", "other")]


@pytest.mark.parametrize("body", [b'{"type": "x", "id": "m"}', b'{"type":"receipt","id":"m"}'])
def test_unknown_events_are_ignored(body: bytes) -> None:
    [event] = parse(body)
    assert isinstance(event, events.Ignored)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"type": "message"}',
        b'{"type": "message", "id": 5}',
        json.dumps({**MESSAGE, "id": "\x00"}).encode(),
        json.dumps({**MESSAGE, "text": ["x"]}).encode(),
        json.dumps({**MESSAGE, "text": "x", "from": ""}).encode(),
        json.dumps({**MESSAGE, "text": "x", "sent_at": "noon"}).encode(),
    ],
)
def test_meaningless_requests_cannot_be_parsed(body: bytes) -> None:
    with pytest.raises(events.Unparsable):
        parse(body)
