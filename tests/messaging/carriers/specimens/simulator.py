from __future__ import annotations

import hashlib
import hmac
import json
from typing import get_args
from urllib.parse import urlsplit

import httpx

from messaging.carriers import events, results
from messaging.carriers.simulator import Simulator
from tests.messaging.carriers.specimens.base import Refusal, Specimen


def sign(body: bytes, content_type: str, secret: str, url: str) -> events.RawRequest:
    path = urlsplit(url).path
    mark = hmac.new(secret.encode(), path.encode() + body, hashlib.sha256).hexdigest()
    headers = {"content-type": content_type, "x-simulator-signature": mark}
    return events.RawRequest("POST", path, headers, body)


def read_sent(request: httpx.Request) -> results.Outgoing:
    told = json.loads(request.content)
    return results.Outgoing(
        attempt_token=told["callback_url"].rstrip("/").rsplit("/", 1)[1],
        sender=told["from"],
        recipient=told["to"],
        body=told["text"],
        callback_url=told["callback_url"],
        media_urls=tuple(told.get("media_urls", ())),
    )


def means(kind: events.ErrorClass) -> results.SendResult:
    detail = f"The simulator answered 422, error {kind}"
    match kind:
        case "opted_out":
            return results.OptedOut(kind, detail)
        case "throttled":
            return results.RateLimited(None)
        case "ambiguous":
            return results.OutcomeUnknown(detail)
        case "auth":
            return results.AuthFailed(detail)
        case _:
            return results.Rejected(kind, kind, detail)


SIMULATOR = Specimen(
    carrier=Simulator(),
    credentials={"secret": "a-secret-of-the-tests"},
    secret="secret",
    other_secret="another-secret",
    sign=sign,
    signature_headers=("x-simulator-signature",),
    covers=frozenset({"url", "body"}),
    api_setting="SIMULATOR_API_URL",
    send_path="/simulator/carrier/messages/",
    accepted=(201, {"id": "sim-1"}),
    accepted_id="sim-1",
    read_sent=read_sent,
    refusals=tuple(
        Refusal(status=422, answer={"code": kind}, means=means(kind))
        for kind in get_args(events.ErrorClass)
    ),
    identity=None,
)
