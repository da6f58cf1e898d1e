"""Telnyx messaging, API v2.

Follows Telnyx's "Receiving webhooks" (Ed25519 over timestamp, bar and body), "Send a message"
(`/v2/messages`), its messaging error codes and its page on the Idempotency-Key header.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings

from inboxes.integers import read_integer
from messaging.carriers import (
    events,
    http,
    numbers,
    parsing,
    results,
    telnyx_inbound,
    telnyx_numbers,
    telnyx_receipts,
)
from messaging.carriers.api_calls import Api
from messaging.carriers.base import Carrier, CredentialField
from messaging.carriers.telnyx_errors import ERROR_CLASSES
from messaging.carriers.telnyx_records import LAG, Records, between, url

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
            "It proves Telnyx's webhooks. If empty, it is read with the API key.",
            is_found=True,
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
                return telnyx_receipts.read_receipts(
                    parsing.read_object("payload", data.get("payload"))
                )
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
            if (
                telnyx_receipts.attempt_in(record.get("delivery_status_webhook_url"))
                == sought.attempt_token
            ):
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

    def open_directory(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> numbers.Directory | results.AuthFailed | None:
        """Return the account's numbers and short codes, with their messaging profiles."""
        api = _api(credentials, client)
        if not api.key:
            return results.AuthFailed("the API key is not stored")
        request = {"headers": api.headers}
        calls = Api(self.label, client, request, read_error=telnyx_numbers.read_error)
        return telnyx_numbers.TelnyxDirectory(calls)

    def console_guide(
        self, webhook_url: str, credentials: Mapping[str, str]
    ) -> numbers.ConsoleGuide:
        """Return the fields of Telnyx's portal."""
        return telnyx_numbers.console_guide(webhook_url)

    def find_credentials(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> dict[str, str] | results.AuthFailed | results.CannotTell:
        """Read the public key, which the API gives (`/v2/public_key`) but no document names."""
        if credentials.get("public_key"):
            return {}
        answer = _api(credentials, client).get("/public_key")
        if not isinstance(answer, dict):
            return answer
        public = _part(answer, "data").get("public")
        if not isinstance(public, str) or _key(public) is None:
            return results.CannotTell("Telnyx's answer holds no public key")
        return {"public_key": public.strip()}

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
    code=lambda answer: telnyx_receipts.first_code(answer.get("errors")),
    words=lambda answer: telnyx_receipts.words_of(answer.get("errors")),
    class_by_words=lambda answer: telnyx_receipts.class_by_words(answer.get("errors")),
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


def _api(credentials: Mapping[str, str], client: httpx.Client) -> Records:
    return Records(credentials.get("api_key", ""), client)


def _part(answer: Mapping[str, object], key: str) -> Mapping[str, Any]:
    value = answer.get(key)
    return value if isinstance(value, dict) else {}


def _found(record: Mapping[str, Any]) -> results.LookUpResult:
    message_id = record.get("uuid")
    if not http.is_message_id(message_id):
        return results.CannotTell("Telnyx has the text, but does not say its id")
    status = str(record.get("status"))
    state = telnyx_receipts.STATES.get(status, "sent")
    code, error_class, words = telnyx_receipts.read_error(status, record.get("errors"))
    return results.Found(events.Receipt(message_id, state, code, error_class, words=words))


def _texts(
    api: Records, records: list[Mapping[str, Any]], number: str, *, is_all: bool
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
