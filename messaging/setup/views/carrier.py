"""Step 2: the carrier account, or the simulator."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inboxes.access import hide_unless
from messaging.accounts.credentials import complete_credentials
from messaging.carriers import CARRIERS, Carrier
from messaging.models import CarrierAccount
from messaging.setup import access, actions, pages
from messaging.setup.checking import check_credentials
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
            account = actions.store_account(
                carrier=carrier, name=adapter.label, credentials=form.credentials()
            )
            complete_credentials(account=account)
            messages.success(
                request, f"{adapter.label} answered in {checked.seconds:.1f} s. {checked.remark}"
            )
            return redirect(f"{reverse('messaging:setup_numbers')}?account={account.pk}")
        trouble = checked.trouble
    context = {"form": form, "carrier": adapter, "trouble": trouble}
    status = 422 if form.is_bound else 200
    return pages.show_page(request, "setup/credentials.html", "carrier", context, status=status)


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
