"""Step 5: invitations; and the page at the end."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inboxes import admin_log
from inboxes.access import hide_unless
from inboxes.invitations import actions as invitations
from inboxes.invitations.shown import keep_to_show, take_shown
from inboxes.models import Inbox, OneTimeLink
from inboxes.requests import signed_in_agent
from inboxes.sign_in.confirming import require_confirmation
from messaging.carriers.simulator import HANDSET_PATH
from messaging.models import Number
from messaging.setup import access, pages
from messaging.setup.checklist import SIMULATOR
from messaging.setup.forms import ColleagueForm


@hide_unless(access.is_administrator)
@require_http_methods(["GET", "HEAD", "POST"])
def invite_colleagues(request: HttpRequest) -> HttpResponse:
    """Show the invitations that wait, and make one: its address is shown once, after that."""
    has_email = bool(settings.EMAIL_URL)
    data = request.POST if request.method == "POST" else None
    form = ColleagueForm(data, has_email=has_email)
    if form.is_valid():
        return _invite(request, form)
    context = {
        "form": form,
        "made": take_shown(request) if request.method == "GET" else [],
        "waiting": OneTimeLink.objects.invitations().waiting().order_by("-pk")[:50],
    }
    status = 422 if form.is_bound else 200
    return pages.show_page(request, "setup/colleagues.html", "colleagues", context, status=status)


def _invite(request: HttpRequest, form: ColleagueForm) -> HttpResponse:
    """Make the invitation, after a confirmation if it gives somebody the administration."""
    if form.cleaned_data["is_administrator"]:
        require_confirmation(request, to="invite an administrator")
    inviter = signed_in_agent(request)
    with transaction.atomic():
        new = invitations.invite(
            invited_by=inviter, inboxes=Inbox.objects.shared(), **form.cleaned_data
        )
        admin_log.log_addition(inviter, new.link, "Invited.")
    keep_to_show(request, [new])
    return redirect("messaging:setup_colleagues")


@hide_unless(access.is_administrator)
@require_POST
def take_back_invitation(request: HttpRequest, link_id: int) -> HttpResponse:
    """Make an invitation useless."""
    agent = signed_in_agent(request)
    for link in OneTimeLink.objects.invitations().waiting().filter(pk=link_id):
        with transaction.atomic():
            invitations.revoke(link=link, revoked_by=agent)
            admin_log.log_change(agent, link, "Revoked.")
    return redirect("messaging:setup_colleagues")


@hide_unless(access.is_administrator)
@require_safe
def show_end(request: HttpRequest) -> HttpResponse:
    """Say how to send the first text, and what is still missing."""
    numbers = Number.objects.filter(account__is_active=True).select_related("account", "inbox")
    mine = signed_in_agent(request).memberships.values("inbox")
    first = numbers.filter(inbox__in=mine).order_by("pk").first() or numbers.order_by("pk").first()
    inbox = first.inbox if first is not None and first.inbox.memberships.exists() else None
    context = {
        "number": first,
        "inbox": inbox,
        "handset": _handset(first) if first and first.account.carrier == SIMULATOR else "",
    }
    return pages.show_page(request, "setup/done.html", pages.DONE, context)


def _handset(number: Number) -> str:
    return f"{HANDSET_PATH}?to={number.pk}"
