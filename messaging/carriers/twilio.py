"""Twilio Programmable Messaging.

Follows Twilio's "Webhooks security" (X-Twilio-Signature), "Messaging webhooks",
"Message resource" (`2010-04-01/Accounts/{sid}/Messages.json`) and its error dictionary.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import ClassVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
from django.conf import settings

from inboxes.integers import read_integer
from messaging.carriers import events, http, numbers, parsing, results
from messaging.carriers.api_calls import Api
from messaging.carriers.base import Carrier, CredentialField
from messaging.carriers.twilio_errors import ERROR_CLASSES
from messaging.carriers.twilio_log import Log
from messaging.carriers.twilio_numbers import TwilioDirectory

# No document of Twilio's names it, but group texts have it.
OTHER_KEY = re.compile(r"OtherRecipients[0-9]*")
MEDIA_KEY = re.compile(r"MediaUrl[0-9]{1,2}")
NOT_STORED = "what to log in with is not stored"

STATES: dict[str, events.State] = {
    "accepted": "queued",
    "scheduled": "queued",
    "queued": "queued",
    "sending": "sending",
    "sent": "sent",
    "partially_delivered": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}

# What stands before the colon of an address that is no phone number.
CHANNELS = {
    "whatsapp": "WhatsApp",
    "messenger": "Facebook Messenger",
    "instagram": "Instagram",
    "rcs": "RCS",
    "sip": "SIP",
    "client": "Twilio Client",
    "chat": "chat",
}


class Twilio(Carrier):
    """Speak Twilio's dialect."""

    name: ClassVar[str] = "twilio"
    label: ClassVar[str] = "Twilio"
    answers_help: ClassVar[bool] = True
    confirmed_words: ClassVar[frozenset[str]] = frozenset(
        ["stop", "stopall", "unsubscribe", "end", "quit", "revoke", "optout", "cancel"]
    )
    takes_get: ClassVar[bool] = True
    post_setting: ClassVar[str] = (
        "in Twilio's console, Active numbers, the number, set A message comes in to HTTP POST"
    )
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField("account_sid", "Account SID", True, "Starts with AC."),
        *CredentialField(
            "auth_token",
            "Auth token",
            True,
            "The primary auth token of this account or subaccount; it also signs the webhooks.",
        ).rotating(),
    )
    account_fields: ClassVar[tuple[str, ...]] = ("account_sid",)
    capabilities: ClassVar[results.Capabilities] = results.Capabilities(
        longest_text=1600,
        media_count=10,
        media_bytes=5_000_000,
        media_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
        can_look_up=True,
        can_list_inbound=True,
    )
    states: ClassVar[Mapping[str, events.State]] = STATES
    error_classes: ClassVar[Mapping[str, events.ErrorClass]] = ERROR_CLASSES
    login: ClassVar[tuple[str, str]] = ("account_sid", "auth_token")
    resource_suffix: ClassVar[str] = ".json"  # At the end of the path of what answers with JSON
    signature_headers: ClassVar[tuple[str, ...]] = ("x-twilio-signature",)
    signing_secret: ClassVar[tuple[str, str]] = ("auth_token", "auth token")
    other_channel: ClassVar[str] = (
        "It came by {channel}; Partyline serves SMS and MMS. In Twilio's console, Messaging → "
        "Senders → {channel} senders, take this address out of the sender's webhooks."
    )
    conversations: ClassVar[str] = (
        "It is an event of Twilio Conversations. In Twilio's console, Conversations → Manage → "
        "Webhooks, take this address out; at the number, choose Webhook for incoming messages."
    )
    media_hosts: ClassVar[tuple[str, ...]] = (
        "api.twilio.com",
        ".twiliocdn.com",
        "s3-external-1.amazonaws.com/media.twiliocdn.com/",
    )

    def verify(
        self, request: events.RawRequest, credentials: Mapping[str, str], public_url: str
    ) -> None:
        """Check the signature over the public URL and the sent fields. Fails closed.

        The URL is built on `public_url`; what the request says of its own host is not read.
        """
        tokens = parsing.valid_secrets(credentials, *self.signing_secret)
        given = next(filter(None, map(request.headers.get, self.signature_headers)), "")
        if not given:
            raise events.VerificationError("the signature header is missing")
        url = public_url.rstrip("/") + request.path
        if not parsing.digest_is_any(given, self.signatures(request, url, tokens)):
            raise events.VerificationError(_mismatch(request, self.signing_secret[1]))

    def signatures(self, request: events.RawRequest, url: str, tokens: list[str]) -> list[str]:
        """Return the signatures that are right for the request, which was made to `url`."""
        fields = _signed_fields(request)
        return [
            _signature(token, candidate, fields)
            for token in tokens
            for candidate in url_spellings(url)
        ]

    def parse(self, request: events.RawRequest) -> list[events.Event]:
        """Read an inbound text or a status callback."""
        fields = _fields(request)
        self._refuse_other_kinds(fields)
        status = fields.get("MessageStatus") or fields.get("SmsStatus", "")
        sid = fields.get("MessageSid") or fields.get("SmsMessageSid") or fields.get("SmsSid", "")
        message_id = parsing.clean_required("MessageSid", sid, parsing.ID_LIMIT)
        if status in ("", "received", "receiving"):
            return [_inbound(message_id, fields)]
        words = parsing.carrier_words(
            fields.get("ErrorMessage"), fields.get("ChannelStatusMessage")
        )
        return [self._reported(message_id, status, fields.get("ErrorCode", ""), words)]

    def _refuse_other_kinds(self, fields: Mapping[str, str]) -> None:
        """Raise Unparsable for what is no SMS or MMS; its reason says what to set otherwise."""
        for key in ("From", "To"):
            prefix, colon, _ = fields.get(key, "").partition(":")
            if colon and (channel := CHANNELS.get(prefix.strip().lower())):
                raise events.Unparsable(self.other_channel.format(channel=channel))
        if "ConversationSid" in fields:
            raise events.Unparsable(self.conversations)
        if "CallSid" in fields and "MessageSid" not in fields:
            raise events.Unparsable(
                "It is about a call. Enter this address for messages only: at the number, take it "
                "out of the settings for voice."
            )

    def ack(self) -> tuple[bytes, str]:
        """Return empty TwiML: a plain text body would be texted back to the sender."""
        return b"<Response/>", "text/xml"

    def confirms_opt_out(self, word: str, our_number: str) -> bool:
        """Return what the base class says, but False for a short code, whose owner answers."""
        return our_number.startswith("+") and super().confirms_opt_out(word, our_number)

    def send(
        self, outgoing: results.Outgoing, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.SendResult:
        """Create a Message."""
        account = self.account(credentials)
        if account is None:
            return results.AuthFailed(NOT_STORED)
        url, login = account
        fields: dict[str, object] = {
            "From": outgoing.sender,
            "To": outgoing.recipient,
            "Body": outgoing.body,
            "StatusCallback": outgoing.callback_url,
        }
        if outgoing.media_urls:
            fields["MediaUrl"] = list(outgoing.media_urls)
        address = f"{url}/Messages{self.resource_suffix}"
        return http.post_text(client, address, self.answers, data=fields, auth=login)

    def media_request(self, url: str, credentials: Mapping[str, str]) -> results.MediaRequest:
        """Use Basic auth at the API's own host, which redirects to a signed address."""
        account = self.account(credentials)
        is_ours = account is not None and parsing.host_of(url) == parsing.host_of(account[0])
        headers = {"authorization": http.basic_auth(*account[1])} if account and is_ours else {}
        return results.MediaRequest(url, self.media_hosts, headers)

    def look_up(
        self, sought: results.Sought, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.LookUpResult:
        """Search the log of Messages between the two numbers.

        Twilio keeps no token of ours, so the wording decides; texts of other attempts are skipped.
        """
        log = self._log(credentials, client)
        found = log.find(sought) if isinstance(log, Log) else log
        if not isinstance(found, dict):
            return found
        sid, status, code = found["sid"], str(found.get("status")), found.get("error_code")
        words = parsing.carrier_words(found.get("error_message"))
        said = self._reported(sid, status, "" if code is None else str(code), words)
        return results.Found(
            said if isinstance(said, events.Receipt) else events.Receipt(sid, "sent")
        )

    def list_inbound(
        self,
        number: str,
        since: datetime,
        known: frozenset[str],
        credentials: Mapping[str, str],
        client: httpx.Client,
    ) -> results.ListResult:
        """Read the log of Messages to the number; pictures are asked for text by text."""
        log = self._log(credentials, client)
        return log.inbound(number, since, known) if isinstance(log, Log) else log

    def identify(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> results.IdentifyResult:
        """Fetch the Account."""
        account = self.account(credentials)
        if account is None:
            return results.AuthFailed(NOT_STORED)
        url, login = account
        answer = http.get_json(client, f"{url}{self.resource_suffix}", self.label, auth=login)
        if isinstance(answer, results.AuthFailed | results.CannotTell):
            return answer
        status = str(answer.get("status", ""))
        remark = "" if status in ("", "active") else f"The account is {status[:32]}."
        return results.Identity(
            str(answer.get("sid", ""))[:64], str(answer.get("friendly_name", ""))[:120], remark
        )

    def sign_test(self, credentials: Mapping[str, str], url: str) -> events.RawRequest | None:
        """Make a status callback with a status that does not exist."""
        body = urlencode({"MessageSid": "self-test", "MessageStatus": "self-test"}).encode()
        fields = b"".join(key + value for key, value in sorted(parsing.form_pairs(body)))
        mark = _signature(credentials.get(self.signing_secret[0], ""), url, fields)
        return events.RawRequest(
            "POST",
            parsing.path_of(url),
            {"content-type": parsing.FORM, self.signature_headers[0]: mark},
            body,
        )

    def open_directory(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> numbers.Directory | results.AuthFailed | None:
        """Return the account's IncomingPhoneNumbers and short codes."""
        account = self.account(credentials)
        if account is None:
            return results.AuthFailed(NOT_STORED)
        api = Api(self.label, client, {"auth": account[1]})
        messaging = getattr(settings, "TWILIO_API_URL", "https://messaging.twilio.com")
        return TwilioDirectory(api, account[0], f"{str(messaging).rstrip('/')}/v1")

    def console_guide(
        self, webhook_url: str, credentials: Mapping[str, str]
    ) -> numbers.ConsoleGuide:
        """Return the fields of Twilio's console."""
        where = "Phone Numbers → Manage → Active numbers, the number, Messaging configuration"
        return numbers.ConsoleGuide(
            (
                numbers.GuideField("A message comes in", "Webhook", where),
                numbers.GuideField("URL", webhook_url, where),
                numbers.GuideField("HTTP", "HTTP POST", where),
            ),
            "https://console.twilio.com/us1/develop/phone-numbers/manage/incoming",
            "If the number belongs to a messaging service, enter the address at Messaging → "
            "Services, the service, Integration, Send a webhook instead.",
        )

    @property
    def answers(self) -> http.Answers:
        """Describe Twilio's answer to a new Message."""
        return http.Answers(
            self.label,
            self.error_classes,
            message_id=lambda answer: answer.get("sid"),
            code=lambda answer: answer.get("code"),
            words=lambda answer: (answer.get("message"),),
        )

    def class_of(self, code: str, words: str) -> events.ErrorClass:
        """Return what an error code means, or the carrier's words where they decide."""
        return self.error_classes.get(code, "other")

    def _reported(
        self, message_id: str, status: str, error_code: str, words: str
    ) -> events.Receipt | events.Ignored:
        """Parse a Message's status, in a callback as in the log."""
        state = self.states.get(status)
        if state is None:
            return events.Ignored("a status that needs nothing done")
        if state != "failed":
            return events.Receipt(message_id, state)
        code = parsing.clean_field("ErrorCode", error_code, parsing.CODE_LIMIT)
        error_class = self.class_of(code, words)
        if error_class == "ambiguous":
            state = "unknown"
        return events.Receipt(message_id, state, code, error_class, words=words)

    def _log(
        self, credentials: Mapping[str, str], client: httpx.Client
    ) -> Log | results.AuthFailed:
        account = self.account(credentials)
        return (
            results.AuthFailed(NOT_STORED)
            if account is None
            else Log(self.label, *account, client, self.resource_suffix)
        )

    def account(self, credentials: Mapping[str, str]) -> tuple[str, tuple[str, str]] | None:
        """Return the Account's address without a suffix, and the login; None if they are not
        stored."""
        base = self.api_url(credentials)
        sid, token = (credentials.get(name, "") for name in self.login)
        if not base or not sid or not token:
            return None
        return f"{base}/2010-04-01/Accounts/{quote(sid, safe='')}", (sid, token)

    def api_url(self, credentials: Mapping[str, str]) -> str:
        """Return the address of the API."""
        return str(getattr(settings, "TWILIO_API_URL", "https://api.twilio.com")).rstrip("/")


def _signed_fields(request: events.RawRequest) -> bytes:
    """Return the part of the signed string after the URL.

    A form contributes its fields, keys sorted, the values of a repeated key sorted and without
    repetition. Any other body is bound by `bodySHA256` in the signed URL.
    """
    kind, _ = parsing.media_type(request.headers)
    if kind == parsing.FORM:
        try:
            pairs = set(parsing.form_pairs(request.body))
        except parsing.TooManyFields:
            raise events.VerificationError("the form has too many fields") from None
        return b"".join(key + value for key, value in sorted(pairs))
    if not request.body:
        return b""
    claimed = parse_qs(urlsplit(request.path).query).get("bodySHA256", [])
    if len(claimed) != 1:
        raise events.VerificationError("the body is no form and its hash is not in the URL")
    actual = hashlib.sha256(request.body).hexdigest()
    if not parsing.digest_is_any(claimed[0].lower(), [actual]):
        raise events.VerificationError("the body does not match the hash in the URL")
    return b""


def _signature(token: str, url: str, fields: bytes) -> str:
    digest = hmac.new(
        token.encode(), url.encode("utf-8", "surrogatepass") + fields, hashlib.sha1
    ).digest()
    return base64.b64encode(digest).decode()


def url_spellings(url: str) -> Iterator[str]:
    """Return the URL with and without its port, since Twilio is not consistent about it."""
    for spelled in parsing.with_both_schemes(url):
        yield spelled
        parts = urlsplit(spelled)
        if parts.port:
            bare = parts.netloc.removesuffix(f":{parts.port}")
            yield parsing.with_origin(spelled, parts.scheme, bare)
        else:
            port = 443 if parts.scheme == "https" else 80
            yield parsing.with_origin(spelled, parts.scheme, f"{parts.netloc}:{port}")


def _mismatch(request: events.RawRequest, secret: str) -> str:
    settings_header = request.headers.get("x-twilio-webhooks-signature-settings", "")
    if "SHA256" in settings_header.upper():
        return "signed with a shared key; set the webhooks to be signed with the auth token"
    return f"the signature does not match (check the {secret} and PUBLIC_URL)"


def _fields(request: events.RawRequest) -> dict[str, str]:
    """Return the fields of a form, or of a JSON object with the same names."""
    if parsing.media_type(request.headers)[0] != "application/json":
        return parsing.form_fields(request)
    told = parsing.read_object("the body", parsing.json_body(request))
    return {key: str(value) for key, value in told.items() if isinstance(value, str | int)}


def _inbound(message_id: str, fields: Mapping[str, str]) -> events.InboundText:
    count = read_integer(fields.get("NumMedia", "") or "0")
    if count is None or count > 999:
        raise events.Unparsable("NumMedia is not a number")
    count = max(count, len([key for key in fields if MEDIA_KEY.fullmatch(key)]))
    if "Body" not in fields and count == 0:
        raise events.Unparsable("Body is missing")
    return events.InboundText(
        carrier_message_id=message_id,
        sender=parsing.clean_required("From", fields.get("From", ""), parsing.ADDRESS_LIMIT),
        recipient=parsing.clean_required("To", fields.get("To", ""), parsing.ADDRESS_LIMIT),
        body=parsing.clean_field("Body", fields.get("Body", "")),
        media=tuple(_medium(fields, index) for index in range(count)),
        keyword=events.CARRIER_KEYWORDS.get(fields.get("OptOutType", "").upper()),
        others=parsing.other_addresses(
            value for key, value in sorted(fields.items()) if OTHER_KEY.fullmatch(key)
        ),
    )


def _medium(fields: Mapping[str, str], index: int) -> events.InboundMedia:
    key, kind = f"MediaUrl{index}", f"MediaContentType{index}"
    return events.InboundMedia(
        url=parsing.media_url(fields.get(key)),
        content_type=parsing.clean_field(kind, fields.get(kind, ""), parsing.TYPE_LIMIT),
    )
