"""Bandwidth Programmable Messaging, API v2.

Follows Bandwidth's "Webhooks" (a JSON array), "Authenticated callbacks" (Basic, RFC 7617, asked
for by a challenge), "Create message", "List messages", "Media" and its messaging error codes.

An application has one callback address for all of its messages: our attempt travels as `tag`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlsplit

import httpx
from django.conf import settings

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
    Unreadable,
    VerificationError,
)
from messaging.carriers.lists import items, objects
from messaging.carriers.sending import CODE_LIMIT, Answers, ask, basic, hand_over, is_message_id
from messaging.carriers.webhooks import (
    ADDRESS_LIMIT,
    ID_LIMIT,
    URL_LIMIT,
    digest_is_any,
    host_of,
    json_body,
    mapping,
    moment,
    path_of,
    readable,
    required,
    string,
    valid_secrets,
)

STATES: dict[str, State] = {
    "message-sending": "sending",
    "message-sent": "sent",
    "message-delivered": "delivered",
    "message-read": "delivered",
    "message-failed": "failed",
}

LISTED_STATES: dict[str, State] = {
    "DELIVERED": "delivered",
    "FAILED": "failed",
    "UNDELIVERED": "failed",
}

# The words are those of a refused request: its type, or the field that is wrong.
_CODES: dict[ErrorClass, str] = {
    "ambiguous": "9902 9999",
    "auth": "4001 4421 4432 4451 4452 4493 unauthorized forbidden applicationId",
    "bad_address": "4303 4350 4404 4406 4408 4420 4434 4482 4492 4700 4720 4721 4730 to",
    "filtered": "4470 4481 4770 4771 4772 4790",
    "media": "4409 4410 4411 4412 4711 4712 media",
    "opted_out": "4775",
    "registration": "4302 4403 4405 4407 4431 4433 4740 4773 4774 4791 4792 4793 4795 from",
    "throttled": "429 4780 4781 4785",
    "too_long": "4751 text",
    "transient": "4701 4702",
}
ERROR_CLASSES: dict[str, ErrorClass] = {
    code: kind for kind, codes in _CODES.items() for code in codes.split()
}

HOST = "messaging.bandwidth.com"


class Bandwidth(Carrier):
    """The adapter."""

    name: ClassVar[str] = "bandwidth"
    label: ClassVar[str] = "Bandwidth"
    challenge: ClassVar[str] = 'Basic realm="Partyline"'
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField("account_id", "Account ID", True, "Seven digits."),
        CredentialField("application_id", "Application ID", True, "Of the messaging application."),
        CredentialField("api_user", "API user name", True, "It sends, and fetches pictures."),
        CredentialField("api_password", "API password", True, "Of that user."),
        CredentialField(
            "callback_user", "Callback user name", True, "As entered in the application."
        ),
        *CredentialField(
            "callback_password",
            "Callback password",
            True,
            "As entered in the application. Make a long one up: nothing else proves a webhook.",
        ).rotating(),
    )
    capabilities: ClassVar[Capabilities] = Capabilities(
        longest_text=2048,
        media_count=10,
        media_bytes=500_000,
        media_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        can_look_up=True,
    )

    def verify(self, request: RawRequest, credentials: Mapping[str, str], public_url: str) -> None:
        """Compare Basic credentials. Fails closed. Bandwidth signs nothing else."""
        user = credentials.get("callback_user", "")
        passwords = valid_secrets(credentials, "callback_password", "callback password")
        if not user:
            raise VerificationError("no callback user name is stored for this account")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise VerificationError("the callback user name and password are missing")
        expected = [basic(user, password).partition(" ")[2] for password in passwords]
        if not digest_is_any(given.strip(), expected):
            raise VerificationError("the callback user name or password is wrong")

    def parse(self, request: RawRequest) -> list[Event]:
        """Read the events of one call, texts and states mixed."""
        return [_event_or_trouble(item) for item in items("the body", json_body(request))]

    def send(
        self, outgoing: Outgoing, credentials: Mapping[str, str], http: httpx.Client
    ) -> SendResult:
        """Create a message. What Bandwidth answers with 4xx or 5xx, it says, is not sent."""
        url = _url(credentials, "/messages")
        if url is None or not credentials.get("application_id"):
            return AuthFailed("the account, the application or the API user is not stored")
        body: dict[str, object] = {
            "applicationId": credentials["application_id"],
            "to": [outgoing.recipient],
            "from": outgoing.sender,
            "text": outgoing.body,
            "tag": outgoing.attempt_token,
        }
        if outgoing.media_urls:
            body["media"] = list(outgoing.media_urls)
        return hand_over(http, url, ANSWERS, json=body, auth=_login(credentials))

    def media_request(self, url: str, credentials: Mapping[str, str]) -> MediaRequest:
        """Bandwidth keeps pictures for two days behind the API user's login."""
        is_theirs = host_of(url) == HOST
        headers = {"authorization": basic(*_login(credentials))} if is_theirs else {}
        return MediaRequest(url, (HOST,), headers)

    def look_up(
        self, sought: Sought, credentials: Mapping[str, str], http: httpx.Client
    ) -> LookUpResult:
        """Search the messages between the two numbers.

        The list has neither words nor tags, only lengths: it tells of an attempt that is alone.
        """
        answer = _ask(
            credentials,
            http,
            messageDirection="OUTBOUND",
            sourceTn=sought.sender,
            destinationTn=sought.recipient,
            fromDateTime=_stamp(sought.earliest),
            toDateTime=_stamp(sought.latest),
        )
        if isinstance(answer, AuthFailed | CannotTell):
            return answer
        try:
            listed = objects("messages", answer.get("messages"))
        except Unparsable as error:
            return CannotTell(f"Bandwidth's answer makes no sense: {error.reason}")
        unclaimed = [one for one in listed if one.get("messageId") not in sought.not_these]
        if not unclaimed:
            return NotFound()
        if sought.is_alone and len(unclaimed) == 1 and _has_length(unclaimed[0], sought.body):
            return _found(unclaimed[0])
        return CannotTell("Bandwidth lists texts of that time, but not whether one is this")

    def identify(self, credentials: Mapping[str, str], http: httpx.Client) -> IdentifyResult:
        """List one message, which proves the account and its API user."""
        answer = _ask(credentials, http, messageDirection="OUTBOUND", limit="1")
        if isinstance(answer, AuthFailed | CannotTell):
            return answer
        return Identity(credentials["account_id"][:64], credentials["api_user"][:120])

    def sign_test(self, credentials: Mapping[str, str], url: str) -> RawRequest | None:
        """An event of a type that does not exist."""
        login = (credentials.get("callback_user", ""), credentials.get("callback_password", ""))
        headers = {"content-type": "application/json", "authorization": basic(*login)}
        return RawRequest("POST", path_of(url), headers, b'[{"type": "self-test"}]')


