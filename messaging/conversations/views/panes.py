"""Render a pane beside a list."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from inboxes.requests import HtmxRequest
from messaging.conversations.lists import listing_context
from messaging.conversations.views.lists import targets_panes
from threads.lists import Listing


def render_pane(
    request: HtmxRequest,
    template: str,
    *,
    listing: Listing,
    title: str,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """Render the pane alone for htmx, else as a page with its list."""
    shown = {**listing_context(listing), "pane": template, "page_title": title, **context}
    page = "messaging/page.html"
    if request.htmx:
        page = "messaging/_panes.html" if targets_panes(request) else template
    return render(request, page, shown, status=status)
