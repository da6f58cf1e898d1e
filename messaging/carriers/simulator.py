"""A carrier without a network. Its far end is our own `messaging.simulator`, called over HTTP.

Nothing that it sends leaves the installation: texts are posted to our own address alone. An
installation may be unable to call its own public name; then both ends use SIMULATOR_API_URL.

Its dialect (JSON throughout):

- Webhook: `{"type": "message", "id", "from", "to", "text", "sent_at"?, "media"?: [{"url",
  "content_type"?, "size"?, "sha256"?}], "others"?: [address]}` or `{"type": "receipt", "id",
  "state", "code"?, "words"?}`, with `X-Simulator-Signature` = hex(HMAC-SHA256(secret, path with
  query + raw body)).
- Sending: POST `{"from", "to", "text", "callback_url", "media_urls"?}` with the secret as
  bearer token; 201 `{"id"}`, 4xx `{"code", "words"?}`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import ClassVar, get_args
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from messaging.carriers import events, http, parsing, results
from messaging.carriers.base import Carrier, CredentialField

# The phone with which people text us; `messaging.simulator` serves it.
HANDSET_PATH = "/simulator/"
SEND_PATH = "/simulator/carrier/messages/"
STATES: dict[str, events.State] = {state: state for state in get_args(events.State)}
CODES: dict[str, events.ErrorClass] = {kind: kind for kind in get_args(events.ErrorClass)}
ANSWERS = http.Answers(
    "The simulator",
    CODES,
    message_id=lambda answer: answer.get("id"),
    code=lambda answer: answer.get("code"),
    words=lambda answer: (answer.get("words"),),
)


def signature(secret: str, path: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 over the path (with query) and the raw body."""
    return hmac.new(
        secret.encode(), path.encode("utf-8", "surrogatepass") + body, hashlib.sha256
    ).hexdigest()


class Simulator(Carrier):
    """Speak the simulator's dialect."""

    name: ClassVar = "simulator"
    label: ClassVar = "Simulator"
    credential_fields: ClassVar = CredentialField(
        "secret", "Secret", True, "Any words; both ends share them."
    ).rotating()
    capabilities: ClassVar = results.Capabilities(
        longest_text=1600,
        media_count=10,
        media_bytes=5_000_000,
        media_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        segments_per_second=50.0,
    )

    def verify(
        self, request: events.RawRequest, credentials: Mapping[str, str], public_url: str
    ) -> None:
        """Check X-Simulator-Signature. Fails closed."""
        secrets = parsing.valid_secrets(credentials, "secret", "secret")
        given = request.headers.get("x-simulator-signature", "")
        if not given:
            raise events.VerificationError("the signature header is missing")
        expected = [signature(secret, request.path, request.body) for secret in secrets]
        if not parsing.digest_is_any(given, expected):
            raise events.VerificationError("the signature does not match")

    def parse(self, request: events.RawRequest) -> list[events.Event]:
        """Read one JSON event."""
        event = parsing.read_object("the body", parsing.json_body(request))
        message_id = parsing.clean_required(
            "id", parsing.read_string(event, "id"), parsing.ID_LIMIT
        )
        match event.get("type"):
            case "message":
                return [_inbound(message_id, event)]
            case "receipt":
                return [_receipt(message_id, event)]
            case _:
                return [events.Ignored("an event of another type")]

    def send(
        self, outgoing: results.Outgoing, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.SendResult:
        """Post the text to the far end, as to any carrier."""
        secret = credentials.get("secret", "")
        if not secret:
            return results.AuthFailed("the secret is not stored")
        body: dict[str, object] = {
            "from": outgoing.sender,
            "to": outgoing.recipient,
            "text": outgoing.body,
            "callback_url": outgoing.callback_url,
        }
        if outgoing.media_urls:
            body["media_urls"] = list(outgoing.media_urls)
        bearer = {"authorization": f"Bearer {secret}"}
        url, headers = way_inside(settings.PUBLIC_URL.rstrip("/") + SEND_PATH)
        return http.post_text(client, url, ANSWERS, json=body, headers=bearer | headers)

    def media_request(self, url: str, credentials: Mapping[str, str]) -> results.MediaRequest:
        """Fetch it from our own far end, which serves what the handset sends."""
        host, secret = urlsplit(settings.PUBLIC_URL).hostname or "", credentials.get("secret", "")
        is_ours = bool(secret) and parsing.host_of(url) == host
        bearer = {"Authorization": f"Bearer {secret}"} if is_ours else {}
        inside, headers = way_inside(url)
        hosts = (urlsplit(own_origin()).hostname or "",)
        return results.MediaRequest(inside, hosts, bearer | headers)

    def identify(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.IdentifyResult:
        """Name our one account."""
        return results.Identity("simulator", "The handset")

    def sign_test(self, credentials: Mapping[str, str], url: str) -> events.RawRequest | None:
        """Make an event of no type."""
        path, body = parsing.path_of(url), b'{"type": "test", "id": "test"}'
        mark = signature(credentials.get("secret", ""), path, body)
        headers = {"content-type": "application/json", "x-simulator-signature": mark}
        return events.RawRequest("POST", path, headers, body)


def own_origin() -> str:
    """Return where the simulator's two ends find each other, without a path."""
    return settings.SIMULATOR_API_URL or settings.PUBLIC_URL.rstrip("/")


def way_inside(url: str) -> tuple[str, dict[str, str]]:
    """Return how to call an address of ours from this machine: the URL, and headers for it.

    They say which public address is meant, as a proxy in front of us would.
    """
    public = urlsplit(settings.PUBLIC_URL)
    own = settings.PUBLIC_URL.rstrip("/")
    if not settings.SIMULATOR_API_URL or not url.startswith(f"{own}/"):
        return url, {}
    inside = settings.SIMULATOR_API_URL + url.removeprefix(own)
    return inside, {"host": public.netloc, "x-forwarded-proto": public.scheme}


def _inbound(message_id: str, event: Mapping[str, object]) -> events.InboundText:
    return events.InboundText(
        carrier_message_id=message_id,
        sender=parsing.clean_required(
            "from", parsing.read_string(event, "from"), parsing.ADDRESS_LIMIT
        ),
        recipient=parsing.clean_required(
            "to", parsing.read_string(event, "to"), parsing.ADDRESS_LIMIT
        ),
        body=parsing.clean_field("text", parsing.read_string(event, "text")),
        sent_at=parsing.read_time("sent_at", parsing.read_string(event, "sent_at")),
        media=tuple(_medium(item) for item in parsing.read_objects("media", event.get("media"))),
        others=parsing.other_addresses(parsing.read_list("others", event.get("others"))),
    )


def _medium(item: Mapping[str, object]) -> events.InboundMedia:
    size = item.get("size")
    return events.InboundMedia(
        url=parsing.media_url(item.get("url")),
        content_type=parsing.clean_field(
            "content_type", parsing.read_string(item, "content_type"), parsing.TYPE_LIMIT
        ),
        size=size if isinstance(size, int) and size >= 0 else None,
        sha256=parsing.clean_field("sha256", parsing.read_string(item, "sha256"), 64),
    )


def _receipt(message_id: str, event: Mapping[str, object]) -> events.Event:
    state = STATES.get(parsing.read_string(event, "state"))
    if state is None:
        return events.Ignored("a state that needs nothing done")
    if state not in ("failed", "unknown"):
        return events.Receipt(message_id, state)
    code = parsing.clean_field("code", parsing.read_string(event, "code"), parsing.CODE_LIMIT)
    words = parsing.carrier_words(event.get("words"))
    return events.Receipt(message_id, state, code, CODES.get(code, "other"), words=words)
