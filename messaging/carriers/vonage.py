"""Vonage Messages API, v1, for SMS and MMS.

Follows Vonage's "Signed webhooks", "Messages API" with its webhooks and errors, "Secure inbound
media" and "Account API".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx

from messaging.carriers import (
    events,
    http,
    numbers,
    parsing,
    results,
    vonage_numbers,
    vonage_signature,
)
from messaging.carriers.api_calls import Api
from messaging.carriers.base import Carrier, CredentialField
from messaging.carriers.vonage_errors import ERROR_CLASSES
from messaging.carriers.vonage_reports import Reports, url

STATES: dict[str, events.State] = {
    "submitted": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "rejected": "failed",
    "undeliverable": "failed",
}

# Reports of the product SMS have words of their own.
REPORTED_STATES: dict[str, events.State] = {
    **STATES,
    "failed": "failed",
    "expired": "failed",
    "deleted": "failed",
    "unknown": "unknown",
}

# A refused request may name the field that is wrong.
FIELD_CLASSES: dict[str, events.ErrorClass] = {
    "content": "media",
    "from": "sender",
    "image": "media",
    "text": "too_long",
    "to": "bad_address",
}

# Of a status without an error that we know.
DEFAULT_CLASSES: dict[str, events.ErrorClass] = {
    "undeliverable": "transient",
    "expired": "expired",
}

CHANNELS = {
    "whatsapp": "WhatsApp",
    "rcs": "RCS",
    "messenger": "Facebook Messenger",
    "viber_service": "Viber",
}
OTHER_CHANNEL = (
    "It came by {channel}; Partyline serves SMS and MMS. In Vonage's dashboard, link the "
    "{channel} account to another application than the one with this address."
)
OLD_VERSION = (
    "It is in the form of the Messages API v0.1. In Vonage's dashboard, Applications, at the "
    "capability Messages, set the version of both webhooks to v1."
)
SMS_API = (
    "It came by Vonage's older SMS API. In Vonage's dashboard, API Settings, set Messaging API "
    "Type to Messages API, and enter this address at the application."
)

MEDIA_KINDS = ("image", "audio", "video", "file", "vcard")


class Vonage(Carrier):
    """Speak Vonage's dialect. Vonage writes numbers without the plus sign; we add it."""

    name: ClassVar[str] = "vonage"
    label: ClassVar[str] = "Vonage"
    post_setting: ClassVar[str] = (
        "in Vonage's dashboard, at the application, set the method of both webhooks to POST"
    )
    # Vonage sends what it could not sign once more, signed, but only after a 5xx.
    rejection_status: ClassVar[int] = 503
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
    account_fields: ClassVar[tuple[str, ...]] = ("api_key",)
    capabilities: ClassVar[results.Capabilities] = results.Capabilities(
        longest_text=1000,
        media_count=10,
        media_bytes=600_000,
        media_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        can_look_up=True,
        can_list_inbound=True,
        charges_for_lists=True,
    )

    def verify(
        self, request: events.RawRequest, credentials: Mapping[str, str], public_url: str
    ) -> None:
        """Check the JWT: its signature, whose it is, its age, and that it is of this body.

        Fails closed.
        """
        secrets = parsing.valid_secrets(credentials, "signature_secret", "signature secret")
        api_key = credentials.get("api_key", "")
        if not api_key:
            raise events.VerificationError("no API key is stored for this account")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            is_old = b"msisdn" in request.body or "msisdn=" in request.path
            raise events.VerificationError(
                SMS_API
                if is_old
                else "the signature is missing (in Vonage's API settings, "
                "webhooks must be signed with the signature secret)"
            )
        vonage_signature.check(token.strip(), request.body, api_key, secrets)

    def explain_method(self, request: events.RawRequest) -> str:
        """Name the API instead, if it is the older one, which can be set to GET."""
        return SMS_API if "msisdn=" in request.path else self.post_setting

    def parse(self, request: events.RawRequest) -> list[events.Event]:
        """Read a text that came in, or the status of one of ours."""
        event = parsing.read_object("the body", _read_body(request))
        if "msisdn" in event:
            raise events.Unparsable(SMS_API)
        is_receipt = "status" in event
        if not is_receipt and (isinstance(event.get("from"), dict) or "message" in event):
            raise events.Unparsable(OLD_VERSION)
        _check_channel(event, may_be_missing=is_receipt)
        if is_receipt:
            return [_reported(event, parsing.read_string(event, "status"), event.get("error"))]
        return [_inbound(event)]

    def send(
        self, outgoing: results.Outgoing, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.SendResult:
        """Create a message: SMS, or MMS where there are pictures."""
        if not all(_login(credentials)):
            return results.AuthFailed("the API key or its secret is not stored")
        body: dict[str, object] = {
            "from": outgoing.sender.removeprefix("+"),
            "to": outgoing.recipient.removeprefix("+"),
            "client_ref": outgoing.attempt_token,
            "webhook_url": outgoing.callback_url,
            "webhook_version": "v1",
            **_content(outgoing),
        }
        address = url("https://api.nexmo.com", "/v1/messages")
        return http.post_text(client, address, ANSWERS, json=body, auth=_login(credentials))

    def media_request(self, url: str, credentials: Mapping[str, str]) -> results.MediaRequest:
        """Fetch a link that works for 48 hours and asks for nothing."""
        return results.MediaRequest(url, (".nexmo.com", ".vonage.com"))

    def look_up(
        self, sought: results.Sought, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.LookUpResult:
        """Search the reports for our reference."""
        found = Reports(_login(credentials), client).find(sought)
        return (
            found
            if isinstance(found, results.NotFound | results.CannotTell | results.AuthFailed)
            else _found(found)
        )

    def list_inbound(
        self,
        number: str,
        since: datetime,
        known: frozenset[str],
        credentials: Mapping[str, str],
        client: httpx.Client,
    ) -> results.ListResult:
        """Read the reports, which keep the words and no pictures."""
        return Reports(_login(credentials), client).inbound(number, since, known)

    def open_directory(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> numbers.Directory | results.AuthFailed | None:
        """Return the account's numbers, with their applications."""
        if not all(_login(credentials)):
            return results.AuthFailed("the API key or its secret is not stored")
        api = Api(
            self.label,
            client,
            {"auth": _login(credentials)},
            vonage_numbers.read_answer,
            vonage_numbers.read_error,
        )
        return vonage_numbers.VonageDirectory(api)

    def console_guide(
        self, webhook_url: str, credentials: Mapping[str, str]
    ) -> numbers.ConsoleGuide:
        """Return the fields of Vonage's dashboard."""
        return vonage_numbers.console_guide(webhook_url)

    def identify(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.IdentifyResult:
        """Ask for the balance, which proves the key."""
        if not all(_login(credentials)):
            return results.AuthFailed("the API key or its secret is not stored")
        address = url("https://rest.nexmo.com", "/account/get-balance")
        answer = http.get_json(client, address, self.label, auth=_login(credentials))
        if isinstance(answer, results.AuthFailed | results.CannotTell):
            return answer
        value = answer.get("value")
        is_empty = isinstance(value, int | float) and value <= 0
        remark = "The account has no credit left." if is_empty else ""
        return results.Identity(credentials["api_key"][:64], "", remark)

    def sign_test(self, credentials: Mapping[str, str], url: str) -> events.RawRequest | None:
        """Make a status that does not exist."""
        body = b'{"message_uuid": "self-test", "status": "self-test"}'
        key, secret = credentials.get("api_key", ""), credentials.get("signature_secret", "")
        token = vonage_signature.sign(body, key, secret)
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        return events.RawRequest("POST", parsing.path_of(url), headers, body)


def _content(outgoing: results.Outgoing) -> dict[str, object]:
    """Return the part of a request that differs between a text, a picture and several pictures.

    The words go with the first one.
    """
    if not outgoing.media_urls:
        return {"channel": "sms", "message_type": "text", "text": outgoing.body}
    pictures: list[dict[str, str]] = [{"url": url} for url in outgoing.media_urls]
    if outgoing.body:
        pictures[0]["caption"] = outgoing.body
    if len(pictures) == 1:
        return {"channel": "mms", "message_type": "image", "image": pictures[0]}
    content = [{"type": "image", **picture} for picture in pictures]
    return {"channel": "mms", "message_type": "content", "content": content}


def _fault(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first faulty field of a refused request; empty if it names none."""
    faults = answer.get("invalid_parameters")
    first = faults[0] if isinstance(faults, list) and faults else None
    return first if isinstance(first, dict) else {}


def _field_or_code(answer: Mapping[str, Any]) -> object:
    """Return what a refused request names as wrong: a field that we know, or the error."""
    field = str(_fault(answer).get("name", "")).partition(".")[0]
    return field if field in FIELD_CLASSES else _code(answer)


def _code(error: Mapping[str, object]) -> str:
    """Return an error's number: its title, or the end of its address; else that end, a word."""
    word = str(error.get("type", "")).rpartition("#")[2]
    given = [word, str(error.get("title", "")), str(error.get("code", ""))]
    return next((text for text in given if text.isascii() and text.isdigit()), word)[
        : parsing.CODE_LIMIT
    ]


ANSWERS = http.Answers(
    Vonage.label,
    {**ERROR_CLASSES, **FIELD_CLASSES},
    message_id=lambda answer: answer.get("message_uuid"),
    code=_field_or_code,
    words=lambda answer: (*_words(answer), _fault(answer).get("reason")),
)


def _words(error: Mapping[str, object]) -> tuple[object, ...]:
    """Return title and detail of an error; a title that is only the number says nothing."""
    title = error.get("title")
    is_number = isinstance(title, str) and title.strip().isdigit()
    return (None if is_number else title, error.get("detail") or error.get("reason"))


def _reported(
    event: Mapping[str, object],
    status: str,
    error: object,
    states: Mapping[str, events.State] = STATES,
) -> events.Receipt | events.Ignored:
    """Parse a status, in a webhook as in a report."""
    state = states.get(status)
    if state is None:
        return events.Ignored("a status that needs nothing done")
    given = parsing.read_string(event, "message_uuid") or parsing.read_string(event, "message_id")
    message_id = parsing.clean_required("message_uuid", given, parsing.ID_LIMIT)
    token = parsing.clean_field("client_ref", parsing.read_string(event, "client_ref"), 128)
    if state not in ("failed", "unknown"):
        return events.Receipt(message_id, state, attempt_token=token)
    told = error if isinstance(error, dict) else {}
    code = parsing.clean_field("error", _code(told), parsing.CODE_LIMIT)
    kind = ERROR_CLASSES.get(code, DEFAULT_CLASSES.get(status, "other"))
    if kind == "ambiguous" or state == "unknown":
        state, kind = "unknown", "ambiguous"
    words = parsing.carrier_words(*_words(told))
    return events.Receipt(message_id, state, code, kind, attempt_token=token, words=words)


def _check_channel(event: Mapping[str, object], *, may_be_missing: bool) -> None:
    """Raise Unparsable, with what to set, for another channel than SMS and MMS."""
    channel = parsing.clean_field(
        "channel", parsing.read_string(event, "channel"), parsing.TYPE_LIMIT
    )
    if channel.lower() not in ("sms", "mms", *([""] if may_be_missing else [])):
        name = CHANNELS.get(channel.lower(), channel) or "no channel that it names"
        raise events.Unparsable(OTHER_CHANNEL.format(channel=name))


def _read_body(request: events.RawRequest) -> object:
    """Return the JSON. Raise Unparsable, with what to set, for a form of the older API."""
    try:
        return parsing.json_body(request)
    except events.Unparsable:
        if b"msisdn=" in request.body:
            raise events.Unparsable(SMS_API) from None
        raise


def _inbound(event: Mapping[str, object]) -> events.InboundText:
    media = list(_media(event))
    captions = [parsing.read_string(item, "caption") for item in media]
    captions += [parsing.read_string(item, "text") for item in _content_items(event, is_text=True)]
    if event.get("text") is None and not media and not any(captions):
        if parsing.read_string(event, "message_type") in ("", "text"):
            raise events.Unparsable("text is missing")
        media = [{}]
    return events.InboundText(
        carrier_message_id=parsing.clean_required(
            "message_uuid", parsing.read_string(event, "message_uuid"), parsing.ID_LIMIT
        ),
        sender=parsing.with_plus(
            parsing.clean_required(
                "from", parsing.read_string(event, "from"), parsing.ADDRESS_LIMIT
            )
        ),
        recipient=parsing.with_plus(
            parsing.clean_required("to", parsing.read_string(event, "to"), parsing.ADDRESS_LIMIT)
        ),
        body=parsing.clean_field(
            "text", "\n".join(filter(None, [parsing.read_string(event, "text"), *captions]))
        ),
        sent_at=parsing.read_time("timestamp", parsing.read_string(event, "timestamp")),
        media=tuple(events.InboundMedia(parsing.media_url(item.get("url"))) for item in media),
    )


def _media(event: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return the attachments: one under its kind's name, or several under `content`."""
    alone = [
        parsing.read_object(kind, event[kind])
        for kind in MEDIA_KINDS
        if event.get(kind) is not None
    ]
    return alone + _content_items(event, is_text=False)


def _content_items(event: Mapping[str, object], *, is_text: bool) -> list[Mapping[str, object]]:
    """Return the parts of a message of several that are words, or those that are not."""
    several = parsing.read_objects("content", event.get("content"))
    return [item for item in several if (item.get("type") == "text") is is_text]


def _login(credentials: Mapping[str, str]) -> tuple[str, str]:
    return credentials.get("api_key", ""), credentials.get("api_secret", "")


def _found(record: Mapping[str, Any]) -> results.LookUpResult:
    if not http.is_message_id(record.get("message_id")):
        return results.CannotTell("Vonage has the text, but does not say its id")
    status = str(record.get("status") or "submitted")
    try:
        error = {"title": record.get("error_code")}
        event = _reported(record, status, error, REPORTED_STATES)
    except events.Unparsable as error:
        return results.CannotTell(f"Vonage's answer makes no sense: {error.reason}")
    if isinstance(event, events.Ignored):
        event = events.Receipt(str(record["message_id"]), "sent")
    return results.Found(event)
