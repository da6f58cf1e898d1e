"""Twilio Programmable Messaging.

Follows Twilio's "Webhooks security" (X-Twilio-Signature), "Messaging webhooks",
"Message resource" (`2010-04-01/Accounts/{sid}/Messages.json`) and its error dictionary.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, quote, urlsplit

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
    Pairs,
    TooManyFields,
    digest_is_any,
    form_pairs,
    media_type,
    readable,
    required,
)

FORM = "application/x-www-form-urlencoded"

STATES: dict[str, State] = {
    "accepted": "queued",
    "scheduled": "queued",
    "queued": "queued",
    "sending": "sending",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}

ERROR_CLASSES: dict[str, ErrorClass] = {
    "20003": "auth",
    "20429": "throttled",
    "21211": "bad_address",
    "21610": "opted_out",
    "21611": "throttled",
    "21614": "bad_address",
    "30001": "throttled",
    "30003": "transient",
    "30004": "filtered",
    "30005": "bad_address",
    "30006": "bad_address",
    "30007": "filtered",
    "30008": "transient",
    "30034": "registration",
}


class Twilio:
    """The adapter; it holds no state."""

    name: str = "twilio"
    label: str = "Twilio"
    rejection_status: int = 403
    answers_help: bool = True
    credential_fields: tuple[CredentialField, ...] = (
        CredentialField("account_sid", "Account SID", True, "Starts with AC."),
        CredentialField(
            "auth_token",
            "Auth token",
            True,
            "The primary auth token of this account or subaccount; it also signs the webhooks.",
        ),
        CredentialField(
            "previous_auth_token",
            "Previous auth token",
            False,
            "While you rotate the token: webhooks signed with this one are accepted as well.",
        ),
    )

    def verify(self, request: RawRequest, credentials: Mapping[str, str], public_url: str) -> None:
        """Check X-Twilio-Signature over the public URL and the sent fields. Fails closed.

        The URL is built on `public_url`; what the request says of its own host is not read.
        """
        tokens = [
            token
            for key in ("auth_token", "previous_auth_token")
            if (token := credentials.get(key, ""))
        ]
        if not credentials.get("auth_token"):
            raise VerificationError("no auth token is stored for this account")
        given = request.headers.get("x-twilio-signature", "")
        if not given:
            raise VerificationError("the signature header is missing")
        url = public_url.rstrip("/") + request.path
        fields = _signed_fields(request)
        expected = [
            _signature(token, candidate, fields)
            for token in tokens
            for candidate in _spellings(url)
        ]
        if not digest_is_any(given, expected):
            raise VerificationError(_mismatch(request))

    def parse(self, request: RawRequest) -> list[Event]:
        """Read an inbound text or a status callback."""
        fields = _text_fields(request)
        status = fields.get("MessageStatus") or fields.get("SmsStatus", "")
        sid = fields.get("MessageSid") or fields.get("SmsMessageSid") or fields.get("SmsSid", "")
        message_id = required("MessageSid", sid, ID_LIMIT)
        if status in ("", "received"):
            return [_inbound(message_id, fields)]
        state = STATES.get(status)
        if state is None:
            return [Ignored("a status that needs nothing done")]
        if state != "failed":
            return [Receipt(message_id, state)]
        code = readable("ErrorCode", fields.get("ErrorCode", ""), 16)
        return [Receipt(message_id, state, code, ERROR_CLASSES.get(code, "other"))]

    def ack(self) -> tuple[bytes, str]:
        """Empty TwiML: a plain text body would be texted back to the sender."""
        return b"<Response/>", "text/xml"

    def send(
        self, outgoing: Outgoing, credentials: Mapping[str, str], http: httpx.Client
    ) -> SendResult:
        """Create a Message. Redirects are never followed, so that it is created once."""
        account_sid = credentials.get("account_sid", "")
        auth_token = credentials.get("auth_token", "")
        if not account_sid or not auth_token:
            return AuthFailed("the account SID or the auth token is not stored")
        base = str(getattr(settings, "TWILIO_API_URL", "https://api.twilio.com")).rstrip("/")
        try:
            response = http.post(
                f"{base}/2010-04-01/Accounts/{quote(account_sid, safe='')}/Messages.json",
                data={
                    "From": outgoing.sender,
                    "To": outgoing.recipient,
                    "Body": outgoing.body,
                    "StatusCallback": outgoing.callback_url,
                },
                auth=(account_sid, auth_token),
                follow_redirects=False,
            )
        except httpx.RequestError as error:
            return failure(error)
        return _outcome(response)


def _signed_fields(request: RawRequest) -> bytes:
    """The part of the signed string behind the URL.

    A form contributes its fields, keys sorted, the values of a repeated key sorted
    without repetition. Any other body is bound by `bodySHA256` in the signed URL.
    """
    kind, _ = media_type(request.headers)
    if kind == FORM:
        try:
            pairs = set(form_pairs(request.body))
        except TooManyFields:
            raise VerificationError("the form has too many fields") from None
        return b"".join(key + value for key, value in sorted(pairs))
    if not request.body:
        return b""
    claimed = parse_qs(urlsplit(request.path).query).get("bodySHA256", [])
    if len(claimed) != 1:
        raise VerificationError("the body is no form and its hash is not in the URL")
    actual = hashlib.sha256(request.body).hexdigest()
    if not digest_is_any(claimed[0].lower(), [actual]):
        raise VerificationError("the body does not match the hash in the URL")
    return b""


def _signature(token: str, url: str, fields: bytes) -> str:
    digest = hmac.new(
        token.encode(), url.encode("utf-8", "surrogatepass") + fields, hashlib.sha1
    ).digest()
    return base64.b64encode(digest).decode()


def _spellings(url: str) -> Iterator[str]:
    """The URL with and without its port, since Twilio is not consistent in it."""
    yield url
    parts = urlsplit(url)
    if parts.port:
        bare = parts.netloc.removesuffix(f":{parts.port}")
        yield parts._replace(netloc=bare).geturl()
    else:
        port = 443 if parts.scheme == "https" else 80
        yield parts._replace(netloc=f"{parts.netloc}:{port}").geturl()


def _mismatch(request: RawRequest) -> str:
    settings_header = request.headers.get("x-twilio-webhooks-signature-settings", "")
    if "SHA256" in settings_header.upper():
        return "signed with a shared key; set the webhooks to be signed with the auth token"
    return "the signature does not match (check the auth token and PUBLIC_URL)"


def _text_fields(request: RawRequest) -> dict[str, str]:
    """The form's fields as text. Raises Unparsable for anything but a clean UTF-8 form."""
    kind, charset = media_type(request.headers)
    if kind != FORM:
        raise Unparsable("the body is not a form")
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise Unparsable("the form declares a charset other than UTF-8")
    try:
        pairs = form_pairs(request.body)
    except TooManyFields:
        raise Unparsable("the form has too many fields") from None
    return _decoded(pairs)


