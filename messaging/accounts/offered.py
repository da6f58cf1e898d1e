"""Read which numbers an account has at its carrier, keep the list, and say what may be done with
each of them.

The list is kept until somebody looks again, so that leafing and searching ask the carrier nothing.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal

from django.utils import timezone

from inboxes.encryption import UndecryptableError
from messaging.accounts import moving
from messaging.accounts.directories import open_directory
from messaging.accounts.troubles import NotPossible
from messaging.carriers import numbers
from messaging.carriers.numbers import OfferedNumber, Step, Trouble
from messaging.models import CarrierAccount, Number, NumberConnection, NumberListing
from threads import addresses

# So long a page waits for the carrier; what is missing then is read by the next request.
READING_SECONDS = 12.0
# So many are ticked at first, and chosen at once in the set-up: each gets an inbox.
MOST_CHOSEN = 20

Usage = Literal["here", "free", "elsewhere", "unknown"]
State = NumberConnection.State
# A connection in one of these was made. One that broke off can be taken up again.
CONNECTED = (State.OURS, State.CHANGED, State.GONE)

KINDS: dict[numbers.Kind, str] = {
    "local": "Local number",
    "mobile": "Mobile number",
    "toll_free": "Toll-free",
    "short_code": "Short code",
    "other": "Number",
}


@dataclass(slots=True)
class OfferedRow:
    """Show one number of the account, with what Partyline knows of it.

    `number` is ours that routes to an inbox, `connection` what we set at the carrier.
    """

    offered: OfferedNumber
    account: CarrierAccount
    steps: tuple[Step, ...]
    number: Number | None = None
    connection: NumberConnection | None = None

    @property
    def address(self) -> str:
        return self.offered.address

    @property
    def display(self) -> str:
        return addresses.format_address(self.offered.address)

    @property
    def usage(self) -> Usage:
        """Say where its texts go: to us, to nobody, or elsewhere."""
        route = self.offered.route
        if route is None:
            return "unknown"
        if route.leads_to(self.account.webhook_url):
            return "here"
        return "free" if route.is_free else "elsewhere"

    @property
    def tag(self) -> str:
        if self.is_connected:
            return "Connected"
        if self.is_unfinished:
            return "Not finished"
        if self.held_by:
            return "With another account"
        words = {"here": "Comes here", "free": "Free", "elsewhere": "In use elsewhere"}
        return words.get(self.usage, "Not told")

    @property
    def place(self) -> str:
        return self.offered.place or KINDS[self.offered.kind]

    @property
    def can(self) -> str:
        """Say what it can send and receive."""
        if self.offered.can_sms and self.offered.can_mms:
            return "Text and pictures"
        if self.offered.can_sms:
            return "Text only"
        return "Pictures only" if self.offered.can_mms else "No texts"

    @property
    def is_connected(self) -> bool:
        """Return True if we set it, and watch it."""
        return self._is_in(*CONNECTED)

    @property
    def needs_again(self) -> bool:
        """Return True if it comes here, but not all is set there as it should be, as after a
        change of the secrets."""
        return self.is_connected and self.usage == "here" and bool(self.steps)

    @property
    def is_unfinished(self) -> bool:
        """Return True if connecting it broke off: choosing it again goes on."""
        return self._is_in(State.CONNECTING)

    def _is_in(self, *states: State) -> bool:
        """Return True if this account's connection is in one of the states."""
        row = self.connection
        return row is not None and row.account_id == self.account.pk and row.state in states

    @property
    def held_by(self) -> CarrierAccount | None:
        """Return another account of ours that has to give the number back first."""
        return moving.find_holder(self.connection, self.number, self.account)

    @property
    def moves_from(self) -> CarrierAccount | None:
        """Return the other account of ours that the number leaves if it is chosen here."""
        number = self.number
        if number is None or number.account_id == self.account.pk or self.held_by:
            return None
        return number.account

    @property
    def account_words(self) -> str:
        """Say what another account of ours has to do with it."""
        if holder := self.held_by:
            return moving.HELD_WORDS.format(account=holder)
        if before := self.moves_from:
            return f"Tick it to move it here from the account {before}; its inbox stays."
        return ""

    @property
    def is_choosable(self) -> bool:
        """Return True if it can take texts and something is to be set, as far as we know."""
        can_text = self.offered.can_sms or self.offered.can_mms
        is_due = self.needs_again or not self.is_connected
        return can_text and is_due and self.usage != "unknown" and self.held_by is None

    @property
    def is_preselected(self) -> bool:
        """Return True if taking it takes nothing from anybody, and it may send."""
        registration = self.offered.registration
        is_blocked = registration is not None and registration.blocks_sending
        touches_others = any(step.other_count for step in self.steps)
        takes_something = is_blocked or touches_others or self.moves_from is not None
        return self.is_choosable and self.usage == "free" and not takes_something

    @property
    def goes_to(self) -> str:
        """Say where its texts go now, if that is elsewhere; without an address's path."""
        route = self.offered.route
        if self.usage != "elsewhere" or route is None:
            return ""
        if route.words:
            return f"{route.words}."
        by = {
            "service": f" by the messaging service {route.handler_name}",
            "profile": f" by the messaging profile {route.handler_name}",
            "application": f" by the application {route.handler_name}",
            "campaign": f" by the campaign {route.handler_name}",
            "account": " by a setting of the whole account",
        }.get(route.handler, "")
        where = f"to {route.host}" if route.host else "elsewhere"
        return f"Texts now go {where}{by}."

    @property
    def other_words(self) -> str:
        """Say which other numbers a change touches; empty if none."""
        step = next((one for one in self.steps if one.other_count), None)
        if step is None:
            return ""
        named = [addresses.format_address(one) for one in step.others[:5]]
        rest = step.other_count - len(named)
        if rest > 0:
            named.append(f"{rest} more")
        listed = ", ".join(named[:-1]) + (" and " if len(named) > 1 else "") + named[-1]
        return f"{step.title} is shared: the texts of {listed} come here too."

    @property
    def giving_back(self) -> str:
        """Say what giving a connected number back does."""
        was = self.connection.host_before if self.connection else ""
        return f"Give it back to {was}" if was else "Give it back"

    @property
    def change_count(self) -> int:
        return sum(len(step.fields) for step in self.steps)

    @property
    def plan_token(self) -> str:
        """Return a mark of what will change, so that nothing else is changed by the click."""
        return plan_token(self.steps)


