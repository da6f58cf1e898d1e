"""Vonage Messages API, v1, for SMS and MMS.

Follows Vonage's "Signed webhooks", "Messages API" with its webhooks and errors, "Secure inbound
media" and "Account API".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx

from messaging.carriers import vonage_signature
from messaging.carriers.base import (
    AuthFailed,
    CannotTell,
    Capabilities,
    Carrier,
    CredentialField,
    ErrorClass,
    Event,
    Found,
    IdentifyResult,
    Identity,
    Ignored,
    InboundMedia,
    InboundText,
    ListResult,
    LookUpResult,
    MediaRequest,
    NotFound,
    Outgoing,
    RawRequest,
    Receipt,
    SendResult,
    Sought,
    State,
    Unparsable,
    VerificationError,
)
from messaging.carriers.lists import objects
from messaging.carriers.sending import CODE_LIMIT, Answers, ask, hand_over, is_message_id
from messaging.carriers.vonage_reports import Reports, url
from messaging.carriers.webhooks import (
    ADDRESS_LIMIT,
    ID_LIMIT,
    URL_LIMIT,
    json_body,
    mapping,
    moment,
    path_of,
    readable,
    required,
    string,
    valid_secrets,
    with_plus,
)

STATES: dict[str, State] = {
    "submitted": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "rejected": "failed",
    "undeliverable": "failed",
}

REPORTED_STATES: dict[str, State] = {
    **STATES,
    "failed": "failed",
    "expired": "failed",
    "deleted": "failed",
    "unknown": "unknown",
}
"""Reports of the product SMS have words of their own."""

# Of a refused request the word is the field at fault, or the end of the error's address.
_CODES: dict[ErrorClass, str] = {
    "auth": (
        "1060 1070 1080 1110 1160 unauthorized forbidden low-balance unprovisioned "
        "account-suspended invalid-api-key"
    ),
    "bad_address": "1040 1170 1190 1200 1250 1260 1280 1300 1310 to",
    "filtered": "1050 1210 1270",
    "media": "image content",
    "opted_out": "9 1240",
    "registration": "1120 1140 from",
    "throttled": "1000 1241",
    "too_long": "1090 text",
    "transient": "1030 1100 1180 1220 1230 1290 1360",
}
ERROR_CLASSES: dict[str, ErrorClass] = {
    code[:CODE_LIMIT]: kind for kind, codes in _CODES.items() for code in codes.split()
}

MEDIA_KINDS = ("image", "audio", "video", "file", "vcard")


class Vonage(Carrier):
    """The adapter. Vonage writes numbers without the plus sign; here they get it."""

    name: ClassVar[str] = "vonage"
    label: ClassVar[str] = "Vonage"
    rejection_status: ClassVar[int] = 503
    """Vonage sends what it could not sign once more, signed, but only after a 5xx."""
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField("api_key", "API key", True, "Eight characters."),
        CredentialField("api_secret", "API secret", True, "Of that key."),
        *CredentialField(
            "signature_secret",
            "Signature secret",
            True,
            "It signs the webhooks. It is not the API secret.",
        ).rotating(),
    )
    capabilities: ClassVar[Capabilities] = Capabilities(
        longest_text=1000,
        media_count=10,
        media_bytes=600_000,
        media_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        can_look_up=True,
        can_list_inbound=True,
        charges_for_lists=True,
    )

    def verify(self, request: RawRequest, credentials: Mapping[str, str], public_url: str) -> None:
        """Check the JWT: its signature, whose it is, its age, and that it is of this body.

        Fails closed.
        """
        secrets = valid_secrets(credentials, "signature_secret", "signature secret")
        api_key = credentials.get("api_key", "")
        if not api_key:
            raise VerificationError("no API key is stored for this account")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise VerificationError("the signature is missing")
        vonage_signature.check(token.strip(), request.body, api_key, secrets)

    def parse(self, request: RawRequest) -> list[Event]:
        """Read a text that came in, or the status of one of ours."""
        event = mapping("the body", json_body(request))
        if "status" in event:
            return [_reported(event, string(event, "status"), event.get("error"))]
        if string(event, "channel") not in ("sms", "mms"):
            return [Ignored("an event of another channel")]
        return [_inbound(event)]

    def send(
        self, outgoing: Outgoing, credentials: Mapping[str, str], http: httpx.Client
    ) -> SendResult:
        """Create a message: SMS, or MMS where there are pictures."""
        if not all(_login(credentials)):
            return AuthFailed("the API key or its secret is not stored")
        body: dict[str, object] = {
            "from": outgoing.sender.removeprefix("+"),
            "to": outgoing.recipient.removeprefix("+"),
            "client_ref": outgoing.attempt_token,
            "webhook_url": outgoing.callback_url,
            "webhook_version": "v1",
            **_content(outgoing),
        }
        address = url("https://api.nexmo.com", "/v1/messages")
        return hand_over(http, address, ANSWERS, json=body, auth=_login(credentials))

    def media_request(self, url: str, credentials: Mapping[str, str]) -> MediaRequest:
        """A link that is good for 48 hours and asks for nothing."""
        return MediaRequest(url, (".nexmo.com", ".vonage.com"))

    def look_up(
        self, sought: Sought, credentials: Mapping[str, str], http: httpx.Client
    ) -> LookUpResult:
        """Search the reports for our reference."""
        found = Reports(_login(credentials), http).find(sought)
        return found if isinstance(found, NotFound | CannotTell | AuthFailed) else _found(found)

    def list_inbound(
        self,
        number: str,
        since: datetime,
        known: frozenset[str],
        credentials: Mapping[str, str],
        http: httpx.Client,
    ) -> ListResult:
        """Read the reports, which keep the words and no pictures."""
        return Reports(_login(credentials), http).inbound(number, since, known)

    def identify(self, credentials: Mapping[str, str], http: httpx.Client) -> IdentifyResult:
        """Ask for the balance, which proves the key."""
        if not all(_login(credentials)):
            return AuthFailed("the API key or its secret is not stored")
        address = url("https://rest.nexmo.com", "/account/get-balance")
        answer = ask(http, address, self.label, auth=_login(credentials))
        if isinstance(answer, AuthFailed | CannotTell):
            return answer
        value = answer.get("value")
        is_empty = isinstance(value, int | float) and value <= 0
        remark = "The account has no credit left." if is_empty else ""
        return Identity(credentials["api_key"][:64], "", remark)

    def sign_test(self, credentials: Mapping[str, str], url: str) -> RawRequest | None:
        """A status that does not exist."""
        body = b'{"message_uuid": "self-test", "status": "self-test"}'
        key, secret = credentials.get("api_key", ""), credentials.get("signature_secret", "")
        token = vonage_signature.sign(body, key, secret)
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        return RawRequest("POST", path_of(url), headers, body)


def _content(outgoing: Outgoing) -> dict[str, object]:
    """What of a request differs between a text, a picture and several; words go with the first."""
    if not outgoing.media_urls:
        return {"channel": "sms", "message_type": "text", "text": outgoing.body}
    pictures: list[dict[str, str]] = [{"url": url} for url in outgoing.media_urls]
    if outgoing.body:
        pictures[0]["caption"] = outgoing.body
    if len(pictures) == 1:
        return {"channel": "mms", "message_type": "image", "image": pictures[0]}
    content = [{"type": "image", **picture} for picture in pictures]
    return {"channel": "mms", "message_type": "content", "content": content}


def _fault(answer: Mapping[str, Any]) -> object:
    """What a refused request names as wrong: the first field at fault, or the error."""
    faults = answer.get("invalid_parameters")
    first = faults[0] if isinstance(faults, list) and faults else None
    field = first.get("name") if isinstance(first, dict) else None
    return field.partition(".")[0] if isinstance(field, str) else _code(answer)


def _code(error: Mapping[str, object]) -> str:
    """An error's number: its title, or the end of its address; else that end, a word."""
    word = str(error.get("type", "")).rpartition("#")[2]
    given = [word, str(error.get("title", "")), str(error.get("code", ""))]
    return next((text for text in given if text.isascii() and text.isdigit()), word)[:CODE_LIMIT]


