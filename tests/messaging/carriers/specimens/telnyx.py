from __future__ import annotations

import base64
import hashlib
import json
import time
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from messaging.carriers import events, results
from messaging.carriers.telnyx import Telnyx
from tests.messaging.carriers.specimens.base import Refusal, Specimen

MESSAGE_ID = "40385f64-5717-4562-b3fc-2c963f66afa6"
ORGANIZATION = "47a530f8-4362-4526-829b-bcee17fd9f7a"


def key_pair(seed: str) -> tuple[str, Ed25519PrivateKey]:
    """The public half as Telnyx's portal shows it, and the private one that Telnyx keeps."""
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())
    return base64.b64encode(private.public_key().public_bytes_raw()).decode(), private


PAIRS = dict(key_pair(seed) for seed in ("ours", "another", "a third"))
PUBLIC, OTHER, THIRD = PAIRS


def sign(body: bytes, content_type: str, secret: str, url: str) -> events.RawRequest:
    return signed_at(int(time.time()), body, content_type, secret, url)


def signed_at(at: int, body: bytes, content_type: str, secret: str, url: str) -> events.RawRequest:
    signature = PAIRS[secret].sign(f"{at}|".encode() + body)
    headers = {
        "content-type": content_type,
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        "telnyx-timestamp": str(at),
    }
    return events.RawRequest("POST", urlsplit(url).path, headers, body)


def read_sent(request: httpx.Request) -> results.Outgoing:
    told = json.loads(request.content)
    assert request.headers["authorization"] == "Bearer KEY0"
    return results.Outgoing(
        attempt_token=request.headers["idempotency-key"],
        sender=told["from"],
        recipient=told["to"],
        body=told["text"],
        callback_url=told["webhook_url"],
        media_urls=tuple(told.get("media_urls", ())),
    )


def error(code: str) -> dict[str, object]:
    return {"errors": [{"code": code, "title": "Refused", "detail": "+12025550177 was refused."}]}


CLASSES: dict[str, events.ErrorClass] = {
    "10002": "bad_address",
    "40001": "bad_address",
    "40012": "bad_address",
    "40002": "filtered",
    "40013": "registration",
    "40302": "too_long",
    "40317": "media",
    "40006": "transient",
    "49999": "other",
}

TELNYX = Specimen(
    carrier=Telnyx(),
    credentials={"api_key": "KEY0", "public_key": PUBLIC},
    secret="public_key",
    other_secret=OTHER,
    sign=sign,
    signature_headers=("telnyx-signature-ed25519", "telnyx-timestamp"),
    covers=frozenset({"body"}),
    api_setting="TELNYX_API_URL",
    send_path="/v2/messages",
    accepted=(200, {"data": {"id": MESSAGE_ID, "to": [{"status": "queued"}]}}),
    accepted_id=MESSAGE_ID,
    read_sent=read_sent,
    refusals=(
        *(
            Refusal(
                status=422,
                answer=error(code),
                means=results.Rejected(code, kind, f"Telnyx answered 422, error {code}"),
            )
            for code, kind in CLASSES.items()
        ),
        Refusal(
            status=403,
            answer=error("40300"),
            means=results.OptedOut("40300", "Telnyx answered 403, error 40300"),
        ),
        Refusal(status=400, answer=error("40318"), means=results.RateLimited(None)),
        Refusal(
            status=401,
            answer=error("10009"),
            means=results.AuthFailed("Telnyx answered 401, error 10009"),
        ),
        Refusal(
            status=403,
            answer=error("10010"),
            means=results.AuthFailed("Telnyx answered 403, error 10010"),
        ),
    ),
    identity=(
        {"data": [{"name": "Front Desk", "enabled": False, "organization_id": ORGANIZATION}]},
        results.Identity(ORGANIZATION, "Front Desk", "A messaging profile is disabled."),
    ),
)