@dataclass
class Offered:
    """Hold the kept list of an account's numbers. `read_at` is None if it was never read."""

    account: CarrierAccount
    rows: list[OfferedRow] = field(default_factory=list)
    read_at: datetime | None = None
    is_complete: bool = False
    gaps: Sequence[str] = ()

    @cached_property
    def by_address(self) -> dict[str, OfferedRow]:
        return {row.address: row for row in self.rows}

    @cached_property
    def preselected(self) -> set[str]:
        """Return the numbers that are ticked at first: free ones, unless there are many."""
        free = {row.address for row in self.rows if row.is_preselected}
        return free if len(free) <= MOST_CHOSEN else set()

    def search(self, text: str) -> list[OfferedRow]:
        """Return the rows whose number has these digits, or whose name or place these letters."""
        wanted = text.strip().casefold()
        digits = "".join(c for c in wanted if c.isdigit())
        if not wanted:
            return self.rows
        return [
            row
            for row in self.rows
            if (digits and digits in row.address)
            or (not digits and wanted in f"{row.offered.name} {row.place}".casefold())
        ]


def format_number(address: str) -> str:
    """Return a number as people of the default region write it."""
    return addresses.format_address(address)


def plan_token(steps: Sequence[Step]) -> str:
    """Return a short mark of these steps; what the fields hold now is part of it."""
    values = json.dumps([step.as_values() for step in steps])
    return hashlib.sha256(values.encode()).hexdigest()[:16] if steps else ""


def list_offered_numbers(account: CarrierAccount) -> Offered:
    """Return the kept list, without asking the carrier."""
    listing = NumberListing.objects.filter(account=account).first()
    if listing is None:
        return Offered(account)
    try:
        found = listing.get_numbers()
    except UndecryptableError:
        return Offered(account)
    wanted = [one.address for one in found]
    ours = {
        one.address: one
        for one in Number.objects.filter(address__in=wanted).select_related("inbox", "account")
    }
    connections = {
        one.address: one
        for one in NumberConnection.objects.filter(address__in=wanted).select_related("account")
    }
    plans = plan_all(account, found)
    rows = [
        OfferedRow(
            one, account, plans[one.address], ours.get(one.address), connections.get(one.address)
        )
        for one in found
    ]
    return Offered(account, rows, listing.read_at, not listing.cursor, listing.gaps)


def plan_all(
    account: CarrierAccount, found: Sequence[OfferedNumber]
) -> dict[str, tuple[Step, ...]]:
    """Return for each number what has to change so that its texts come here. Makes no call."""
    nothing: dict[str, tuple[Step, ...]] = {one.address: () for one in found}
    try:
        with open_directory(account) as directory:
            if not isinstance(directory, numbers.Directory):
                return nothing
            return {one.address: directory.plan(one, account.webhook_url) for one in found}
    except NotPossible:
        return nothing


def read_offered_numbers(
    *, account: CarrierAccount, again: bool = True, seconds: float = READING_SECONDS
) -> Trouble | None:
    """Read the account's numbers from the carrier and keep them; return the trouble if any.

    With `again` the list is read anew, else it goes on where the last reading stopped for want of
    time or for trouble. What was read before trouble came is kept. Raise NotPossible.
    """
    kept = None if again else NumberListing.objects.filter(account=account).first()
    found, cursor, gaps = _start(kept)
    until = time.monotonic() + seconds
    trouble: Trouble | None = None
    with open_directory(account) as directory:
        if not isinstance(directory, numbers.Directory):
            return directory
        is_first = True
        while is_first or (cursor and time.monotonic() < until):
            is_first = False
            page = directory.read_page(cursor)
            if not isinstance(page, numbers.Page):
                trouble = page
                break
            found |= {one.address: one for one in page.numbers}
            cursor = page.cursor
            gaps |= dict.fromkeys(page.gaps)
    if trouble is None or found:
        _keep(account, [*found.values()], cursor, [*gaps])
    return trouble


def _start(
    kept: NumberListing | None,
) -> tuple[dict[str, OfferedNumber], str, dict[str, None]]:
    """Return what was read before, and where to go on."""
    if kept is None or not kept.cursor:
        return {}, "", {}
    try:
        before = {one.address: one for one in kept.get_numbers()}
    except UndecryptableError:
        return {}, "", {}
    return before, kept.cursor, dict.fromkeys(kept.gaps)


def _keep(
    account: CarrierAccount, found: list[OfferedNumber], cursor: str, gaps: list[str]
) -> None:
    listing = NumberListing()
    listing.set_numbers(sorted(found, key=lambda one: one.address))
    NumberListing.objects.update_or_create(
        account=account,
        defaults={
            "read_at": timezone.now(),
            "encrypted_numbers": listing.encrypted_numbers,
            "count": listing.count,
            "cursor": cursor,
            "gaps": gaps,
        },
    )
