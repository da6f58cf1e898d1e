from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.contacts.exporting import exportable_inboxes, write_contacts
from messaging.conversations.csv_downloads import stream_csv
from messaging.conversations.views.contact_list import read_list

FILE_NAME = "contacts.csv"


@require_safe
@login_required
def export_contacts(request: HtmxRequest) -> HttpResponseBase:
    """Serve the contacts of the list in the query string, as far as they may be exported."""
    agent = signed_in_agent(request)
    listing = read_list(request, agent)
    allowed = exportable_inboxes(agent).filter(pk__in=listing.scope.inbox_ids)
    inboxes = list(allowed.order_by("owner", "name"))
    if not inboxes:
        raise Http404("There is nothing that this agent may export.")
    scope = listing.scope if listing.wanted.is_narrowed else None
    return stream_csv(request, write_contacts(inboxes, by=agent, scope=scope), FILE_NAME)
