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
    # The person, or the way to them.
    "opted_out",
    "bad_address",
    "no_route",
    "refused",
    "transient",
    "expired",
    # The text.
    "filtered",
    "content",
    "too_long",
    "media",
    "no_media",
    # Our number and our account.
    "registration",
    "sender",
    "country",
    "daily_limit",
    "trial",
    "account",
    "funds",
    "auth",
    "setup",
    # The carrier.
    "throttled",
    "server",
    "ambiguous",
    "other",
]

# What an agent reads, and so what they can do. It says where retrying alone never helps.
REASONS: dict[ErrorClass, str] = {
    "opted_out": (
        "This person has opted out of texts from this number. They have to text START "
        "before you can text them again."
    ),
    "bad_address": (
        "This number can't receive texts. Retrying won't help: check the digits, or reach the "
        "person another way."
    ),
    "no_route": (
        "The carrier can't route texts from our number to this one. Retrying rarely helps: reach "
        "the person another way, and tell an administrator if it happens with other numbers too."
    ),
    "refused": (
        "The person's network or phone refused this text without a clear reason. Retry once; "
        "if it fails again, reach them another way."
    ),
    "transient": (
        "The phone couldn't be reached. It may be off or out of coverage. Retry in a while."
    ),
    "expired": "The carrier couldn't deliver this text in time. Retry if it still matters.",
    "filtered": (
        "The carrier blocked this text as unwanted. Retrying it unchanged won't help: reword it, "
        "leave out any links, and send it again."
    ),
    "content": (
        "The carrier couldn't process this text as written. Retrying it unchanged won't help. "
        "Remove unusual characters and send it again."
    ),
    "too_long": (
        "This text is too long for the carrier. Retrying won't help: split it into several texts."
    ),
    "media": (
        "The carrier rejected the picture. Send fewer or smaller pictures, use JPEG, or send "
        "just the text."
    ),
    "no_media": (
        "Pictures can't be sent between our number and this one. Retrying won't help: send just "
        "the text."
    ),
    "registration": (
        "Our number isn't registered for business texting yet. Retrying won't help: ask an "
        "administrator to finish registering it with the carrier."
    ),
    "sender": (
        "The carrier doesn't let us text from our number. Retrying won't help: ask an "
        "administrator to check the number with the carrier."
    ),
    "country": (
        "The carrier doesn't send to this country. Retrying won't help: ask an administrator to "
        "turn this country on at the carrier."
    ),
    "daily_limit": (
        "Our number has reached its daily limit. Retry tomorrow, or ask an administrator to get a "
        "higher limit from the carrier."
    ),
    "trial": (
        "Our carrier account is a trial and can only text verified numbers. Retrying won't help: "
        "ask an administrator to verify this number or upgrade the account."
    ),
    "account": (
        "The carrier has suspended, closed, or restricted our account. Retrying won't help: ask "
        "an administrator to sort it out with the carrier."
    ),
    "funds": (
        "Our carrier account is out of money or at its spending limit. Ask an administrator to "
        "top it up or raise the limit, then retry."
    ),
    "auth": (
        "The carrier rejected our credentials. Ask an administrator to check the carrier account, "
        "then retry."
    ),
    "setup": (
        "The carrier couldn't accept this text because of how our account is set up. Retrying "
        "won't help: ask an administrator, who can see what the carrier says."
    ),
    "throttled": "Too many texts at once. Wait a minute, then retry.",
    "server": (
        "The carrier or a network behind it had a problem. Retry in a few minutes; if it fails "
        "again, tell an administrator."
    ),
    "ambiguous": (
        "The carrier can't tell whether this text arrived. Ask the person, or retry: "
        "they may then get it twice."
    ),
    "other": (
        "The carrier didn't deliver this text. Retry, and if it fails again, tell an "
        "administrator."
    ),
}


def class_by_code(codes: Mapping[ErrorClass, str]) -> dict[str, ErrorClass]:
    """Turn a table of classes, each with its codes in one string, round."""
    return {code: kind for kind, listed in codes.items() for code in listed.split()}


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
    carrier says nothing of it. `others` are the other recipients of a group text; ours and the
    sender may be among them. Where the carrier does not tell which recipient of a group is us,
    `is_recipient_told` is False and `recipient` is only the first of them.
    """

    carrier_message_id: str
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    body: str = field(repr=False)
    sent_at: datetime | None = None
    media: tuple[InboundMedia, ...] = ()
    subject: str = field(default="", repr=False)
    keyword: Keyword | None = None
    others: tuple[str, ...] = field(default=(), repr=False)
    is_recipient_told: bool = True

    @property
    def words(self) -> str:
        """Return the subject, if there is one, and the body."""
        return "\n".join(filter(None, [self.subject, self.body]))


@dataclass(frozen=True, slots=True)
class Receipt:
    """Hold what the carrier reports of a text of ours. Receipts come in any order.

    `recipient` is empty unless the carrier reports for each one. `attempt_token` is our token, if
    it comes back in the receipt rather than in the address that it is posted to. `words` are the
    carrier's own about a failure (`parsing.carrier_words`); they may repeat phone numbers.
    """

    carrier_message_id: str
    state: State
    error_code: str = ""
    error_class: ErrorClass | Literal[""] = ""
    recipient: str = field(default="", repr=False)
    attempt_token: str = field(default="", repr=False)
    words: str = field(default="", repr=False)


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
