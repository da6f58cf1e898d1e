"""Step 2: the carrier account, or the simulator."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inboxes.access import hide_unless
from inboxes.requests import signed_in_agent
from inboxes.sign_in.confirming import require_confirmation
from messaging.accounts.credentials import complete_credentials
from messaging.accounts.same_account import find_same_account
from messaging.carriers import CARRIERS, Carrier
from messaging.models import CarrierAccount
from messaging.setup import access, actions, pages
from messaging.setup.checking import Checked, check_credentials
from messaging.setup.checklist import SIMULATOR
from messaging.setup.forms import CredentialsForm


@hide_unless(access.is_administrator)
@require_safe
def choose_carrier(request: HttpRequest) -> HttpResponse:
    """Show the carriers to choose from, and which of them are connected."""
    connected = set(
        CarrierAccount.objects.filter(is_active=True).values_list("carrier", flat=True)
    )
    carriers = [
        {"name": name, "label": carrier.label, "is_connected": name in connected}
        for name, carrier in CARRIERS.items()
        if name != SIMULATOR
    ]
    context = {"carriers": carriers, "is_simulated": SIMULATOR in connected}
    return pages.show_page(request, "setup/carrier.html", "carrier", context)


@hide_unless(access.is_administrator)
@sensitive_post_parameters()
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def connect_carrier(request: HttpRequest, carrier: str) -> HttpResponse:
    """Show or take the credentials of one carrier; only those that it accepts are stored."""
    adapter = _real_carrier(carrier)
    form = CredentialsForm(adapter, request.POST if request.method == "POST" else None)
    trouble = ""
    if form.is_valid():
        checked = check_credentials(adapter, form.credentials())
        if not checked.trouble:
            return _store(request, adapter, form.credentials(), checked)
        trouble = checked.trouble
    in_use = CarrierAccount.objects.filter(carrier=carrier, is_active=True)
    context = {
        "form": form,
        "carrier": adapter,
        "trouble": trouble,
        "is_connected": in_use.exists(),
    }
    status = 422 if form.is_bound else 200
    return pages.show_page(request, "setup/credentials.html", "carrier", context, status=status)


@sensitive_variables("credentials")
def _store(
    request: HttpRequest, carrier: Carrier, credentials: Mapping[str, str], checked: Checked
) -> HttpResponse:
    """Add the account, or after a confirmation replace the secrets of one that is in use."""
    known = find_same_account(carrier, credentials, checked.identity)
    if known is not None:
        require_confirmation(request, to="change a carrier account's secrets")
    account = actions.store_account(
        carrier=carrier,
        credentials=credentials,
        stored_by=signed_in_agent(request),
        replaces=known,
    )
    complete_credentials(account=account)
    messages.success(
        request,
        f"{carrier.label} answered in {checked.seconds:.1f} s. {checked.identity.remark}",
    )
    return redirect(f"{reverse('messaging:setup_numbers')}?account={account.pk}")


@hide_unless(access.is_administrator)
@require_POST
def try_without_carrier(request: HttpRequest) -> HttpResponse:
    """Make an account of the simulator with a number, and go on."""
    actions.start_simulator()
    return redirect("messaging:setup")


def _real_carrier(name: str) -> Carrier:
    if name == SIMULATOR or name not in CARRIERS:
        raise Http404("No such carrier.")
    return CARRIERS[name]
