"""What every carrier adapter speaks: plain values in, plain values out.

An adapter verifies and reads webhooks, and sends texts. It knows its carrier's
dialect and nothing else: no models, no database, no clock of its own. Fields that
hold a customer's words, numbers or secrets stay out of every `repr`, since reprs
end in logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import httpx

State = Literal["queued", "sending", "sent", "delivered", "failed"]
ErrorClass = Literal[
    "opted_out",
    "bad_address",
    "filtered",
    "registration",
    "throttled",
    "transient",
    "auth",
    "other",
]

REASONS: dict[ErrorClass, str] = {
    "opted_out": (
        "This person has opted out of texts from this number. They have to text START "
        "before you can write to them again."
    ),
    "bad_address": (
        "This number cannot receive texts. Check the digits, or reach the person another way."
    ),
    "filtered": (
        "The carrier blocked this text as unwanted. Reword it, leave out links, and try again."
    ),
    "registration": (
        "Our number is not registered for business texting yet. Ask an administrator to finish "
        "its registration with the carrier."
    ),
    "throttled": "Too many texts at once. Wait a minute, then retry.",
    "transient": (
        "The phone could not be reached; it may be off or out of coverage. Retry in a while."
    ),
    "auth": (
        "The carrier refused our account. Ask an administrator to check the carrier account."
    ),
    "other": (
        "The carrier did not deliver this text. Retry, and if it fails again, tell an "
        "administrator."
    ),
}


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A webhook as it came in. `path` includes the query string; header keys are lower case."""

    method: str
    path: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text from outside. Addresses are as the carrier gave them, not normalised."""

    carrier_message_id: str
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    body: str = field(repr=False)
    sent_at: datetime | None = None
    media_count: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the carrier says became of a text of ours. Receipts come in any order."""

    carrier_message_id: str
    state: State
    error_code: str = ""
    error_class: ErrorClass | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that was understood and needs nothing done."""

    reason: str


Event = InboundText | Receipt | Ignored


class VerificationError(Exception):
    """The request is not proven to be the carrier's. `reason` is for administrators."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unparsable(Exception):
    """The request is the carrier's, but cannot be read. It belongs in quarantine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One attempt to send one text. `callback_url` is where its receipts come back."""

    attempt_token: str = field(repr=False)
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    body: str = field(repr=False)
    callback_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier has the text."""

    carrier_message_id: str
    state: State = "sent"


@dataclass(frozen=True, slots=True)
class Rejected:
    """The carrier refused the text; the same request would be refused again."""

    code: str
    error_class: ErrorClass
    detail: str


@dataclass(frozen=True, slots=True)
class OptedOut:
    """The carrier refused, because the contact opted out of this number."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Surely not sent; may be tried again. `retry_after` is in seconds."""

    retry_after: float | None


@dataclass(frozen=True, slots=True)
class AuthFailed:
    """Surely not sent: the carrier does not accept our credentials."""

    detail: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely not sent: no connection was made. May be tried again."""

    detail: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """The request was, or may have been, written, and no clear answer came. Never resend."""

    detail: str


SendResult = Accepted | Rejected | OptedOut | RateLimited | AuthFailed | NotSent | OutcomeUnknown


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One thing an administrator enters for a carrier account."""

    name: str
    label: str
    is_required: bool
    help_text: str


class Carrier(Protocol):
    """One carrier's dialect."""

    name: str
    label: str
    credential_fields: tuple[CredentialField, ...]
    rejection_status: int
    """HTTP status for a webhook that fails `verify`."""
    answers_help: bool
    """Whether the carrier itself answers HELP and INFO."""

    def verify(self, request: RawRequest, credentials: Mapping[str, str], public_url: str) -> None:
        """Raise VerificationError unless the request is proven to be the carrier's."""

    def parse(self, request: RawRequest) -> list[Event]:
        """Read a verified request; raise Unparsable when it makes no sense."""

    def ack(self) -> tuple[bytes, str]:
        """The body and content type of a 2xx answer."""

    def send(
        self, outgoing: Outgoing, credentials: Mapping[str, str], http: httpx.Client
    ) -> SendResult:
        """Send one text. Timeouts are the client's; carrier trouble is a result, not an error."""