def _decoded(pairs: Pairs) -> dict[str, str]:
    fields: dict[str, str] = {}
    for raw_key, raw_value in pairs:
        try:
            key, value = raw_key.decode(), raw_value.decode()
        except UnicodeDecodeError:
            raise Unparsable("a field is not valid UTF-8") from None
        if fields.setdefault(key, value) != value:
            raise Unparsable("a field is given twice with different values")
    return fields


def _inbound(message_id: str, fields: Mapping[str, str]) -> InboundText:
    media = fields.get("NumMedia", "") or "0"
    if not (media.isascii() and media.isdigit() and len(media) <= 3):
        raise Unparsable("NumMedia is not a number")
    if "Body" not in fields and media == "0":
        raise Unparsable("Body is missing")
    return InboundText(
        carrier_message_id=message_id,
        sender=required("From", fields.get("From", ""), ADDRESS_LIMIT),
        recipient=required("To", fields.get("To", ""), ADDRESS_LIMIT),
        body=readable("Body", fields.get("Body", "")),
        media_count=int(media),
    )


def _outcome(response: httpx.Response) -> SendResult:
    """Judge an answer. Details are in our words: Twilio's own texts repeat phone numbers."""
    status = response.status_code
    if status in (200, 201, 202):
        sid = json_object(response).get("sid")
        if is_message_id(sid):
            return Accepted(sid)
        return OutcomeUnknown(f"Twilio answered {status} without a readable message SID")
    if status == 429:
        return RateLimited(retry_after(response))
    if status == 408 or not 400 <= status < 500:
        return OutcomeUnknown(f"Twilio answered {status}")
    return _refusal(response)


def _refusal(response: httpx.Response) -> SendResult:
    number = json_object(response).get("code")
    code = str(number)[:16] if isinstance(number, int) else ""
    detail = f"Twilio answered {response.status_code}, error {code or 'not given'}"
    error_class = ERROR_CLASSES.get(code, "other")
    if response.status_code == 401 or error_class == "auth":
        return AuthFailed(detail)
    if error_class == "opted_out":
        return OptedOut(code, detail)
    if error_class == "throttled":
        return RateLimited(retry_after(response))
    return Rejected(code or str(response.status_code), error_class, detail)
