"""Step 3: which of the carrier's numbers Partyline answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from inboxes.access import hide_unless
from inboxes.encryption import UndecryptableError
from inboxes.requests import signed_in_agent
from messaging.accounts.directories import can_set_up
from messaging.accounts.offered import (
    MOST_CHOSEN,
    Offered,
    list_offered_numbers,
    read_offered_numbers,
)
from messaging.accounts.own_address import unreachable_address
from messaging.accounts.troubles import NotPossible, explain
from messaging.models import CarrierAccount, Number
from messaging.setup import access, actions, number_choice, pages
from messaging.setup.checklist import SIMULATOR
from messaging.setup.forms import NumberForm

PAGE_SIZE = 50
TOO_MANY = (
    f"Choose up to {MOST_CHOSEN} numbers at once: each gets an inbox of its own. Add"
    " the others afterwards."
)


@hide_unless(access.is_administrator)
@require_http_methods(["GET", "HEAD", "POST"])
def choose_numbers(request: HttpRequest) -> HttpResponse:
    """Show the numbers of the carrier account, or connect those that were ticked."""
    account = _account(request)
    if account is None:
        practice = Number.objects.filter(account__carrier=SIMULATOR, account__is_active=True)
        context = {"practice": practice.order_by("pk").first()}
        return pages.show_page(request, "setup/no_account.html", "numbers", context)
    if not can_set_up(account):
        return redirect(_address("setup_by_hand", account))
    if request.method == "POST":
        return _connect_ticked(request, account)
    trouble = ""
    offered = list_offered_numbers(account)
    if offered.read_at is None and not unreachable_address():
        trouble = _read(account)
        offered = list_offered_numbers(account)
    ticked = offered.preselected
    return _show_numbers(request, offered, ticked, {"trouble": trouble})


@hide_unless(access.is_administrator)
@require_POST
def look_again(request: HttpRequest) -> HttpResponse:
    """Read the account's numbers anew, or what was left of a long list."""
    account = _account(request)
    if account is None or not can_set_up(account):
        return redirect("messaging:setup_numbers")
    trouble = _read(account, again="rest" not in request.POST)
    if not trouble:
        return redirect(_address("setup_numbers", account))
    offered = list_offered_numbers(account)
    ticked = offered.preselected
    return _show_numbers(request, offered, ticked, {"trouble": trouble}, status=422)


@hide_unless(access.is_administrator)
@require_http_methods(["GET", "HEAD", "POST"])
def enter_number(request: HttpRequest) -> HttpResponse:
    """Show what to enter in the carrier's console, and take a number that was typed."""
    account = _account(request)
    if account is None:
        return redirect("messaging:setup_numbers")
    form = NumberForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            actions.route_numbers(account=account, addresses=[form.cleaned_data["address"]])
        except actions.NumberTaken as taken:
            form.add_error("address", f"It belongs to {taken.number.account} already.")
        else:
            return redirect(_address("setup_by_hand", account))
    try:
        credentials = account.get_credentials()
    except UndecryptableError:
        credentials = {}
    context = {
        "form": form,
        "account": account,
        "guide": account.adapter.console_guide(account.webhook_url, credentials),
        "numbers": account.numbers.select_related("inbox").order_by("pk"),
        "unreachable": unreachable_address(),
        "list_address": _address("setup_numbers", account) if can_set_up(account) else "",
    }
    status = 422 if form.is_bound else 200
    return pages.show_page(request, "setup/by_hand.html", "numbers", context, status=status)


def _connect_ticked(request: HttpRequest, account: CarrierAccount) -> HttpResponse:
    pairs = [value.partition(" ") for value in request.POST.getlist("number")]
    plans = {address: plan for address, _, plan in pairs}
    context: dict[str, Any] = {}
    if unreachable_address():
        return redirect(_address("setup_numbers", account))
    if len(plans) > MOST_CHOSEN:
        context = {"trouble": TOO_MANY}
    else:
        try:
            choice = number_choice.choose_numbers(
                account=account, plans=plans, agent=signed_in_agent(request)
            )
        except actions.NumberTaken as taken:
            where = f"{taken.number.display} belongs to {taken.number.account} already."
            context = {"trouble": where}
        else:
            if not choice.troubles and account.numbers.exists():
                return redirect("messaging:setup_inbox")
            context = {"troubles": choice.troubles}
            if not plans:
                context = {"trouble": "Tick at least one number, or skip this for now."}
    return _show_numbers(request, list_offered_numbers(account), set(plans), context, status=422)


def _show_numbers(
    request: HttpRequest,
    offered: Offered,
    ticked: set[str],
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    account = offered.account
    sought = request.GET.get("q", "").strip()[:64]
    page = Paginator(offered.search(sought), PAGE_SIZE).get_page(request.GET.get("page"))
    troubles = context.get("troubles", {})
    rows = [
        {
            "row": row,
            "is_ticked": row.address in ticked and row.is_choosable,
            "trouble": troubles.get(row.address, ""),
        }
        for row in page
    ]
    drawn = {
        "account": account,
        "label": account.adapter.label,
        "offered": offered,
        "page": page,
        "rows": rows,
        "changed": [shown for shown in rows if shown["row"].is_choosable],
        "ticked_count": sum(bool(shown["is_ticked"]) for shown in rows),
        "has_connected": any(row.is_connected for row in offered.rows),
        "sought": sought,
        "pages_query": urlencode({"account": account.pk, "q": sought}),
        "unreachable": unreachable_address(),
        "by_hand": _address("setup_by_hand", account),
    }
    return pages.show_page(
        request, "setup/numbers.html", "numbers", drawn | context, status=status
    )


def _read(account: CarrierAccount, *, again: bool = True) -> str:
    """Read the list from the carrier; return the trouble in words, if there is any."""
    try:
        trouble = read_offered_numbers(account=account, again=again)
    except NotPossible:
        return "Its numbers can’t be read by its API."
    return explain(trouble, account.adapter.label) if trouble is not None else ""


def _address(page: str, account: CarrierAccount) -> str:
    return f"{reverse(f'messaging:{page}')}?account={account.pk}"


def _account(request: HttpRequest) -> CarrierAccount | None:
    """Return the account that the address names, or the newest real one. Raises Http404."""
    accounts = [
        account
        for account in CarrierAccount.objects.filter(is_active=True).order_by("-pk")
        if account.is_on and account.carrier != SIMULATOR
    ]
    wanted = request.GET.get("account")
    if wanted is None:
        return accounts[0] if accounts else None
    for account in accounts:
        if str(account.pk) == wanted:
            return account
    raise Http404("No such account.")
