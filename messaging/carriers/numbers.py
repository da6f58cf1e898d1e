"""Define what a carrier tells of an account's numbers, and how it is told where their texts go.

An adapter that can do that returns a `Directory` for an account (`Carrier.open_directory`). It
reads numbers, plans what has to change so that a number's texts come to a webhook of ours, and
makes one such change at a time. It keeps what it read of the account as long as it lives, so open
a new one for each errand. Addresses of webhooks may hold tokens: they are left out of every
`repr`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from messaging.carriers import results

Kind = Literal["local", "mobile", "toll_free", "short_code", "other"]
# The resource of the carrier's that says where a number's texts go.
Handler = Literal["number", "service", "profile", "application", "campaign", "account"]

# Toll-free numbers of North America
TOLL_FREE = re.compile(r"\+18(?:00|33|44|55|66|77|88)")

# Stands in a later step's values for the id of what an earlier step makes.
MADE = "{made}"
# So many of the other numbers that a change touches are named; the rest are counted.
NAMED_OTHERS = 20
# From so many numbers on, reading the account's list is cheaper than reading each number.
FEW = 5
# So many of those that a list leaves out are read one by one in a round.
MISSING = 20

Trouble = (
    results.AuthFailed
    | results.Forbidden
    | results.RateLimited
    | results.CannotTell
    | results.OutcomeUnknown
    | results.Refused
)


@dataclass(frozen=True, slots=True)
class Registration:
    """Say how far the registration of a number's texts is.

    `tag` is a word or two, `words` a sentence that says what to do. "waiting" means that the
    carrier's or the networks' decision is pending.
    """

    tag: str
    words: str
    level: Literal["good", "waiting", "bad"]
    blocks_sending: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Say where the carrier delivers a number's texts now, and which resource of its says so.

    `url` is empty if they go nowhere, or to something that is no webhook, which `words` then says.
    `is_free` means that nobody uses it: there is no address, or only the carrier's own example.
    `others` are other numbers whose texts the same resource routes. `also` are the ids of further
    resources that it depends on, such as a location that has the application. `is_off` means that
    the resource is turned off there: nothing is delivered, whatever `url` is.
    """

    url: str = field(repr=False)
    method: str = "POST"
    handler: Handler = "number"
    handler_id: str = ""
    handler_name: str = field(default="", repr=False)
    is_free: bool = False
    words: str = ""
    others: tuple[str, ...] = field(default=(), repr=False)
    other_count: int = 0
    also: tuple[str, ...] = ()
    is_off: bool = False

    @property
    def host(self) -> str:
        """Return the host that gets the texts; empty if there is none."""
        return "" if self.is_off else host_of(self.url)

    def as_values(self) -> dict[str, Any]:
        """Return plain values, to be stored; `read` takes them."""
        return asdict(self)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Return a route as it was stored."""
        tuples = {name: tuple(values.get(name, ())) for name in ("others", "also")}
        return cls(**{**values, **tuples})

    def leads_to(self, webhook_url: str) -> bool:
        """Return True if the texts come to our webhook, however its address is spelled."""
        return not self.is_off and _plain(self.url) == _plain(webhook_url)


@dataclass(frozen=True, slots=True)
class OfferedNumber:
    """Describe one number of the account.

    `carrier_id` is what the carrier calls it, `place` where it belongs to, as "Denver, CO", if the
    carrier tells. `route` is None if the carrier doesn't tell where its texts go. `fields` are
    what else the adapter needs to plan a change.
    """

    address: str = field(repr=False)
    carrier_id: str = field(repr=False)
    kind: Kind
    can_sms: bool
    can_mms: bool
    route: Route | None
    place: str = ""
    name: str = field(default="", repr=False)
    registration: Registration | None = None
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)

    def as_values(self) -> dict[str, Any]:
        """Return plain values, to be stored; `read` takes them."""
        return asdict(self)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Return a number as it was stored."""
        route, registration = values["route"], values["registration"]
        if route is not None:
            route = Route.read(route)
        if registration is not None:
            registration = Registration(**registration)
        return cls(**{**values, "route": route, "registration": registration})


