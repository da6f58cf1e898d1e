"""Plivo Messaging.

Follows Plivo's "Validating requests" (signatures V2 and V3), "Handling incoming messages",
"Message status callbacks", the Message resource (`/v1/Account/{auth id}/Message/`) and its error
codes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlencode, urlsplit

import httpx
from django.conf import settings

from inboxes.integers import read_integer
from messaging.carriers import events, http, numbers, parsing, plivo_numbers, results
from messaging.carriers.api_calls import Api
from messaging.carriers.base import Carrier, CredentialField
from messaging.carriers.plivo_errors import ERROR_CLASSES

NOT_STORED = "the auth ID or the auth token is not stored"
MAX_SIGNATURES = 10
PAGE_SIZE = 20
# V2 signs the address and the nonce in one piece, so that a nonce with other characters could be
# what another signature has as the end of its address, or as its fields.
NONCE = re.compile(r"[A-Za-z0-9_-]+")

CHANNELS = {"whatsapp": "WhatsApp", "rcs": "RCS"}
OTHER_CHANNEL = (
    "It came by {channel}; Partyline serves SMS and MMS. In Plivo's console, give the {channel} "
    "number or agent an application of its own, whose Message URL is not this address."
)

STATES: dict[str, events.State] = {
    "queued": "queued",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "failed": "failed",
    "undelivered": "failed",
    "rejected": "failed",
}

# A refused request has no code, only words.
STATUS_CLASSES: dict[str, events.ErrorClass] = {
    "402": "funds",
    "404": "setup",
    "405": "setup",
    "429": "throttled",
}


def _message_id(answer: Mapping[str, Any]) -> object:
    ids = answer.get("message_uuid")
    return ids[0] if isinstance(ids, list) and ids else None


def _words(error: object) -> tuple[object, ...]:
    """Return the words of a refusal: a string, or one for each field that is wrong."""
    return tuple(error.values()) if isinstance(error, dict) else (error,)


ANSWERS = http.Answers(
    "Plivo",
    {**ERROR_CLASSES, **STATUS_CLASSES},
    message_id=_message_id,
    code=lambda answer: answer.get("error_code"),
    words=lambda answer: _words(answer.get("error")),
)


class Plivo(Carrier):
    """Speak Plivo's dialect."""

    name: ClassVar[str] = "plivo"
    label: ClassVar[str] = "Plivo"
    confirmed_words: ClassVar[frozenset[str]] = frozenset(["stop", "end", "quit"])
    takes_get: ClassVar[bool] = True
    post_setting: ClassVar[str] = (
        "in Plivo's console, at the application, set the method of the Message URL to POST"
    )
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField("auth_id", "Auth ID", True, "Starts with MA, or SA for a subaccount."),
        *CredentialField(
            "auth_token",
            "Auth token",
            True,
            "The token of the account whose auth ID this is; it also signs the webhooks.",
        ).rotating(),
    )
    account_fields: ClassVar[tuple[str, ...]] = ("auth_id",)
    capabilities: ClassVar[results.Capabilities] = results.Capabilities(
        longest_text=1600,
        media_count=10,
        media_bytes=5_000_000,
        media_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        can_look_up=True,
    )

    def verify(
        self, request: events.RawRequest, credentials: Mapping[str, str], public_url: str
    ) -> None:
        """Check V3 where it is given, else V2, over the public URL. Fails closed.

        V2 covers neither the fields nor the query: it is taken over https only, and `nonce` binds
        it to one body.
        """
        tokens = parsing.valid_secrets(credentials, "auth_token", "auth token")
        version = _version(request.headers)
        given = _signatures(request.headers, version)
        nonce = request.headers.get(f"x-plivo-signature-{version}-nonce", "")
        if not given:
            raise events.VerificationError("the signature header is missing")
        if not nonce:
            raise events.VerificationError("the signature's nonce is missing")
        url = public_url.rstrip("/") + request.path
        if version == "v2" and not NONCE.fullmatch(nonce):
            raise events.VerificationError("the signature's nonce is none of Plivo's")
        if version == "v2" and not url.startswith("https://"):
            raise events.VerificationError(
                "PUBLIC_URL is not https, which Plivo's signature V2 needs"
            )
        # V2 does not cover the fields, which https has to guard then.
        spelled = parsing.with_both_schemes(url) if version == "v3" else [url]
        signed = [_signed_v3(request, one) if version == "v3" else _base(one) for one in spelled]
        expected = [_signature(token, version, one, nonce) for token in tokens for one in signed]
        matches = [parsing.digest_is_any(signature, expected) for signature in given]
        if not any(matches):
            raise events.VerificationError(
                "the signature does not match (check the auth token and PUBLIC_URL)"
            )

    def nonce(self, request: events.RawRequest) -> str:
        """Return V2's nonce, since V2 does not cover the body.

        Also if V3 is given: whoever saw both could send V2 alone, with other words.
        """
        return request.headers.get("x-plivo-signature-v2-nonce", "")

    def parse(self, request: events.RawRequest) -> list[events.Event]:
        """Read an inbound text or a status callback."""
        fields = parsing.form_fields(request)
        if "CallUUID" in fields:
            raise events.Unparsable(
                "It is about a call. In Plivo's console, enter this address as the application's "
                "Message URL only, not as its Answer URL or Hangup URL."
            )
        message_id = parsing.clean_required(
            "MessageUUID", fields.get("MessageUUID", ""), parsing.ID_LIMIT
        )
        if "Status" in fields:
            return [_reported(message_id, fields)]
        return [_inbound(message_id, fields)]

    def send(
        self, outgoing: results.Outgoing, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.SendResult:
        """Create a Message."""
        account = _account(credentials)
        if account is None:
            return results.AuthFailed(NOT_STORED)
        url, login = account
        body: dict[str, object] = {
            "src": outgoing.sender,
            "dst": outgoing.recipient,
            "text": outgoing.body,
            "url": outgoing.callback_url,
            "method": "POST",
        }
        if outgoing.media_urls:
            body |= {"type": "mms", "media_urls": list(outgoing.media_urls)}
        return http.post_text(client, f"{url}/Message/", ANSWERS, json=body, auth=login)

    def answers_help_to(self, our_number: str) -> bool:
        """Return True for numbers of North America, where Plivo answers by default."""
        return our_number.startswith("+1")

    def confirms_opt_out(self, word: str, our_number: str) -> bool:
        """Return what the base class says, for numbers of North America only."""
        return our_number.startswith("+1") and super().confirms_opt_out(word, our_number)

    def media_request(self, url: str, credentials: Mapping[str, str]) -> results.MediaRequest:
        """Fetch media from plain addresses; those of the API need Basic auth."""
        account = _account(credentials)
        is_ours = account is not None and parsing.host_of(url) == parsing.host_of(account[0])
        headers = {"authorization": http.basic_auth(*account[1])} if account and is_ours else {}
        return results.MediaRequest(url, (".plivo.com", "s3.amazonaws.com"), headers)

    def look_up(
        self, sought: results.Sought, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.LookUpResult:
        """Search the records of Messages between the two numbers.

        They hold no words: the only one that no attempt has claimed is this attempt's.
        """
        records = _records(sought, credentials, client)
        if not isinstance(records, list):
            return records
        if not records:
            return results.NotFound()
        if len(records) > 1 or not sought.is_alone:
            return results.CannotTell("Plivo's records do not tell texts to the same person apart")
        [record] = records
        state = STATES.get(str(record.get("message_state")), "sent")
        return results.Found(
            _receipt(record["message_uuid"], state, str(record.get("error_code") or ""))
        )

    def open_directory(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> numbers.Directory | results.AuthFailed | None:
        """Return the account's numbers, with their applications."""
        account = _account(credentials)
        if account is None:
            return results.AuthFailed(NOT_STORED)
        url, login = account
        api = Api(self.label, client, {"auth": login}, read_error=plivo_numbers.read_error)
        return plivo_numbers.PlivoDirectory(api, url)

    def console_guide(
        self, webhook_url: str, credentials: Mapping[str, str]
    ) -> numbers.ConsoleGuide:
        """Return the fields of Plivo's console."""
        return plivo_numbers.console_guide(webhook_url)

    def identify(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.IdentifyResult:
        """Fetch the Account."""
        account = _account(credentials)
        if account is None:
            return results.AuthFailed(NOT_STORED)
        url, login = account
        answer = http.get_json(client, f"{url}/", self.label, auth=login)
        if isinstance(answer, results.AuthFailed | results.CannotTell):
            return answer
        remark = "The account is disabled." if answer.get("enabled") is False else ""
        return results.Identity(
            str(answer.get("auth_id", ""))[:64], str(answer.get("name", ""))[:120], remark
        )

    def sign_test(self, credentials: Mapping[str, str], url: str) -> events.RawRequest | None:
        """Make a status callback with a status that does not exist."""
        body = urlencode({"MessageUUID": "self-test", "Status": "self-test"}).encode()
        nonce = str(uuid.uuid4().int)[:20]
        request = events.RawRequest(
            "POST", parsing.path_of(url), {"content-type": parsing.FORM}, body
        )
        token = credentials.get("auth_token", "")
        headers = {
            "content-type": parsing.FORM,
            "x-plivo-signature-v3": _signature(token, "v3", _signed_v3(request, url), nonce),
            "x-plivo-signature-v3-nonce": nonce,
        }
        return events.RawRequest("POST", parsing.path_of(url), headers, body)


def _account(credentials: Mapping[str, str]) -> tuple[str, tuple[str, str]] | None:
    """Return the Account's address without a closing slash, and the login; None if not stored."""
    auth_id, token = credentials.get("auth_id", ""), credentials.get("auth_token", "")
    if not auth_id or not token:
        return None
    base = str(getattr(settings, "PLIVO_API_URL", "https://api.plivo.com")).rstrip("/")
    return f"{base}/v1/Account/{quote(auth_id, safe='')}", (auth_id, token)


def _version(headers: Mapping[str, str]) -> str:
    """Return the better of the signature versions that are given."""
    is_v3 = "x-plivo-signature-v3" in headers or "x-plivo-signature-ma-v3" in headers
    return "v3" if is_v3 else "v2"


def _signatures(headers: Mapping[str, str], version: str) -> list[str]:
    """Return the signatures by the account and by its main account; V3 may list several."""
    names = (f"x-plivo-signature-{version}", f"x-plivo-signature-ma-{version}")
    given = ",".join(headers.get(name, "") for name in names)
    return [part for value in given.split(",")[:MAX_SIGNATURES] if (part := value.strip())]


def _base(url: str) -> bytes:
    """Return the URL without its query."""
    parts = urlsplit(url)
    return parts._replace(query="", fragment="").geturl().encode("utf-8", "surrogatepass")


def _signed_v3(request: events.RawRequest, url: str) -> bytes:
    """Return URL, sorted query and sorted fields, joined as Plivo's own code does.

    A body is read as a form whatever it claims to be, so that none is left uncovered.
    """
    try:
        fields = sorted(parsing.form_pairs(request.body))
        query = sorted(parsing.form_pairs(urlsplit(url).query.encode("utf-8", "surrogatepass")))
    except parsing.TooManyFields:
        raise events.VerificationError("the form has too many fields") from None
    signed = _base(url)
    if query or fields:
        signed += b"?" + b"&".join(key + b"=" + value for key, value in query)
    if query and fields:
        signed += b"."
    return signed + b"".join(key + value for key, value in fields)


def _signature(token: str, version: str, signed: bytes, nonce: str) -> str:
    joint = b"." if version == "v3" else b""
    message = signed + joint + nonce.encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.new(token.encode(), message, hashlib.sha256).digest()).decode()


def _reported(message_id: str, fields: Mapping[str, str]) -> events.Receipt | events.Ignored:
    state = STATES.get(fields["Status"])
    if state is None:
        return events.Ignored("a status that needs nothing done")
    recipient = parsing.clean_field("To", fields.get("To", ""), parsing.ADDRESS_LIMIT)
    return _receipt(message_id, state, fields.get("ErrorCode", ""), recipient)


def _receipt(
    message_id: str, state: events.State, error_code: str, recipient: str = ""
) -> events.Receipt:
    if state != "failed":
        return events.Receipt(message_id, state, recipient=parsing.with_plus(recipient))
    code = parsing.clean_field("ErrorCode", error_code, parsing.CODE_LIMIT)
    return events.Receipt(
        message_id, state, code, ANSWERS.classes.get(code, "other"), parsing.with_plus(recipient)
    )


def _inbound(message_id: str, fields: Mapping[str, str]) -> events.InboundText:
    """`Text` for SMS, `Body` for MMS."""
    kind = parsing.clean_field("Type", fields.get("Type", ""), parsing.TYPE_LIMIT)
    if kind.lower() not in ("", "sms", "mms"):
        raise events.Unparsable(OTHER_CHANNEL.format(channel=CHANNELS.get(kind.lower(), kind)))
    media = _media(fields)
    body = fields.get("Text", fields.get("Body"))
    if body is None and not media:
        raise events.Unparsable("Text is missing")
    return events.InboundText(
        carrier_message_id=message_id,
        sender=parsing.with_plus(
            parsing.clean_required("From", fields.get("From", ""), parsing.ADDRESS_LIMIT)
        ),
        recipient=parsing.with_plus(
            parsing.clean_required("To", fields.get("To", ""), parsing.ADDRESS_LIMIT)
        ),
        body=parsing.clean_field("Text", body or ""),
        media=media,
    )


def _media(fields: Mapping[str, str]) -> tuple[events.InboundMedia, ...]:
    """Return the files; Plivo's pages number them from 0 or from 1."""
    keys = [f"Media{index}" for index in range(parsing.MAX_MEDIA + 1)]
    found = tuple(
        events.InboundMedia(parsing.media_url(fields[key])) for key in keys if key in fields
    )
    return parsing.with_missing_media(found, read_integer(fields.get("MediaCount", "")) or 0)


def _records(
    sought: results.Sought, credentials: Mapping[str, str], client: httpx.Client
) -> list[dict[str, Any]] | results.AuthFailed | results.CannotTell:
    """The records of outbound texts that may be the attempt's."""
    account = _account(credentials)
    if account is None:
        return results.AuthFailed(NOT_STORED)
    url, login = account
    query = {
        "message_direction": "outbound",
        "from_number": sought.sender.lstrip("+"),
        "to_number": sought.recipient.lstrip("+"),
        "message_time__gte": _stamp(sought.earliest),
        "message_time__lte": _stamp(sought.latest),
        "limit": PAGE_SIZE,
    }
    answer = http.get_json(client, f"{url}/Message/", "Plivo", auth=login, params=query)
    if not isinstance(answer, dict):
        return answer
    listed = answer.get("objects")
    if not isinstance(listed, list) or len(listed) >= PAGE_SIZE:
        return results.CannotTell("Plivo's records cannot be read")
    return [record for record in listed if _may_be(record, sought)]


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _may_be(record: object, sought: results.Sought) -> bool:
    return (
        isinstance(record, dict)
        and http.is_message_id(record.get("message_uuid"))
        and record["message_uuid"] not in sought.not_these
        and parsing.with_plus(str(record.get("to_number", ""))) == sought.recipient
    )
