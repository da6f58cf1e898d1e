from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from inboxes.access import get_shared_inbox
from inboxes.models import Agent, Inbox
from inboxes.requests import HtmxRequest, signed_in_agent, target_id
from messaging.conversations.list_forms import ListForm
from messaging.conversations.lists import list_url, listing_context
from messaging.conversations.thread_search import found_list
from threads.filters import EVERYTHING, ThreadFilter
from threads.lists import Listing, list_of
from threads.remembered_views import recall_view, remember_view, without_lost_labels
from threads.search import parse_search


@require_safe
@login_required
def show_messages(request: HtmxRequest) -> HttpResponse:
    """Show the messages view, or the next rows of its list."""
    return _show_list(request, signed_in_agent(request), None)


@require_safe
@login_required
def show_inbox(request: HtmxRequest, inbox_id: int) -> HttpResponse:
    """Show the threads of a shared inbox, or the next rows of them."""
    agent = signed_in_agent(request)
    return _show_list(request, agent, get_shared_inbox(agent, inbox_id))


def _show_list(request: HtmxRequest, agent: Agent, inbox: Inbox | None) -> HttpResponse:
    """Show what was searched, or the list with the filter of the address.

    An address without a filter opens the one that the agent chose last, and then names it: so
    the step back leads to what was shown. Only a choice among the views is remembered: a bookmark
    or a notification leads to an address with a filter, too.
    """
    form = ListForm(request.GET)
    if not form.is_valid():
        raise Http404("No such place in the list.")
    title, after = inbox.name if inbox else "Messages", form.cleaned_data["after"]
    search = parse_search(request.GET, everywhere=False)
    if search is not None:
        return render_list(request, found_list(agent, inbox, search, after), title)
    if after is None and not form.is_explicit:
        return _show_remembered(request, agent, inbox, title)
    asked: ThreadFilter = form.cleaned_data["filter"]
    shown = without_lost_labels(asked, agent, inbox)
    is_choice = after is None and bool(form.cleaned_data["chosen"])
    if is_choice and _is_opened(request):
        remember_view(agent=agent, inbox=inbox, shown=shown)
    if shown != asked or (is_choice and not request.htmx):
        return redirect(_address(inbox, shown))
    answer = render_list(request, list_of(agent, inbox, after, shown), title)
    if is_choice and targets_panes(request):
        answer["HX-Push-Url"] = _address(inbox, shown)
    return answer


def _is_opened(request: HtmxRequest) -> bool:
    """Return False if a browser or a program only looks at an address that nobody opened."""
    purposes = [request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz")]
    return request.method == "GET" and not any("prefetch" in one.lower() for one in purposes)


def _show_remembered(
    request: HtmxRequest, agent: Agent, inbox: Inbox | None, title: str
) -> HttpResponse:
    shown = recall_view(agent, inbox)
    if shown is not None and not request.htmx:
        return redirect(_address(inbox, shown))
    answer = render_list(request, list_of(agent, inbox, shown=shown or EVERYTHING), title)
    if shown is not None and targets_panes(request):
        answer["HX-Push-Url"] = _address(inbox, shown)
    return answer


def _address(inbox: Inbox | None, shown: ThreadFilter) -> str:
    return f"{list_url(inbox)}?{shown.explicit_query}"


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
