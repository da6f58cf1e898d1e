"""The demo's carrier. Its far end is our own `messaging.simulator`, called over real HTTP.

Its dialect (JSON throughout):

- Webhook: `{"type": "message", "id", "from", "to", "text", "sent_at"?, "media"?: [{"url",
  "content_type"?, "size"?, "sha256"?}]}` or `{"type": "receipt", "id", "state", "code"?}`, with
  `X-Simulator-Signature` = hex(HMAC-SHA256(secret, path with query + raw body)).
- Sending: POST `{"from", "to", "text", "callback_url", "media_urls"?}` with the secret as
  bearer token; 201 `{"id"}`, 4xx `{"code"}`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import ClassVar, get_args
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from messaging.carriers.base import (
    AuthFailed,
    Capabilities,
    Carrier,
    CredentialField,
    ErrorClass,
    Event,
    IdentifyResult,
    Identity,
    Ignored,
    InboundMedia,
    InboundText,
    MediaRequest,
    Outgoing,
    RawRequest,
    Receipt,
    SendResult,
    State,
    VerificationError,
)
from messaging.carriers.lists import objects
from messaging.carriers.sending import CODE_LIMIT, Answers, hand_over
from messaging.carriers.webhooks import (
    ADDRESS_LIMIT,
    ID_LIMIT,
    TYPE_LIMIT,
    URL_LIMIT,
    digest_is_any,
    json_body,
    mapping,
    moment,
    path_of,
    readable,
    required,
    string,
    valid_secrets,
)

STATES: dict[str, State] = {state: state for state in get_args(State)}
CODES: dict[str, ErrorClass] = {kind: kind for kind in get_args(ErrorClass)}
ANSWERS = Answers(
    "The simulator",
    CODES,
    message_id=lambda answer: answer.get("id"),
    code=lambda answer: answer.get("code"),
)


def signature(secret: str, path: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over the path (with query) and the raw body."""
    return hmac.new(
        secret.encode(), path.encode("utf-8", "surrogatepass") + body, hashlib.sha256
    ).hexdigest()


class Simulator(Carrier):
    """The adapter."""

    name: ClassVar = "simulator"
    label: ClassVar = "Simulator"
    credential_fields: ClassVar = CredentialField(
        "secret", "Secret", True, "Any words; both ends of the demo share them."
    ).rotating()
    capabilities: ClassVar = Capabilities(
        longest_text=1600,
        media_count=10,
        media_bytes=5_000_000,
        media_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        segments_per_second=50.0,
    )

    def verify(self, request: RawRequest, credentials: Mapping[str, str], public_url: str) -> None:
        """Check X-Simulator-Signature. Fails closed."""
        secrets = valid_secrets(credentials, "secret", "secret")
        given = request.headers.get("x-simulator-signature", "")
        if not given:
            raise VerificationError("the signature header is missing")
        expected = [signature(secret, request.path, request.body) for secret in secrets]
        if not digest_is_any(given, expected):
            raise VerificationError("the signature does not match")

    def parse(self, request: RawRequest) -> list[Event]:
        """Read one JSON event."""
        event = mapping("the body", json_body(request))
        message_id = required("id", string(event, "id"), ID_LIMIT)
        match event.get("type"):
            case "message":
                return [_inbound(message_id, event)]
            case "receipt":
                return [_receipt(message_id, event)]
            case _:
                return [Ignored("an event of another type")]

    def send(
        self, outgoing: Outgoing, credentials: Mapping[str, str], http: httpx.Client
    ) -> SendResult:
        """Post the text to the far end, as to any carrier."""
        secret = credentials.get("secret", "")
        if not secret:
            return AuthFailed("the secret is not stored")
        body: dict[str, object] = {
            "from": outgoing.sender,
            "to": outgoing.recipient,
            "text": outgoing.body,
            "callback_url": outgoing.callback_url,
        }
        if outgoing.media_urls:
            body["media_urls"] = list(outgoing.media_urls)
        bearer = {"authorization": f"Bearer {secret}"}
        return hand_over(http, api_url(), ANSWERS, json=body, headers=bearer)

    def media_request(self, url: str, credentials: Mapping[str, str]) -> MediaRequest:
        """Our own far end serves what the handset sends."""
        return MediaRequest(url, (urlsplit(settings.PUBLIC_URL).hostname or "",))

    def identify(self, credentials: Mapping[str, str], http: httpx.Client) -> IdentifyResult:
        """There is one account, and it is ours."""
        return Identity("simulator", "The demo's handset")

    def sign_test(self, credentials: Mapping[str, str], url: str) -> RawRequest | None:
        """An event of no type."""
        path, body = path_of(url), b'{"type": "test", "id": "test"}'
        mark = signature(credentials.get("secret", ""), path, body)
        headers = {"content-type": "application/json", "x-simulator-signature": mark}
        return RawRequest("POST", path, headers, body)


def api_url() -> str:
    """Where texts are posted: our own far end, unless SIMULATOR_API_URL says otherwise."""
    given = str(getattr(settings, "SIMULATOR_API_URL", "") or "")
    return given or settings.PUBLIC_URL.rstrip("/") + "/simulator/carrier/messages/"


def _inbound(message_id: str, event: Mapping[str, object]) -> InboundText:
    return InboundText(
        carrier_message_id=message_id,
        sender=required("from", string(event, "from"), ADDRESS_LIMIT),
        recipient=required("to", string(event, "to"), ADDRESS_LIMIT),
        body=readable("text", string(event, "text")),
        sent_at=moment("sent_at", string(event, "sent_at")),
        media=tuple(_medium(item) for item in objects("media", event.get("media"))),
    )


def _medium(item: Mapping[str, object]) -> InboundMedia:
    size = item.get("size")
    return InboundMedia(
        url=required("url", string(item, "url"), URL_LIMIT),
        content_type=readable("content_type", string(item, "content_type"), TYPE_LIMIT),
        size=size if isinstance(size, int) and size >= 0 else None,
        sha256=readable("sha256", string(item, "sha256"), 64),
    )


def _receipt(message_id: str, event: Mapping[str, object]) -> Event:
    state = STATES.get(string(event, "state"))
    if state is None:
        return Ignored("a state that needs nothing done")
    if state not in ("failed", "unknown"):
        return Receipt(message_id, state)
    code = readable("code", string(event, "code"), CODE_LIMIT)
    return Receipt(message_id, state, code, CODES.get(code, "other"))