ANSWERS = Answers(
    Vonage.label,
    ERROR_CLASSES,
    message_id=lambda answer: answer.get("message_uuid"),
    code=_fault,
)


def _reported(
    event: Mapping[str, object], status: str, error: object, states: Mapping[str, State] = STATES
) -> Receipt | Ignored:
    """What a status says, in a webhook as in a report."""
    state = states.get(status)
    if state is None:
        return Ignored("a status that needs nothing done")
    given = string(event, "message_uuid") or string(event, "message_id")
    message_id = required("message_uuid", given, ID_LIMIT)
    token = readable("client_ref", string(event, "client_ref"), 128)
    if state not in ("failed", "unknown"):
        return Receipt(message_id, state, attempt_token=token)
    code = readable("error", _code(error) if isinstance(error, dict) else "", CODE_LIMIT)
    default: ErrorClass = "transient" if status in ("undeliverable", "expired") else "other"
    kind = "ambiguous" if state == "unknown" else ERROR_CLASSES.get(code, default)
    return Receipt(message_id, state, code, kind, attempt_token=token)


def _inbound(event: Mapping[str, object]) -> InboundText:
    media = list(_media(event))
    captions = [string(item, "caption") for item in media]
    if event.get("text") is None and not media:
        raise Unparsable("text is missing")
    return InboundText(
        carrier_message_id=required("message_uuid", string(event, "message_uuid"), ID_LIMIT),
        sender=with_plus(required("from", string(event, "from"), ADDRESS_LIMIT)),
        recipient=with_plus(required("to", string(event, "to"), ADDRESS_LIMIT)),
        body=readable("text", "\n".join(filter(None, [string(event, "text"), *captions]))),
        sent_at=moment("timestamp", string(event, "timestamp")),
        media=tuple(
            InboundMedia(required("url", string(item, "url"), URL_LIMIT)) for item in media
        ),
    )


def _media(event: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The attachments: one under its kind's name, or several under `content`."""
    alone = [mapping(kind, event[kind]) for kind in MEDIA_KINDS if event.get(kind) is not None]
    several = objects("content", event.get("content"))
    return alone + [item for item in several if item.get("url") is not None]


def _login(credentials: Mapping[str, str]) -> tuple[str, str]:
    return credentials.get("api_key", ""), credentials.get("api_secret", "")


def _found(record: Mapping[str, Any]) -> LookUpResult:
    if not is_message_id(record.get("message_id")):
        return CannotTell("Vonage has the text, but does not say its id")
    status = str(record.get("status") or "submitted")
    try:
        error = {"title": record.get("error_code")}
        event = _reported(record, status, error, REPORTED_STATES)
    except Unparsable as error:
        return CannotTell(f"Vonage's answer makes no sense: {error.reason}")
    if isinstance(event, Ignored):
        event = Receipt(str(record["message_id"]), "sent")
    return Found(event)