@dataclass(frozen=True, slots=True)
class Page:
    """Hold some of the account's numbers.

    `cursor` asks for the next ones; it is empty at the end. `gaps` are sentences on what the
    carrier did not tell, as for want of a permission.
    """

    numbers: tuple[OfferedNumber, ...]
    cursor: str = ""
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Change one field. `name` is the API's, `label` the one in the carrier's console."""

    name: str
    label: str
    now: str = field(repr=False)
    will_be: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """Change the fields of one resource by one call; doing it twice is the same as doing it once.

    `resource` is the adapter's word for what is changed, and `title` is for people, as "Messaging
    service Front desk". An empty `resource_id` means that the step makes the resource. `others`
    are numbers that the change touches beside the one it is for.
    """

    resource: str
    resource_id: str = field(repr=False)
    title: str = field(repr=False)
    fields: tuple[FieldChange, ...]
    others: tuple[str, ...] = field(default=(), repr=False)
    other_count: int = 0

    def reversed(self) -> Step:
        """Return the step that puts back what was there."""
        return replace(
            self,
            fields=tuple(
                replace(one, now=one.will_be, will_be=one.now) for one in reversed(self.fields)
            ),
        )

    def with_made(self, resource_id: str) -> Step:
        """Return the step with the id of what an earlier step made."""
        return replace(
            self,
            resource_id=self.resource_id.replace(MADE, resource_id),
            fields=tuple(
                replace(one, will_be=one.will_be.replace(MADE, resource_id)) for one in self.fields
            ),
        )

    def as_values(self) -> dict[str, Any]:
        """Return plain values, to be stored; `read` takes them."""
        return {
            "resource": self.resource,
            "resource_id": self.resource_id,
            "title": self.title,
            "fields": [[one.name, one.label, one.now, one.will_be] for one in self.fields],
            "others": list(self.others),
            "other_count": self.other_count,
        }

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Return a step as it was stored."""
        return cls(
            values["resource"],
            values["resource_id"],
            values["title"],
            tuple(FieldChange(*one) for one in values["fields"]),
            tuple(values["others"]),
            values["other_count"],
        )


@dataclass(frozen=True, slots=True)
class Applied:
    """The carrier made the change. `made` is the id of a resource that it made for it."""

    made: str = ""


@dataclass(frozen=True, slots=True)
class NotThere:
    """The account has no such number, or no such resource."""


@dataclass(frozen=True, slots=True)
class GuideField:
    """Describe one field of the carrier's console: its label there, what to enter, where it is."""

    label: str
    value: str = field(repr=False)
    where: str = ""


@dataclass(frozen=True, slots=True)
class ConsoleGuide:
    """Say how a person sets the webhook in the carrier's console. `url` is the console's page."""

    fields: tuple[GuideField, ...]
    url: str = ""
    words: str = ""


class Directory(ABC):
    """Read and route the numbers of one account. It calls the carrier with the client it got."""

    @abstractmethod
    def read_page(self, cursor: str = "", *, with_registration: bool = True) -> Page | Trouble:
        """Return the account's numbers, as many as the carrier gives at once.

        Without registration only what says where texts go is read, which takes fewer calls.
        """

    @abstractmethod
    def read_number(
        self, address: str, carrier_id: str, *, with_registration: bool = False
    ) -> OfferedNumber | NotThere | Trouble:
        """Return one number as it is now."""

    @abstractmethod
    def plan(self, number: OfferedNumber, webhook_url: str) -> tuple[Step, ...]:
        """Return what has to change so that the number's texts come to `webhook_url`.

        The order is the safe one: broken off anywhere, no text is lost. Empty if nothing has to.
        Makes no call.
        """

    @abstractmethod
    def current(self, step: Step) -> Mapping[str, str] | NotThere | Trouble:
        """Return what the step's fields are now, by name."""

    @abstractmethod
    def apply(self, step: Step) -> Applied | NotThere | Trouble:
        """Set the step's fields to what they will be."""

    def read_numbers(
        self, wanted: Mapping[str, str]
    ) -> dict[str, OfferedNumber | NotThere] | Trouble:
        """Return the wanted numbers (carrier's id by address), for the watch.

        Trouble with any of them is trouble with all: it is the account's. A list may leave a
        number out, as when it changes between two pages: each that is missing is read by itself,
        up to MISSING of them. Of further ones nothing is returned.
        """
        found: dict[str, OfferedNumber | NotThere] = {}
        cursor = ""
        while len(wanted) > FEW:
            page = self.read_page(cursor, with_registration=False)
            if not isinstance(page, Page):
                return page
            found |= {one.address: one for one in page.numbers if one.address in wanted}
            cursor = page.cursor
            if not cursor or len(found) == len(wanted):
                break
        missing = [address for address in wanted if address not in found]
        for address in missing[:MISSING]:
            one = self.read_number(address, wanted[address])
            if not isinstance(one, OfferedNumber | NotThere):
                return one
            found[address] = one
        return found


def kind_of(address: str, said: str = "") -> Kind:
    """Return the kind of a number by its address, or by the carrier's word for it."""
    if not address.startswith("+"):
        return "short_code"
    if TOLL_FREE.match(address):
        return "toll_free"
    by_word: dict[str, Kind] = {"local": "local", "mobile": "mobile", "toll-free": "toll_free"}
    return by_word.get(said.lower().replace("_", "-"), "local" if address[:2] == "+1" else "other")


def host_of(value: str) -> str:
    """Return the host of an address; empty for anything else."""
    try:
        return urlsplit(value).hostname or ""
    except ValueError:
        return ""


def is_same(one: str, other: str) -> bool:
    """Return True for equal values; addresses may be spelled otherwise."""
    is_address = one.startswith(("http://", "https://"))
    return one == other or (is_address and _plain(one) == _plain(other))


def _plain(url: str) -> str:
    """Write an address so that spellings that mean the same are the same."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url
    default = {"https": 443, "http": 80}.get(parts.scheme)
    host = (parts.hostname or "") + (f":{port}" if port not in (None, default) else "")
    path = re.sub("/+", "/", parts.path).rstrip("/")
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}{path}{query}"
