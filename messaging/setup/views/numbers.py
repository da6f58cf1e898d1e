"""Step 3: which of the carrier's numbers Partyline answers."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from inboxes.access import hide_unless
from inboxes.encryption import UndecryptableError
from messaging.models import CarrierAccount, Number
from messaging.setup import access, actions, pages
from messaging.setup.checklist import SIMULATOR
from messaging.setup.forms import NumberForm


@hide_unless(access.is_administrator)
@require_safe
def choose_numbers(request: HttpRequest) -> HttpResponse:
    """Show the numbers of the carrier account."""
    account = _account(request)
    if account is None:
        practice = Number.objects.filter(account__carrier=SIMULATOR, account__is_active=True)
        context = {"practice": practice.order_by("pk").first()}
        return pages.show_page(request, "setup/no_account.html", "numbers", context)
    return redirect(f"{reverse('messaging:setup_by_hand')}?account={account.pk}")


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
            form.add_error("address", f"It belongs to the account {taken.number.account} already.")
        else:
            return redirect(f"{reverse('messaging:setup_by_hand')}?account={account.pk}")
    try:
        credentials = account.get_credentials()
    except UndecryptableError:
        credentials = {}
    context = {
        "form": form,
        "account": account,
        "guide": account.adapter.console_guide(account.webhook_url, credentials),
        "numbers": account.numbers.select_related("inbox").order_by("pk"),
    }
    status = 422 if form.is_bound else 200
    return pages.show_page(request, "setup/by_hand.html", "numbers", context, status=status)


def _account(request: HttpRequest) -> CarrierAccount | None:
    """Return the account that the address names, or the first real one. Raises Http404."""
    accounts = [
        account
        for account in CarrierAccount.objects.filter(is_active=True).order_by("pk")
        if account.is_on and account.carrier != SIMULATOR
    ]
    wanted = request.GET.get("account")
    if wanted is None:
        return accounts[0] if accounts else None
    for account in accounts:
        if str(account.pk) == wanted:
            return account
    raise Http404("No such account.")
