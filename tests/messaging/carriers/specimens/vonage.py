from __future__ import annotations

import hashlib
import json
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt

from messaging.carriers import events, results
from messaging.carriers.vonage import Vonage
from tests.messaging.carriers.specimens.base import Refusal, Specimen

UUID = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ff"
ERRORS = "https://developer.vonage.com/api-errors/messages"


def claims(body: bytes, **more: object) -> dict[str, Any]:
    return {
        "iat": int(time.time()),
        "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(body).hexdigest(),
        "api_key": "abcd1234",
        "application_id": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
    } | more


def sign(body: bytes, content_type: str, secret: str, url: str) -> events.RawRequest:
    """By PyJWT, which Vonage's own SDK verifies with."""
    token = jwt.encode(claims(body), secret, algorithm="HS256")
    headers = {"content-type": content_type, "authorization": f"Bearer {token}"}
    return events.RawRequest("POST", urlsplit(url).path, headers, body)


def read_sent(request: httpx.Request) -> results.Outgoing:
    told = json.loads(request.content)
    pictures = [told["image"]] if "image" in told else told.get("content", [])
    assert told["channel"] == ("mms" if pictures else "sms")
    return results.Outgoing(
        attempt_token=told["client_ref"],
        sender="+" + told["from"],
        recipient="+" + told["to"],
        body=pictures[0]["caption"] if pictures else told["text"],
        callback_url=told["webhook_url"],
        media_urls=tuple(picture["url"] for picture in pictures),
    )


def error(kind: str, **more: object) -> dict[str, object]:
    return {"type": kind, "title": "Refused", "detail": "+12025550177", "instance": "x"} | more


CLASSES: dict[str, events.ErrorClass] = {
    "1040": "bad_address",
    "1050": "filtered",
    "1090": "too_long",
    "1120": "registration",
    "1140": "registration",
    "1100": "transient",
    "1999": "other",
}

VONAGE = Specimen(
    carrier=Vonage(),
    credentials={
        "api_key": "abcd1234",
        "api_secret": "the-api-secret",
        "signature_secret": "a-signature-secret-of-the-tests-32-bytes",
    },
    secret="signature_secret",
    other_secret="another-signature-secret-of-32-bytes-or-more",
    sign=sign,
    signature_headers=("authorization",),
    covers=frozenset({"body"}),
    api_setting="VONAGE_API_URL",
    send_path="/v1/messages",
    accepted=(202, {"message_uuid": UUID}),
    accepted_id=UUID,
    read_sent=read_sent,
    refusals=(
        *(
            Refusal(
                status=422,
                answer=error(f"{ERRORS}#{code}"),
                means=results.Rejected(code, kind, f"Vonage answered 422, error {code}"),
            )
            for code, kind in CLASSES.items()
        ),
        Refusal(
            status=422,
            answer=error(f"{ERRORS}#1150", invalid_parameters=[{"name": "to", "reason": "bad"}]),
            means=results.Rejected("to", "bad_address", "Vonage answered 422, error to"),
        ),
        Refusal(status=400, answer=error(f"{ERRORS}#1000"), means=results.RateLimited(None)),
        Refusal(
            status=401,
            answer=error("https://developer.vonage.com/api-errors#unauthorized"),
            means=results.AuthFailed("Vonage answered 401, error unauthorized"),
        ),
        Refusal(
            status=402,
            answer=error("https://developer.vonage.com/api-errors#low-balance"),
            means=results.AuthFailed("Vonage answered 402, error low-balance"),
        ),
    ),
    identity=(
        {"value": 0, "autoReload": False},
        results.Identity("abcd1234", "", "The account has no credit left."),
    ),
)
