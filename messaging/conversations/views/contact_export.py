from __future__ import annotations

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from inboxes.integers import IntegerField
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.contacts.exporting import exportable_inboxes, write_contacts
from messaging.conversations.csv_downloads import stream_csv

FILE_NAME = "contacts.csv"


class ExportQuery(forms.Form):
    """Read of which inbox the contacts are wanted; of all without one."""

    inbox = IntegerField(required=False)


@require_safe
@login_required
def export_contacts(request: HtmxRequest) -> HttpResponseBase:
    """Serve the contacts of the agent's inboxes, or of one, as far as they may be exported."""
    agent = signed_in_agent(request)
    query = ExportQuery(request.GET)
    if not query.is_valid():
        raise Http404("No such inbox.")
    inboxes = exportable_inboxes(agent).order_by("owner", "name")
    if query.cleaned_data["inbox"]:
        inboxes = inboxes.filter(pk=query.cleaned_data["inbox"])
    chosen = list(inboxes)
    if not chosen:
        raise Http404("There is nothing that this agent may export.")
    return stream_csv(request, write_contacts(chosen, by=agent), FILE_NAME)
