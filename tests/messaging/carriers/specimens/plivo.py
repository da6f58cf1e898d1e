from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import httpx
from plivo.utils import signature_v3  # type: ignore[import-untyped]

from messaging.carriers import events, results
from messaging.carriers.plivo import Plivo
from tests.messaging.carriers.specimens.base import Refusal, Specimen

UUID = "db342550-7c1e-11e5-8bcf-feff819cdc9f"
NONCE = "05429567804466091622"


def sign(body: bytes, content_type: str, secret: str, url: str) -> events.RawRequest:
    """V3, by the functions of Plivo's own SDK."""
    fields = parse_qs(body.decode(), keep_blank_values=True)
    base = signature_v3.construct_post_url(url, fields).decode()
    mark = signature_v3.get_signature_v3(secret.encode(), base, NONCE).decode()
    assert signature_v3.validate_v3_signature("POST", url, NONCE, secret, mark, fields)
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    headers = {
        "content-type": content_type,
        "x-plivo-signature-v3": mark,
        "x-plivo-signature-v3-nonce": NONCE,
    }
    return events.RawRequest("POST", path, headers, body)


def read_sent(request: httpx.Request) -> results.Outgoing:
    told = json.loads(request.content)
    assert told["method"] == "POST"
    assert told.get("type", "sms") == ("mms" if "media_urls" in told else "sms")
    return results.Outgoing(
        attempt_token=told["url"].rstrip("/").rsplit("/", 1)[1],
        sender=told["src"],
        recipient=told["dst"],
        body=told["text"],
        callback_url=told["url"],
        media_urls=tuple(told.get("media_urls", ())),
    )


PLIVO = Specimen(
    carrier=Plivo(),
    credentials={"auth_id": "MAXXXXXXXXXXXXXXXXXX", "auth_token": "a-secret-of-the-tests"},
    secret="auth_token",
    other_secret="another-secret",
    sign=sign,
    signature_headers=("x-plivo-signature-v3", "x-plivo-signature-v3-nonce"),
    covers=frozenset({"url", "body"}),
    api_setting="PLIVO_API_URL",
    send_path="/v1/Account/MAXXXXXXXXXXXXXXXXXX/Message/",
    accepted=(202, {"message": "message(s) queued", "message_uuid": [UUID], "api_id": "x"}),
    accepted_id=UUID,
    read_sent=read_sent,
    refusals=(
        Refusal(
            status=400,
            answer={"api_id": "x", "error": "dst +12025550177 is not valid"},
            means=results.Rejected("400", "other", "Plivo answered 400, error not given"),
        ),
        Refusal(
            status=402,
            answer={"api_id": "x", "error": "insufficient credit"},
            means=results.AuthFailed("Plivo answered 402, error not given"),
        ),
        Refusal(
            status=401,
            answer="Could not verify your access level for that URL.",
            means=results.AuthFailed("Plivo answered 401, error not given"),
        ),
    ),
    identity=(
        {"auth_id": "MAXXXXXXXXXXXXXXXXXX", "name": "Okafor & Sons", "api_id": "x"},
        results.Identity("MAXXXXXXXXXXXXXXXXXX", "Okafor & Sons"),
    ),
)
