"""Telnyx messaging, API v2.

Follows Telnyx's "Receiving webhooks" (Ed25519 over timestamp, bar and body), "Send a message"
(`/v2/messages`), its messaging error codes and its page on the Idempotency-Key header.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings

from inboxes.integers import read_integer
from messaging.carriers import events, http, parsing, results
from messaging.carriers.base import Carrier, CredentialField
from messaging.carriers.telnyx_errors import ERROR_CLASSES
from messaging.carriers.telnyx_records import LAG, Api, between, url

STATES: dict[str, events.State] = {
    "queued": "queued",
    "sending": "sending",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "expired": "failed",
    "sending_failed": "failed",
    "delivery_failed": "failed",
    "delivery_unconfirmed": "unknown",
    # The detail records' words.
    "failed": "failed",
    "gw_reject": "failed",
    "gw_timeout": "failed",
    "dlr_timeout": "unknown",
    "dlr_unconfirmed": "unknown",
}

# A block, by the contact's STOP or by a network; only the words of the error tell which.
BLOCKED = "40300"
STOP = re.compile(r"\bSTOP\b|\bopt(?:ed)?[ -]?out\b|existing block rule", re.IGNORECASE)

# The buckets are those of webhooks that others have published; no document names them.
MEDIA_HOSTS = (
    ".telnyx.com",
    ".telnyxcloudstorage.com",
    "tlnx-mms-media.s3.amazonaws.com",
    "tlnx-mms-media.s3.us-east-1.amazonaws.com",
)

CHANNELS = {"rcs": "RCS", "whatsapp": "WhatsApp"}
OTHER_CHANNEL = (
    "It came by {channel}; Partyline serves SMS and MMS. In Telnyx's portal, give the {channel} "
    "agent or sender another webhook URL than this address."
)
OLD_VERSION = "In Telnyx's portal, set the messaging profile's webhook API version to 2."

NO_SUBJECT = "NoSubject"  # What Telnyx writes where a picture message has none

PATIENCE = 3  # Messages in a row that may fail to come before their listing is given up


class Telnyx(Carrier):
    """Speak Telnyx's dialect."""

    name: ClassVar[str] = "telnyx"
    label: ClassVar[str] = "Telnyx"
    confirmed_words: ClassVar[frozenset[str]] = frozenset(
        ["stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit"]
    )
    post_setting: ClassVar[str] = "Telnyx itself always posts, so something else called"
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField("api_key", "API key", True, "A v2 key; starts with KEY."),
        *CredentialField(
            "public_key",
            "Public key",
            True,
            "Telnyx signs the webhooks with its other half. It stands beside the API keys.",
        ).rotating(),
    )
    capabilities: ClassVar[results.Capabilities] = results.Capabilities(
        longest_text=1530,
        media_count=10,
        media_bytes=1_000_000,
        media_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        can_look_up=True,
        can_list_inbound=True,
    )

    def verify(
        self, request: events.RawRequest, credentials: Mapping[str, str], public_url: str
    ) -> None:
        """Check the signature, then the age (WEBHOOK_TOLERANCE). Fails closed.

        The age is judged last, so that "clock" is said of a request that is Telnyx's.
        """
        keys = [
            _key(stored)
            for stored in parsing.valid_secrets(credentials, "public_key", "public key")
        ]
        if keys[0] is None:
            raise events.VerificationError("the stored public key is not one of Telnyx's")
        signature = request.headers.get("telnyx-signature-ed25519", "")
        sent_at = request.headers.get("telnyx-timestamp", "")
        if not signature or not sent_at:
            raise events.VerificationError(
                "the signature or its timestamp is missing (in Telnyx's portal, set the messaging "
                "profile's webhook API version to 2)"
            )
        at = read_integer(sent_at)
        if at is None or at >= 10**12:
            raise events.VerificationError("the timestamp is not a number")
        signed = f"{sent_at}|".encode() + request.body
        if not any(_is_signed(key, signature, signed) for key in keys if key is not None):
            raise events.VerificationError("the signature does not match (check the public key)")
        off = int(time.time()) - at
        if abs(off) > settings.WEBHOOK_TOLERANCE:
            late = "old" if off > 0 else "ahead of ours"
            raise events.VerificationError(
                f"signed well, but {abs(off)} s {late} (check this clock)"
            )

    def parse(self, request: events.RawRequest) -> list[events.Event]:
        """Read one event: a text, or the state of each recipient of one of ours."""
        data = _event_data(request)
        kind = parsing.check_readable(
            "event_type", parsing.read_string(data, "event_type"), parsing.TYPE_LIMIT
        )
        match kind:
            case "message.received":
                return [_inbound(parsing.read_object("payload", data.get("payload")))]
            case "message.sent" | "message.finalized":
                return _receipts(parsing.read_object("payload", data.get("payload")))
            case _ if kind.startswith("message.") and "received" not in kind:
                return [events.Ignored("an event of another type")]
            case _:
                raise events.Unparsable(
                    f"It is an event of the kind “{kind[:60]}”, not of a text. In Telnyx's "
                    "portal, enter this address in the inbound settings of a messaging profile "
                    "only."
                )

    def send(
        self, outgoing: results.Outgoing, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.SendResult:
        """Create a message. The key makes a repetition on the way harmless; we never repeat."""
        api = _api(credentials, client)
        if not api.key:
            return results.AuthFailed("the API key is not stored")
        body: dict[str, object] = {
            "from": outgoing.sender,
            "to": outgoing.recipient,
            "webhook_url": outgoing.callback_url,
        }
        if outgoing.body:
            body["text"] = outgoing.body
        if outgoing.media_urls:
            body["media_urls"] = list(outgoing.media_urls)
        headers = api.headers | {"idempotency-key": outgoing.attempt_token}
        return http.post_text(client, url("/messages"), ANSWERS, json=body, headers=headers)

    def media_request(self, url: str, credentials: Mapping[str, str]) -> results.MediaRequest:
        """Fetch a plain link that expires, at Telnyx's own storage or in its bucket at Amazon."""
        return results.MediaRequest(url, MEDIA_HOSTS)

    def look_up(
        self, sought: results.Sought, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.LookUpResult:
        """Search the detail records, which name the webhook's address and so our attempt."""
        filters = {
            **between("outbound", sought.earliest, sought.latest),
            "filter[cli]": sought.sender,
            "filter[cld]": sought.recipient,
        }
        found = _api(credentials, client).records(filters)
        if not isinstance(found, tuple):
            return found
        records, is_all = found
        for record in records:
            if _attempt_in(record.get("delivery_status_webhook_url")) == sought.attempt_token:
                return _found(record)
        if not is_all or datetime.now(UTC) - sought.latest < LAG:
            return results.CannotTell("it is not in Telnyx's records, which may lag by hours")
        return results.NotFound()

    def list_inbound(
        self,
        number: str,
        since: datetime,
        known: frozenset[str],
        credentials: Mapping[str, str],
        client: httpx.Client,
    ) -> results.ListResult:
        """Search the detail records, and fetch each message of them that is not known."""
        filters = {**between("inbound", since), "filter[cld]": number}
        api = _api(credentials, client)
        found = api.records(filters)
        if not isinstance(found, tuple):
            return found
        missed = [
            record
            for record in found[0]
            if record.get("uuid") not in known and _is_since(record, since)
        ]
        return _texts(api, missed, is_all=found[1])

    def identify(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.IdentifyResult:
        """List the messaging profiles; they name the organization."""
        profiles = _api(credentials, client).listed("/messaging_profiles")
        if not isinstance(profiles, list):
            return profiles
        if not profiles:
            return results.Identity("", "", "The account has no messaging profile yet.")
        names = ", ".join(str(profile.get("name", "")) for profile in profiles)
        is_off = any(profile.get("enabled") is False for profile in profiles)
        remark = "A messaging profile is disabled." if is_off else ""
        return results.Identity(
            str(profiles[0].get("organization_id", ""))[:64], names[:120], remark
        )

    def sign_test(self, credentials: Mapping[str, str], url: str) -> events.RawRequest | None:
        """Return None: only Telnyx has the private key."""
        return None


ANSWERS = http.Answers(
    Telnyx.label,
    ERROR_CLASSES,
    message_id=lambda answer: _part(answer, "data").get("id"),
    code=lambda answer: _first_code(answer.get("errors")),
    words=lambda answer: _words(answer.get("errors")),
    class_by_words=lambda answer: _class_by_words(answer.get("errors")),
)


def _key(stored: str) -> Ed25519PublicKey | None:
    """Return the public key; None if what is stored is no such key."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(stored.strip(), validate=True))
    except ValueError:
        return None


def _is_signed(key: Ed25519PublicKey, signature: str, signed: bytes) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _event_data(request: events.RawRequest) -> Mapping[str, object]:
    """Return an event's data. Raise Unparsable, with what to set, for the older versions."""
    try:
        body = parsing.json_body(request)
    except events.Unparsable as error:
        raise events.Unparsable(f"{error.reason}. {OLD_VERSION}") from None
    data = parsing.read_object("the body", body).get("data")
    if not isinstance(data, dict):
        raise events.Unparsable(f"data is missing. {OLD_VERSION}")
    return data


def _inbound(payload: Mapping[str, object]) -> events.InboundText:
    """Parse a text, in a webhook as in the answer to "Retrieve a message"."""
    kind = parsing.check_readable("type", parsing.read_string(payload, "type"), parsing.TYPE_LIMIT)
    if kind.upper() not in ("", "SMS", "MMS"):
        raise events.Unparsable(OTHER_CHANNEL.format(channel=CHANNELS.get(kind.lower(), kind)))
    media = tuple(_medium(item) for item in parsing.read_objects("media", payload.get("media")))
    if not media and not payload.get("text") and kind.upper() == "MMS":
        media = (events.InboundMedia(""),)
    if payload.get("text") is None and not media:
        raise events.Unparsable("text is missing")
    subject = parsing.check_readable("subject", parsing.read_string(payload, "subject"))
    return events.InboundText(
        carrier_message_id=parsing.check_required(
            "id", parsing.read_string(payload, "id"), parsing.ID_LIMIT
        ),
        sender=_address("from", parsing.read_object("from", payload.get("from"))),
        recipient=_address("to", _ours(payload)),
        body=parsing.check_readable("text", parsing.read_string(payload, "text")),
        sent_at=parsing.read_time("received_at", parsing.read_string(payload, "received_at")),
        media=tuple(item for item in media if item.content_type != "application/smil"),
        subject="" if subject == NO_SUBJECT else subject,
        keyword=events.CARRIER_KEYWORDS.get(parsing.read_string(payload, "autoresponse_type")),
    )


def _ours(payload: Mapping[str, object]) -> Mapping[str, object]:
    """Return which of a group text's recipients is us: the one that this webhook was made for."""
    everyone = parsing.read_objects("to", payload.get("to"))
    marked = [one for one in everyone if one.get("status") == "webhook_delivered"]
    if not everyone:
        raise events.Unparsable("to is missing")
    return (marked or everyone)[0]


def _address(label: str, party: Mapping[str, object]) -> str:
    return parsing.check_required(
        label, parsing.read_string(party, "phone_number"), parsing.ADDRESS_LIMIT
    )


def _medium(item: Mapping[str, object]) -> events.InboundMedia:
    size = item.get("size")
    return events.InboundMedia(
        url=parsing.media_url(item.get("url")),
        content_type=parsing.check_readable(
            "content_type", parsing.read_string(item, "content_type"), parsing.TYPE_LIMIT
        ),
        size=size if isinstance(size, int) and size >= 0 else None,
        sha256=parsing.check_readable(
            "hash_sha256", parsing.read_string(item, "hash_sha256"), 64
        ).lower(),
    )


def _receipts(payload: Mapping[str, object]) -> list[events.Event]:
    message_id = parsing.check_required("id", parsing.read_string(payload, "id"), parsing.ID_LIMIT)
    errors = parsing.read_objects("errors", payload.get("errors"))
    token = _attempt_in(payload.get("webhook_url"))
    receipts: list[events.Event] = []
    for index, party in enumerate(parsing.read_objects("to", payload.get("to"))):
        status = parsing.read_string(party, "status")
        if status not in STATES:
            receipts.append(events.Ignored("a status that needs nothing done"))
            continue
        own = [error for error in errors if _points_at(error, index)]
        code, error_class, words = _error(status, own or errors)
        recipient = _address("to", party)
        receipts.append(
            events.Receipt(message_id, STATES[status], code, error_class, recipient, token, words)
        )
    return receipts


def _points_at(error: Mapping[str, object], index: int) -> bool:
    """Return True if an error names this one of the recipients, by a JSON pointer (RFC 6901)."""
    source = error.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    return isinstance(pointer, str) and f"{pointer}/".endswith(f"/to/{index}/")


def _error(status: str, errors: object) -> tuple[str, events.ErrorClass | Literal[""], str]:
    """Return the first error's code, its class and its words, if the status is a failure."""
    state = STATES.get(status, "sent")
    if state not in ("failed", "unknown"):
        return "", "", ""
    given = _first_code(errors)
    code = (
        parsing.check_readable("code", str(given), parsing.CODE_LIMIT)
        if isinstance(given, str | int)
        else ""
    )
    words = parsing.carrier_words(*_words(errors))
    if state == "unknown":
        return code, "ambiguous", words
    default: events.ErrorClass = "expired" if status == "expired" else "other"
    return code, _class_by_words(errors) or ERROR_CLASSES.get(code, default), words


def _words(errors: object) -> tuple[object, ...]:
    """Return title and detail of the first error."""
    first = errors[0] if isinstance(errors, list) and errors else None
    return (first.get("title"), first.get("detail")) if isinstance(first, dict) else ()


def _class_by_words(errors: object) -> events.ErrorClass | None:
    """Return "opted_out" for BLOCKED if its title or detail says STOP; None for other codes.

    The same code also says "Carrier rejected", which is no opt-out.
    """
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict) or str(first.get("code")) != BLOCKED:
        return None
    words = f"{first.get('title')} {first.get('detail')}"
    return "opted_out" if STOP.search(words) else None


def _first_code(errors: object) -> object:
    """Return the code of the first error, whether errors are objects or bare codes."""
    first = errors[0] if isinstance(errors, list) and errors else None
    return first.get("code") if isinstance(first, dict) else first


def _attempt_in(webhook_url: object) -> str:
    """Return our attempt's token: the last step of the address that we gave with the text."""
    last = str(webhook_url or "").rstrip("/").rpartition("/")[2]
    try:
        return str(UUID(last))
    except ValueError:
        return ""


def _api(credentials: Mapping[str, str], client: httpx.Client) -> Api:
    return Api(credentials.get("api_key", ""), client)


def _part(answer: Mapping[str, object], key: str) -> Mapping[str, Any]:
    value = answer.get(key)
    return value if isinstance(value, dict) else {}


def _found(record: Mapping[str, Any]) -> results.LookUpResult:
    message_id = record.get("uuid")
    if not http.is_message_id(message_id):
        return results.CannotTell("Telnyx has the text, but does not say its id")
    status = str(record.get("status"))
    state = STATES.get(status, "sent")
    code, error_class, words = _error(status, record.get("errors"))
    return results.Found(events.Receipt(message_id, state, code, error_class, words=words))


def _texts(api: Api, records: list[Mapping[str, Any]], *, is_all: bool) -> results.ListResult:
    """Fetch the messages of the records, the newest first: Telnyx deletes old ones.

    One that cannot be had is skipped; after three in a row the rest is given up.
    """
    texts: list[events.InboundText] = []
    failures = 0
    for record in reversed(records):
        message = api.message(record.get("uuid"))
        if isinstance(message, results.AuthFailed):
            return message
        if isinstance(message, results.CannotTell):
            is_all = False
            failures += 1
            if failures == PATIENCE and not texts:
                return message
            if failures == PATIENCE:
                break
            continue
        failures = 0
        try:
            texts.append(_inbound(message))
        except events.Unparsable:
            is_all = False
    return results.Listed(tuple(reversed(texts)), is_all)


def _is_since(record: Mapping[str, Any], since: datetime) -> bool:
    """Return True if the record is from then on, or has no time. Telnyx filters by days only."""
    try:
        created = parsing.read_time("created_at", parsing.read_string(record, "created_at"))
    except events.Unparsable:
        return True
    return created is None or created >= since.replace(microsecond=0)
