"""Define what we ask of a carrier and what came of asking, as plain values.

Details are in our words, because details end up in logs. What a carrier itself says of a text that
it did not take is in `words`, which no log and no `repr` shows: it may repeat phone numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from messaging.carriers import events


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Ask to send one text once. `callback_url` is where its receipts come back.

    `media_urls` are public and expire; the carrier fetches from them. The token is a UUID.
    """

    attempt_token: str = field(repr=False)
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    body: str = field(repr=False)
    callback_url: str = field(repr=False)
    media_urls: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier has the text."""

    carrier_message_id: str
    state: events.State = "sent"


@dataclass(frozen=True, slots=True)
class Rejected:
    """The carrier refused the text; the same request would be refused again."""

    code: str
    error_class: events.ErrorClass
    detail: str
    words: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class OptedOut:
    """The carrier refused, because the contact opted out of this number."""

    code: str
    detail: str
    words: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Surely not sent; may be tried again. `retry_after` is in seconds."""

    retry_after: float | None
    code: str = field(default="", compare=False)
    words: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class AuthFailed:
    """The carrier does not accept our credentials; nothing was sent."""

    detail: str
    code: str = field(default="", compare=False)
    words: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The carrier knows us, but the key may not do this. `permission` is what it lacks, as the
    carrier's console calls it."""

    permission: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The carrier refused a change, other than of a text; the same request would be refused again.

    `words` are the carrier's own.
    """

    detail: str
    code: str = field(default="", compare=False)
    words: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely not sent: no connection was made. May be tried again."""

    detail: str
    words: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """The request was, or may have been, written, and no clear answer came. Never resend."""

    detail: str
    code: str = field(default="", compare=False)
    words: str = field(default="", repr=False, compare=False)


SendResult = Accepted | Rejected | OptedOut | RateLimited | AuthFailed | NotSent | OutcomeUnknown


@dataclass(frozen=True, slots=True)
class Sought:
    """Name an attempt whose outcome nobody knows; it was begun between the two times.

    The times allow for clocks that differ, and the later one for a carrier that is slow.
    `not_these` are the carrier's ids of other attempts' texts, which may be worded alike. An
    attempt is alone if no other to this person between these times is still unknown.
    """

    attempt_token: str = field(repr=False)
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    body: str = field(repr=False)
    earliest: datetime
    latest: datetime
    not_these: frozenset[str] = field(default=frozenset(), repr=False)
    is_alone: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The carrier has the text; the receipt says how far it has come."""

    receipt: events.Receipt


@dataclass(frozen=True, slots=True)
class NotFound:
    """The carrier's log covers the time, and the text is not in it (it may lag some minutes)."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """The carrier did not answer, or does not answer this. May be asked again."""

    detail: str


LookUpResult = Found | NotFound | CannotTell | AuthFailed


@dataclass(frozen=True, slots=True)
class Listed:
    """Texts that came in, oldest first. When it is not all of them, the oldest are missing."""

    texts: tuple[events.InboundText, ...]
    is_all: bool = True


ListResult = Listed | CannotTell | AuthFailed


@dataclass(frozen=True, slots=True)
class Identity:
    """Say who the carrier's API says we are. `remark` is a problem to show, as "suspended"."""

    account: str
    name: str
    remark: str = ""


IdentifyResult = Identity | AuthFailed | CannotTell


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """Describe how to fetch a picture. `headers` hold credentials, for the first host only.

    Each of `hosts` is a host's whole name, or with a leading dot the end of one, or a host and a
    folder (`s3.example.com/bucket/`) where others have their files too. A redirect leads to one of
    them as well.
    """

    url: str = field(repr=False)
    hosts: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Describe what a carrier can do, as its documents say.

    `longest_text` is in characters, `media_bytes` the limit of one text's pictures together,
    `segments_per_second` what one long code may send unless its number says otherwise.
    """

    longest_text: int
    media_count: int
    media_bytes: int
    media_types: frozenset[str]
    segments_per_second: float = 1.0
    can_look_up: bool = False
    can_list_inbound: bool = False
    charges_for_lists: bool = False
