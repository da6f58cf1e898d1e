"""Show on a number's page whether its texts still come here, and mend it where they don't."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone

from inboxes.encryption import UndecryptableError
from inboxes.models import Agent
from inboxes.times import Style
from messaging.accounts import disconnecting, schedule, troubles, watching
from messaging.accounts.directories import can_set_up
from messaging.admin.account_numbers import administrator, console_guide, report
from messaging.carriers.numbers import ConsoleGuide, Route, Step
from messaging.models import Message, Number, NumberConnection

State = NumberConnection.State
LINES = 8  # Of what happened


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line of what happened."""

    at: datetime
    title: str
    words: str = ""
    agent: Agent | None = None
    is_bad: bool = False


@dataclass
class Watch:
    """Hold what a number's page shows of its connection, which may be none."""

    number: Number
    connection: NumberConnection | None

    @property
    def carrier(self) -> str:
        return self.number.account.adapter.label

    @property
    def state(self) -> str:
        return self.connection.state if self.connection else ""

    @property
    def is_lost(self) -> bool:
        """Return True if new texts don't reach us."""
        return self.state in (State.CHANGED, State.GONE)

    @property
    def can_give_back(self) -> bool:
        """Return True if what was set for it can be put back: also for one that is gone, since a
        service that others share may still be set for it."""
        return self.state in (State.OURS, State.GONE)

    @property
    def is_unfinished(self) -> bool:
        return self.state == State.CONNECTING

    @property
    def has_call(self) -> bool:
        """Return True if the page begins with what is wrong, and what to do."""
        return self.is_lost or self.is_unfinished

    @property
    def numbers_url(self) -> str:
        """Return the address of the page with all numbers of its account."""
        return reverse("admin:messaging_carrieraccount_numbers", args=[self.number.account_id])

    @property
    def is_ours(self) -> bool:
        return self.state == State.OURS

    @property
    def is_checked_soon(self) -> bool:
        """Return True while it is looked at more often than once an hour: something is wrong."""
        row = self.connection
        if row is None or (self.is_ours and not row.trouble):
            return False
        if row.tried_at is None or row.next_check_at is None:
            return True
        return row.next_check_at - row.tried_at <= 2 * schedule.SOON

    @property
    def is_good(self) -> bool:
        """Return True if new texts come to us, and that was seen lately."""
        return self.is_ours and not (self.connection and self.connection.unchecked_since)

    @property
    def is_bad(self) -> bool:
        return self.has_call or (self.is_ours and not self.is_good)

    @property
    def is_watched(self) -> bool:
        return self.connection is not None and self.connection.is_watched

    @property
    def tag(self) -> str:
        return self.connection.get_state_display() if self.connection else "Not connected"

    @property
    def should_be(self) -> str:
        return self.number.account.webhook_url

    @cached_property
    def route(self) -> Route | None:
        """Return where its texts went at the last check; None if we can't tell any more."""
        try:
            return self.connection.get_route() if self.connection else None
        except UndecryptableError:
            return None

    @property
    def is_now(self) -> str:
        route = self.route
        return "" if route is None else route.url or route.words or "no address"

    @property
    def is_old_address(self) -> bool:
        """Return True if it leads to an earlier address of ours: PUBLIC_URL has changed."""
        return bool(self.route and self.route.url.endswith(self.number.account.webhook_path))

    @property
    def by(self) -> str:
        """Say which shared resource of the carrier's routes its texts."""
        route = self.route
        if route is None or not route.handler_name:
            return ""
        kind = {"service": "messaging service", "profile": "messaging profile"}
        return f"by the {kind.get(route.handler, route.handler)} {route.handler_name}"

    @cached_property
    def steps_back(self) -> list[Step]:
        """Return what giving it back changes at the carrier."""
        return disconnecting.describe_undoing(self.connection) if self.connection else []

    @cached_property
    def lines(self) -> list[Line]:
        """Return what happened, the newest first: what is written down, and the last times of what
        happens all the time."""
        row = self.connection
        if row is None:
            return []
        lines = [
            Line(one.at, one.get_kind_display(), one.words, one.agent, one.is_bad)
            for one in row.events.select_related("agent")[:LINES]
        ]
        if row.trouble and row.tried_at:
            lines.append(Line(row.tried_at, "Not checked", f"{row.trouble}.", is_bad=True))
        if row.good_at:
            lines.append(Line(row.good_at, "Checked: set to Partyline"))
        if self.last_text_at:
            lines.append(Line(self.last_text_at, "Last text that reached us by itself"))
        return sorted(lines, key=lambda line: line.at, reverse=True)

    @property
    def found_style(self) -> Style:
        """Return how to word the time of the change behind that of the last good check."""
        row = self.connection
        times = (row.good_at, row.changed_at) if row else (None, None)
        days = {timezone.localtime(at).date() for at in times if at}
        return "bubble" if len(days) == 1 else "past"

    @cached_property
    def last_text_at(self) -> datetime | None:
        """Return when the last text came in that a webhook brought."""
        came = Message.objects.filter(
            inbox=self.number.inbox_id, kind=Message.Kind.INBOUND, after_id=None
        )
        return came.order_by("-seq").values_list("created_at", flat=True).first()

    @property
    def keeps_log(self) -> bool:
        """Return True if the carrier can be asked for texts that no webhook brought."""
        return self.number.account.adapter.capabilities.can_list_inbound

    @property
    def member_count(self) -> int:
        return self.number.inbox.memberships.count()

    @property
    def can(self) -> str:
        """Say what the number can send, if the carrier told."""
        about = self.connection.about if self.connection else {}
        if about.get("can_sms") and about.get("can_mms"):
            return "Text and pictures"
        return "Text only" if about.get("can_sms") else ""

    @property
    def guide(self) -> ConsoleGuide:
        return console_guide(self.number.account)

    @property
    def can_set_up(self) -> bool:
        return can_set_up(self.number.account)


