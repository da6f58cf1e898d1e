from __future__ import annotations

import base64
import json
from urllib.parse import urlsplit

import httpx

from messaging.carriers import events, results
from messaging.carriers.bandwidth import Bandwidth
from tests.messaging.carriers.specimens.base import PUBLIC_URL, Refusal, Specimen

MESSAGE_ID = "1589228074636lm4k2je7j7jklbn2"


def sign(body: bytes, content_type: str, secret: str, url: str) -> events.RawRequest:
    login = base64.b64encode(f"callbacks:{secret}".encode()).decode()
    headers = {"content-type": content_type, "authorization": f"Basic {login}"}
    return events.RawRequest("POST", urlsplit(url).path, headers, body)


def read_sent(request: httpx.Request) -> results.Outgoing:
    """The callback's address is the application's; `tag` comes back in it."""
    told = json.loads(request.content)
    assert told["applicationId"] == "an-application"
    [recipient] = told["to"]
    return results.Outgoing(
        attempt_token=told["tag"],
        sender=told["from"],
        recipient=recipient,
        body=told["text"],
        callback_url=f"{PUBLIC_URL}/webhooks/bandwidth/an-account-token/{told['tag']}/",
        media_urls=tuple(told.get("media", ())),
    )


def fault(field: str) -> dict[str, object]:
    return {
        "type": "request-validation",
        "description": "Your request could not be accepted.",
        "fieldErrors": [{"fieldName": field, "description": "'+12025550177' is invalid"}],
    }


FIELDS: dict[str, events.ErrorClass] = {
    "to": "bad_address",
    "from": "registration",
    "text": "too_long",
    "media": "media",
    "tag": "other",
}

BANDWIDTH = Specimen(
    carrier=Bandwidth(),
    credentials={
        "account_id": "9900000",
        "application_id": "an-application",
        "api_user": "sender",
        "api_password": "the-api-password",
        "callback_user": "callbacks",
        "callback_password": "a-secret-of-the-tests",
    },
    secret="callback_password",
    other_secret="another-secret",
    sign=sign,
    signature_headers=("authorization",),
    covers=frozenset(),
    api_setting="BANDWIDTH_API_URL",
    send_path="/api/v2/users/9900000/messages",
    accepted=(202, {"id": MESSAGE_ID, "owner": "+12025550110", "segmentCount": 1}),
    accepted_id=MESSAGE_ID,
    read_sent=read_sent,
    refusals=(
        *(
            Refusal(
                status=400,
                answer=fault(field),
                means=results.Rejected(field, kind, f"Bandwidth answered 400, error {field}"),
            )
            for field, kind in FIELDS.items()
        ),
        Refusal(
            status=401,
            answer={"type": "unauthorized", "description": "Authentication Failed"},
            means=results.AuthFailed("Bandwidth answered 401, error unauthorized"),
        ),
        Refusal(
            status=403,
            answer={"type": "forbidden", "description": "Access Denied"},
            means=results.AuthFailed("Bandwidth answered 403, error forbidden"),
        ),
    ),
    errors_are_not_sent=True,
    identity=({"totalCount": 0, "messages": []}, results.Identity("9900000", "sender")),
)
