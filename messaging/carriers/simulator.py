"""The demo's carrier. Its far end is our own `messaging.simulator`, called over real HTTP.

Its dialect (JSON throughout):

- Webhook: `{"type": "message", "id", "from", "to", "text", "sent_at"?}` or
  `{"type": "receipt", "id", "state", "code"?}`, with `X-Simulator-Signature` =
  hex(HMAC-SHA256(secret, path with query + raw body)).
- Sending: POST `{"from", "to", "text", "callback_url"}` with the secret as bearer
  token; 201 `{"id"}`, 4xx `{"code"}`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import get_args

import httpx
from django.conf import settings

from messaging.carriers.base import (
    Accepted,
    AuthFailed,
    CredentialField,
    ErrorClass,
    Event,
    Ignored,
    InboundText,
    OptedOut,
    OutcomeUnknown,
    Outgoing,
    RateLimited,
    RawRequest,
    Receipt,
    Rejected,
    SendResult,
    State,
    Unparsable,
    VerificationError,
)
from messaging.carriers.sending import failure, is_message_id, json_object, retry_after
from messaging.carriers.webhooks import (
    ADDRESS_LIMIT,
    ID_LIMIT,
    digest_is_any,
    readable,
    required,
)

STATES: dict[str, State] = {state: state for state in get_args(State)}
CODES: dict[str, ErrorClass] = {kind: kind for kind in get_args(ErrorClass)}


def signature(secret: str, path: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over the path (with query) and the raw body."""
    return hmac.new(
        secret.encode(), path.encode("utf-8", "surrogatepass") + body, hashlib.sha256
    ).hexdigest()


class Simulator:
    """The adapter; it holds no state."""

    name: str = "simulator"
    label: str = "Simulator"
    rejection_status: int = 403
    answers_help: bool = False
    credential_fields: tuple[CredentialField, ...] = (
        CredentialField("secret", "Secret", True, "Any words; both ends of the demo share them."),
    )

    def verify(self, request: RawRequest, credentials: Mapping[str, str], public_url: str) -> None:
        """Check X-Simulator-Signature. Fails closed."""
        secret = credentials.get("secret", "")
        if not secret:
            raise VerificationError("no secret is stored for this account")
        given = request.headers.get("x-simulator-signature", "")
        if not given:
            raise VerificationError("the signature header is missing")
        if not digest_is_any(given, [signature(secret, request.path, request.body)]):
            raise VerificationError("the signature does not match")

    def parse(self, request: RawRequest) -> list[Event]:
        """Read one JSON event."""
        try:
            event = json.loads(request.body)
        except (ValueError, RecursionError):
            raise Unparsable("the body is not JSON") from None
        if not isinstance(event, dict):
            raise Unparsable("the body is not a JSON object")
        message_id = required("id", _string(event, "id"), ID_LIMIT)
        match event.get("type"):
            case "message":
                return [_inbound(message_id, event)]
            case "receipt":
                return [_receipt(message_id, event)]
            case _:
                return [Ignored("an event of another type")]

    def ack(self) -> tuple[bytes, str]:
        """Nothing to say."""
        return b"", "text/plain"

    def send(
        self, outgoing: Outgoing, credentials: Mapping[str, str], http: httpx.Client
    ) -> SendResult:
        """Post the text to the far end, as to any carrier."""
        secret = credentials.get("secret", "")
        if not secret:
            return AuthFailed("the secret is not stored")
        try:
            response = http.post(
                api_url(),
                json={
                    "from": outgoing.sender,
                    "to": outgoing.recipient,
                    "text": outgoing.body,
                    "callback_url": outgoing.callback_url,
                },
                headers={"authorization": f"Bearer {secret}"},
                follow_redirects=False,
            )
        except httpx.RequestError as error:
            return failure(error)
        return _outcome(response)


def api_url() -> str:
    """Where texts are posted: our own far end, unless SIMULATOR_API_URL says otherwise."""
    given = str(getattr(settings, "SIMULATOR_API_URL", "") or "")
    return given or settings.PUBLIC_URL.rstrip("/") + "/simulator/carrier/messages/"


def _string(event: Mapping[str, object], key: str) -> str:
    value = event.get(key, "")
    if not isinstance(value, str):
        raise Unparsable(f"{key} is not a string")
    return value


def _inbound(message_id: str, event: Mapping[str, object]) -> InboundText:
    stamp = _string(event, "sent_at")
    try:
        sent_at = datetime.fromisoformat(stamp) if stamp else None
    except ValueError:
        raise Unparsable("sent_at is not a time") from None
    if sent_at is not None and sent_at.tzinfo is None:
        sent_at = sent_at.replace(tzinfo=UTC)
    return InboundText(
        carrier_message_id=message_id,
        sender=required("from", _string(event, "from"), ADDRESS_LIMIT),
        recipient=required("to", _string(event, "to"), ADDRESS_LIMIT),
        body=readable("text", _string(event, "text")),
        sent_at=sent_at,
    )


def _receipt(message_id: str, event: Mapping[str, object]) -> Event:
    state = STATES.get(_string(event, "state"))
    if state is None:
        return Ignored("a state that needs nothing done")
    if state != "failed":
        return Receipt(message_id, state)
    code = readable("code", _string(event, "code"), 16)
    return Receipt(message_id, state, code, CODES.get(code, "other"))


def _outcome(response: httpx.Response) -> SendResult:
    status = response.status_code
    answer = json_object(response)
    if status in (200, 201, 202):
        message_id = answer.get("id")
        if is_message_id(message_id):
            return Accepted(message_id)
        return OutcomeUnknown(f"the simulator answered {status} without a readable id")
    if status == 429:
        return RateLimited(retry_after(response))
    if status == 408 or not 400 <= status < 500:
        return OutcomeUnknown(f"the simulator answered {status}")
    code = str(answer.get("code", ""))[:16]
    detail = f"the simulator answered {status}"
    if status == 401:
        return AuthFailed(detail)
    if code == "opted_out":
        return OptedOut(code, detail)
    return Rejected(code or str(status), CODES.get(code, "other"), detail)