def find_watch(number: Number) -> Watch:
    """Return the watch of a number of a carrier that is known here."""
    of_account = NumberConnection.objects.filter(
        address=number.address, account=number.account_id
    ).exclude(state=State.DISCONNECTED)
    return Watch(number, of_account.select_related("account").first())


def leave_other_account(request: HttpRequest, number: Number) -> None:
    """Forget what was set for the number in an account that it doesn't belong to any more."""
    others = NumberConnection.objects.filter(address=number.address).exclude(
        Q(account=number.account_id) | Q(state=State.DISCONNECTED)
    )
    for connection in others.select_related("account"):
        outcome = disconnecting.disconnect_number(
            connection=connection, agent=administrator(request), put_back=False
        )
        if not outcome.is_good:
            messages.warning(request, outcome.words)


def do_deed(request: HttpRequest, number: Number, deed: str) -> None:
    """Do what a button of the page says, and say what became of it. Raise Http404."""
    watch = find_watch(number)
    if watch.connection is None or deed not in DEEDS:
        raise Http404("Nothing of that kind can be done here.")
    try:
        DEEDS[deed](request, watch.connection)
    except troubles.NotPossible:
        messages.error(request, f"{watch.carrier}'s API doesn't let Partyline do that.")


def _check(request: HttpRequest, connection: NumberConnection) -> None:
    checked = watching.check_number(connection=connection)
    if checked.trouble:
        label = connection.account.adapter.label
        messages.error(request, f"{label} couldn't be asked: {checked.trouble}.")
    elif checked.is_receiving:
        messages.success(request, "Checked: it is set to Partyline.")


def _set_back(request: HttpRequest, connection: NumberConnection) -> None:
    outcome = watching.set_back(connection=connection, agent=administrator(request))
    report(request, outcome, "It is set to Partyline. New texts come here.")


def _stop(request: HttpRequest, connection: NumberConnection) -> None:
    watching.stop_watching(connection=connection, agent=administrator(request))
    messages.success(request, "It is left as it is, and not watched any more.")


def give_back(request: HttpRequest, connection: NumberConnection) -> bool:
    """Give the number back, say what became of it, and return True if that was done."""
    outcome = disconnecting.disconnect_number(connection=connection, agent=administrator(request))
    report(request, outcome, f"{connection.display} is given back.")
    return outcome.is_good


def _give_back(request: HttpRequest, connection: NumberConnection) -> None:
    give_back(request, connection)


DEEDS = {"check": _check, "set-back": _set_back, "stop": _stop, "give-back": _give_back}
