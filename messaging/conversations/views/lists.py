from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inboxes.access import get_shared_inbox
from inboxes.requests import HtmxRequest, signed_in_agent, target_id
from messaging.conversations.list_forms import ListForm
from messaging.conversations.lists import listing_context
from messaging.conversations.thread_search import found_list
from threads.cursors import Cursor
from threads.filters import ThreadFilter
from threads.lists import Listing, inbox_list, top_list
from threads.search import parse_search


@require_safe
@login_required
def show_messages(request: HtmxRequest) -> HttpResponse:
    """Show the messages view, or the next rows of its list."""
    agent = signed_in_agent(request)
    after, shown = _read_position(request)
    search = parse_search(request.GET, everywhere=False)
    listing = found_list(agent, None, search, after) if search else top_list(agent, after, shown)
    return render_list(request, listing, "Messages")


@require_safe
@login_required
def show_inbox(request: HtmxRequest, inbox_id: int) -> HttpResponse:
    """Show the threads of a shared inbox, or the next rows of them."""
    agent = signed_in_agent(request)
    shared = get_shared_inbox(agent, inbox_id)
    after, shown = _read_position(request)
    search = parse_search(request.GET, everywhere=False)
    if search is not None:
        return render_list(request, found_list(agent, shared, search, after), shared.name)
    listing = inbox_list(agent, shared, after, shown)
    return render_list(request, listing, shared.name)


def _read_position(request: HtmxRequest) -> tuple[Cursor | None, ThreadFilter]:
    """Return the cursor of the list's page, and what the list is narrowed to."""
    form = ListForm(request.GET)
    if not form.is_valid():
        raise Http404("No such place in the list.")
    return form.cleaned_data["after"], form.cleaned_data["filter"]


def render_list(request: HtmxRequest, listing: Listing, title: str) -> HttpResponse:
    """Render a list as the whole page, or the part of it that htmx asks for."""
    template = "messaging/page.html"
    if request.htmx:
        template = _template_for(request)
    context = {"conversation": None, "page_title": title, **listing_context(listing)}
    return render(request, template, context)


def _template_for(request: HtmxRequest) -> str:
    """Return the template of the next rows, of what was found, of the list, or of both panes."""
    if request.GET.get("after"):
        return "messaging/list/_rows.html"
    parts = {
        "found": "messaging/list/_found.html",
        "listing": "messaging/list/_listing.html",
    }
    return parts.get(target_id(request), "messaging/_panes.html")


def targets_panes(request: HtmxRequest) -> bool:
    """Return True if htmx replaces both panes: a step to another list, or back in the history."""
    return target_id(request) == "panes"
