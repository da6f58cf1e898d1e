"""Step 4: the names of the first inboxes, and their first member."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from inboxes.access import hide_unless
from inboxes.models import Inbox
from inboxes.requests import signed_in_agent
from messaging.setup import access, actions, pages
from messaging.setup.forms import InboxForm

# More inboxes than these are named in the administration.
SHOWN = 20


@hide_unless(access.is_administrator)
@require_http_methods(["GET", "HEAD", "POST"])
def name_inboxes(request: HttpRequest) -> HttpResponse:
    """Show or take the names of the inboxes; those without members come first."""
    forms = _forms(request)
    is_sent = request.method == "POST"
    are_valid = [form.is_valid() for form in forms]
    if is_sent and all(are_valid) and _names_differ(forms):
        agent = signed_in_agent(request)
        try:
            for form in forms:
                actions.name_inbox(inbox=form.inbox, agent=agent, **form.cleaned_data)
        except IntegrityError:
            forms[0].add_error(None, "Somebody has used one of these names in the meantime.")
        else:
            return redirect("messaging:setup_colleagues")
    context = {"forms": forms}
    status = 422 if is_sent else 200
    return pages.show_page(request, "setup/inbox.html", "inbox", context, status=status)


def _forms(request: HttpRequest) -> list[InboxForm]:
    agent = signed_in_agent(request)
    data = request.POST if request.method == "POST" else None
    inboxes: Any = (
        Inbox.objects.shared()
        .select_related("number")
        .annotate(member_count=Count("memberships"))
        .order_by("member_count", "pk")[:SHOWN]
    )
    mine = set(agent.memberships.values_list("inbox", flat=True))
    forms = [
        InboxForm(inbox, inbox.name, inbox.pk in mine or not inbox.member_count, data)
        for inbox in sorted(inboxes, key=lambda inbox: inbox.pk)
    ]
    return forms or [InboxForm(None, actions.FIRST_INBOX, True, data)]


def _names_differ(forms: list[InboxForm]) -> bool:
    seen: set[str] = set()
    for form in forms:
        name = form.cleaned_data["name"].casefold()
        if name in seen:
            form.add_error("name", "Two inboxes can’t have the same name.")
        seen.add(name)
    return len(seen) == len(forms)