def _field_or_type(answer: Mapping[str, Any]) -> object:
    """What a refused request names as wrong: the first field at fault, or the type of error."""
    faults = answer.get("fieldErrors")
    first = faults[0] if isinstance(faults, list) and faults else None
    field = first.get("fieldName") if isinstance(first, dict) else None
    return field.partition("[")[0] if isinstance(field, str) else answer.get("type")


ANSWERS = Answers(
    Bandwidth.label,
    ERROR_CLASSES,
    message_id=lambda answer: answer.get("id"),
    code=_field_or_type,
    errors_are_not_sent=True,
)


def _has_length(listed: Mapping[str, object], body: str) -> bool:
    """Whether it is as long as what we sent, in characters or in UTF-16 units."""
    return listed.get("messageLength") in (len(body), len(body.encode("utf-16-le")) // 2)


def _found(listed: Mapping[str, object]) -> LookUpResult:
    message_id = listed.get("messageId")
    if not is_message_id(message_id):
        return CannotTell("Bandwidth has the text, but does not say its id")
    state = LISTED_STATES.get(str(listed.get("messageStatus")), "sent")
    code, error_class = _error(listed) if state == "failed" else ("", "")
    if error_class == "ambiguous":
        state = "unknown"
    return Found(Receipt(message_id, state, code, error_class))


def _event_or_trouble(item: object) -> Event:
    """One event that makes no sense hides no other."""
    try:
        return _event(mapping("an event", item))
    except Unparsable as error:
        return Unreadable(error.reason)


def _event(event: Mapping[str, object]) -> Event:
    kind = string(event, "type")
    if kind == "message-received":
        return _inbound(event, mapping("message", event.get("message")))
    state = STATES.get(kind)
    if state is None:
        return Ignored("an event of another type")
    message = mapping("message", event.get("message"))
    code, error_class = _error(event) if state == "failed" else ("", "")
    return Receipt(
        carrier_message_id=required("id", string(message, "id"), ID_LIMIT),
        state="unknown" if error_class == "ambiguous" else state,
        error_code=code,
        error_class=error_class,
        recipient=readable("to", string(event, "to"), ADDRESS_LIMIT),
        attempt_token=readable("tag", string(message, "tag"), 1024),
    )


def _error(event: Mapping[str, object]) -> tuple[str, ErrorClass | Literal[""]]:
    given = event.get("errorCode")
    code = readable("errorCode", str(given), CODE_LIMIT) if isinstance(given, int | str) else ""
    default: ErrorClass = "transient" if code.startswith("5") else "other"
    return code, ERROR_CLASSES.get(code, default)


def _inbound(event: Mapping[str, object], message: Mapping[str, object]) -> InboundText:
    """A text. Of a group text each of our numbers gets its own event, and `to` names it."""
    urls = [_media_url(item) for item in items("media", message.get("media"))]
    if message.get("text") is None and not urls:
        raise Unparsable("text is missing")
    recipient = string(event, "to") or string(message, "owner")
    return InboundText(
        carrier_message_id=required("id", string(message, "id"), ID_LIMIT),
        sender=required("from", string(message, "from"), ADDRESS_LIMIT),
        recipient=required("to", recipient, ADDRESS_LIMIT),
        body=readable("text", string(message, "text")),
        sent_at=moment("time", string(message, "time")),
        media=tuple(InboundMedia(url) for url in urls if not _is_layout(url)),
    )


def _media_url(item: object) -> str:
    if not isinstance(item, str):
        raise Unparsable("one of media is not an address")
    return required("media", item, URL_LIMIT)


def _is_layout(url: str) -> bool:
    """SMIL only says how a phone lays the pictures out."""
    name = urlsplit(url).path.lower()
    return name.endswith((".smil", "/smil.xml"))


def _login(credentials: Mapping[str, str]) -> tuple[str, str]:
    return credentials.get("api_user", ""), credentials.get("api_password", "")


def _url(credentials: Mapping[str, str], path: str) -> str | None:
    """An address of the account; None when it or its API user is not stored."""
    account = credentials.get("account_id", "")
    if not account or not all(_login(credentials)):
        return None
    base = str(getattr(settings, "BANDWIDTH_API_URL", f"https://{HOST}")).rstrip("/")
    return f"{base}/api/v2/users/{quote(account, safe='')}{path}"


def _ask(
    credentials: Mapping[str, str], http: httpx.Client, **params: str
) -> dict[str, Any] | AuthFailed | CannotTell:
    url = _url(credentials, "/messages")
    if url is None:
        return AuthFailed("the account or the API user is not stored")
    return ask(http, url, Bandwidth.label, params=params, auth=_login(credentials))


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
