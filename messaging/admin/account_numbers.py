"""Show the numbers that an account has at its carrier, and connect those that are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from inboxes.actions import announce_inbox
from inboxes.encryption import UndecryptableError
from inboxes.models import Agent, Inbox
from messaging.accounts import connecting, disconnecting, offered, troubles
from messaging.accounts.adding import add_number
from messaging.accounts.connecting import Outcome
from messaging.accounts.directories import can_set_up
from messaging.accounts.offered import Offered, OfferedRow
from messaging.accounts.own_address import unreachable_address
from messaging.carriers.numbers import ConsoleGuide
from messaging.models import CarrierAccount, Number, NumberConnection

PAGE_SIZE = 50
TEMPLATE = "admin/messaging/carrieraccount/numbers.html"
NEW = "new"


@dataclass(slots=True)
class NumbersPage:
    """Hold what the page shows: one page of the rows that were searched for."""

    account: CarrierAccount
    offered: Offered
    page: Page[OfferedRow]
    search: str = ""
    guide: ConsoleGuide | None = None
    inboxes: Sequence[Inbox] = ()
    can_set_up: bool = True
    unreachable: str = ""

    @property
    def rows(self) -> list[OfferedRow]:
        return [*self.page.object_list]

    @property
    def choosable(self) -> list[OfferedRow]:
        return [row for row in self.rows if row.is_choosable]

    @property
    def changed(self) -> list[OfferedRow]:
        """Return the rows that a click would change something for at the carrier."""
        return [row for row in self.choosable if row.steps]

    @property
    def query(self) -> str:
        return urlencode({"q": self.search}) if self.search else ""


def show_numbers(
    request: HttpRequest, account: CarrierAccount, context: dict[str, Any]
) -> HttpResponse:
    """Show the kept list. A POST reads it, or does what the name of its button says."""
    if request.method == "POST":
        deed = next((DEEDS[name] for name in DEEDS if name in request.POST), None)
        if deed is None:
            raise Http404("No such deed.")
        try:
            deed(request, account)
        except troubles.NotPossible:
            raise Http404("This carrier's API can't do that.") from None
        return redirect(_address_of(request, account))
    return TemplateResponse(request, TEMPLATE, {**context, "shown": _read_page(request, account)})


def _read_page(request: HttpRequest, account: CarrierAccount) -> NumbersPage:
    search = request.GET.get("q", "")[:40]
    found = offered.list_offered_numbers(account)
    pages = Paginator(found.search(search), PAGE_SIZE)
    return NumbersPage(
        account,
        found,
        pages.get_page(request.GET.get("page")),
        search,
        console_guide(account),
        [*Inbox.objects.filter(number=None).order_by("name")],
        can_set_up(account),
        unreachable_address(),
    )


def console_guide(account: CarrierAccount) -> ConsoleGuide:
    """Return what to enter by hand; what it takes from credentials is left out without them."""
    try:
        credentials = account.get_credentials() if account.encrypted_credentials else {}
    except UndecryptableError:
        credentials = {}
    return account.adapter.console_guide(account.webhook_url, credentials)


def _address_of(request: HttpRequest, account: CarrierAccount) -> str:
    """Return the page that was posted from: the same search, the same page of it."""
    kept = {name: request.GET[name] for name in ("q", "page") if request.GET.get(name)}
    address = reverse("admin:messaging_carrieraccount_numbers", args=[account.pk])
    return f"{address}?{urlencode(kept)}" if kept else address


def _look_again(request: HttpRequest, account: CarrierAccount) -> None:
    _read(request, account, again=True)


def _go_on(request: HttpRequest, account: CarrierAccount) -> None:
    _read(request, account, again=False)


def _read(request: HttpRequest, account: CarrierAccount, *, again: bool) -> None:
    trouble = offered.read_offered_numbers(account=account, again=again)
    if trouble is not None:
        messages.error(request, troubles.explain(trouble, account.adapter.label))


def _connect(request: HttpRequest, account: CarrierAccount) -> None:
    """Connect what is ticked, and let it route to the inbox that is chosen beside it."""
    ticked = request.POST.getlist("chosen")[:PAGE_SIZE]
    if not ticked:
        messages.warning(request, "No number is ticked, so nothing was changed.")
        return
    chosen = {address: request.POST.get(f"plan-{address}", "") for address in ticked}
    outcomes = connecting.connect_numbers(
        account=account, chosen=chosen, agent=administrator(request)
    )
    good = [outcome for outcome in outcomes if outcome.is_good]
    for outcome in good:
        _choose_inbox(request, account, outcome.address)
    if good:
        which = "1 number is" if len(good) == 1 else f"{len(good)} numbers are"
        messages.success(request, f"{which} connected. New texts come here.")
    for words, addresses in _group_failures(outcomes).items():
        messages.error(request, f"{', '.join(addresses)}: {words}")


def _group_failures(outcomes: Sequence[Outcome]) -> dict[str, list[str]]:
    """Return the numbers that were not connected by what is said of them."""
    grouped: dict[str, list[str]] = {}
    for outcome in outcomes:
        if not outcome.is_good:
            shown = offered.format_number(outcome.address)
            grouped.setdefault(outcome.words, []).append(shown)
    return grouped


def _choose_inbox(request: HttpRequest, account: CarrierAccount, address: str) -> None:
    """Let a connected number route to an inbox, unless it does or that is put off."""
    chosen = request.POST.get(f"inbox-{address}", "")
    if not chosen or Number.objects.filter(address=address).exists():
        return
    try:
        with transaction.atomic():
            if chosen == NEW:
                inbox = Inbox.objects.create(name=offered.format_number(address))
            else:
                inbox = Inbox.objects.get(pk=int(chosen), number=None)
            add_number(account=account, address=address, inbox=inbox)
            announce_inbox(inbox=inbox)
    except (IntegrityError, Inbox.DoesNotExist, ValueError, OverflowError):
        messages.error(
            request,
            f"{offered.format_number(address)} is connected, but the inbox was taken meanwhile. "
            "Choose another one.",
        )


def _route(request: HttpRequest, account: CarrierAccount) -> None:
    """Let a connected number without an inbox route to one."""
    row = _connection(request.POST["route"], account)
    _choose_inbox(request, account, row.address)


def _give_back(request: HttpRequest, account: CarrierAccount) -> None:
    """Give back a number that no inbox has."""
    row = _connection(request.POST["give_back"], account)
    outcome = disconnecting.disconnect_number(connection=row, agent=administrator(request))
    report(request, outcome, f"{row.display} is given back.")


def _connection(address: str, account: CarrierAccount) -> NumberConnection:
    return get_object_or_404(NumberConnection, account=account, address=address)


def report(request: HttpRequest, outcome: Outcome, done: str) -> None:
    """Say what became of it."""
    if outcome.is_good:
        messages.success(request, done)
    else:
        messages.error(request, outcome.words)


def administrator(request: HttpRequest) -> Agent | None:
    return request.user if isinstance(request.user, Agent) else None


DEEDS = {
    "look": _look_again,
    "more": _go_on,
    "connect": _connect,
    "route": _route,
    "give_back": _give_back,
}
