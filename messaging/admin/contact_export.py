"""Export the contacts of any inbox, from the inbox's own page."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from inboxes.models import Inbox
from inboxes.requests import signed_in_agent
from messaging.contacts.exporting import write_contacts
from messaging.conversations.csv_downloads import stream_csv


@require_safe
def export_inbox(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Serve the contacts as a CSV file; the inbox's history tells of it."""
    inbox = get_object_or_404(Inbox, pk=pk)
    inbox_admin = admin.site.get_model_admin(Inbox)
    if not inbox_admin.has_view_permission(request, inbox):
        raise PermissionDenied
    if request.method == "GET":
        inbox_admin.log_change(request, inbox, "Exported the contacts.")
    by = signed_in_agent(request)
    return stream_csv(request, write_contacts([inbox], by=by), "contacts.csv")
