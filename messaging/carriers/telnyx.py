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
from messaging.carriers import events, http, parsing, results, telnyx_inbound
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
        data = telnyx_inbound.read_data(request)
        kind = parsing.clean_field(
            "event_type", parsing.read_string(data, "event_type"), parsing.TYPE_LIMIT
        )
        match kind:
            case "message.received":
                payload = parsing.read_object("payload", data.get("payload"))
                return [*telnyx_inbound.read_texts(payload)]
            case "message.sent" | "message.finalized":
                return _receipts(parsing.read_object("payload", data.get("payload")))
            case _ if kind.startswith("message.") and "received" not in kind:
                return [events.Ignored("an event of another type")]
            case _:
                raise events.Unparsable(telnyx_inbound.OTHER_EVENT.format(kind=kind[:60]))

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
        stored = {telnyx_inbound.without_number(one) for one in known}
        missed = [
            record
            for record in found[0]
            if record.get("uuid") not in stored and _is_since(record, since)
        ]
        return _texts(api, missed, number, is_all=found[1])

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


def _receipts(payload: Mapping[str, object]) -> list[events.Event]:
    telnyx_inbound.check_kind(payload)
    message_id = parsing.clean_required("id", parsing.read_string(payload, "id"), parsing.ID_LIMIT)
    errors = parsing.read_objects("errors", payload.get("errors"))
    token = _attempt_in(payload.get("webhook_url"))
    receipts: list[events.Event] = []
    parties = parsing.read_objects("to", payload.get("to"))
    if not parties:
        raise events.Unparsable("to is missing")
    for index, party in enumerate(parties):
        status = parsing.read_string(party, "status")
        if status not in STATES:
            receipts.append(events.Ignored("a status that needs nothing done"))
            continue
        own = [error for error in errors if _points_at(error, index)]
        code, error_class, words = _error(status, own or errors)
        recipient = telnyx_inbound.read_address("to", party)
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
        parsing.clean_field("code", str(given), parsing.CODE_LIMIT)
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


def _texts(
    api: Api, records: list[Mapping[str, Any]], number: str, *, is_all: bool
) -> results.ListResult:
    """Fetch the messages of the number's records, the newest first: Telnyx deletes old ones.

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
            read = telnyx_inbound.read_texts(message, number)
            texts += [one for one in read if one.recipient == number] or read[:1]
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
