"""Define what carriers tell us, as plain values, and what their error classes mean to an agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

# How far the carrier says a text has come; *unknown* when it says that it cannot tell.
State = Literal["queued", "sending", "sent", "delivered", "failed", "unknown"]

# What a text asks for: no more texts, texts again, or help.
Keyword = Literal["opt_out", "opt_in", "help"]

# The words in which Twilio and Telnyx say what they took a text for.
CARRIER_KEYWORDS: dict[str, Keyword] = {"STOP": "opt_out", "START": "opt_in", "HELP": "help"}

ErrorClass = Literal[
    "opted_out",
    "bad_address",
    "filtered",
    "registration",
    "throttled",
    "transient",
    "ambiguous",
    "too_long",
    "media",
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
    "ambiguous": (
        "The carrier cannot tell whether this text arrived. Ask the person, or retry: "
        "they may then get it twice."
    ),
    "too_long": "This text is too long for the carrier. Split it, and send the parts.",
    "media": (
        "The carrier did not take the picture. Send fewer or smaller ones, or a JPEG, or the "
        "words alone."
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
    """Hold a webhook as it came in. `path` includes the query; header keys are lower case."""

    method: str
    path: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class InboundMedia:
    """Describe a picture or file that came with a text and is still at the carrier.

    `url` is empty if the carrier announced it and does not say where it is. Type and size (bytes)
    are the carrier's claims; `sha256` (hex) is empty unless it gives one.
    """

    url: str = field(repr=False)
    content_type: str = ""
    size: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class InboundText:
    """Hold a text from outside. Addresses are as the carrier gave them, not normalised.

    `keyword` is what the carrier itself took the text for, and has answered; it is None where the
    carrier says nothing of it.
    """

    carrier_message_id: str
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    body: str = field(repr=False)
    sent_at: datetime | None = None
    media: tuple[InboundMedia, ...] = ()
    subject: str = field(default="", repr=False)
    keyword: Keyword | None = None

    @property
    def words(self) -> str:
        """Return the subject, if there is one, and the body."""
        return "\n".join(filter(None, [self.subject, self.body]))


@dataclass(frozen=True, slots=True)
class Receipt:
    """Hold what the carrier reports of a text of ours. Receipts come in any order.

    `recipient` is empty unless the carrier reports for each one. `attempt_token` is our token, if
    it comes back in the receipt rather than in the address that it is posted to.
    """

    carrier_message_id: str
    state: State
    error_code: str = ""
    error_class: ErrorClass | Literal[""] = ""
    recipient: str = field(default="", repr=False)
    attempt_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Ignored:
    """Stand for an event that was understood and needs nothing done."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stand for one of a request's events that makes no sense; the others are used.

    The request goes into quarantine nevertheless.
    """

    reason: str


Event = InboundText | Receipt | Ignored | Unreadable


class VerificationError(Exception):
    """Say why a request is not proven to be the carrier's. `reason` is for administrators."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unparsable(Exception):
    """Say why a proven request cannot be parsed. It belongs in quarantine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
