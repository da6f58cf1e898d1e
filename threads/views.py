from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from inboxes.access import get_shared_inbox
from inboxes.requests import signed_in
from threads.forms import ListForm
from threads.lists import Cursor, Listing, inbox_list, top_list


@require_GET
@login_required
def messages(request: HttpRequest) -> HttpResponse:
    """The messages view, or the next rows of its list."""
    listing = top_list(signed_in(request), _after(request))
    return _list_page(request, listing, "Messages")


@require_GET
@login_required
def inbox(request: HttpRequest, inbox_id: int) -> HttpResponse:
    """The threads of a shared inbox, or the next rows of them."""
    agent = signed_in(request)
    shared = get_shared_inbox(agent, inbox_id)
    listing = inbox_list(agent, shared, _after(request))
    return _list_page(request, listing, shared.name)


def _after(request: HttpRequest) -> Cursor | None:
    form = ListForm(request.GET)
    if not form.is_valid():
        raise Http404("No such place in the list.")
    after: Cursor | None = form.cleaned_data["after"]
    return after


def _list_page(request: HttpRequest, listing: Listing, title: str) -> HttpResponse:
    template = "threads/page.html"
    if request.headers.get("HX-Request"):
        template = "threads/_rows.html" if request.GET.get("after") else "threads/_panes.html"
    context = {
        "listing": listing,
        "rows": listing.rows,
        "next_url": listing.next_url,
        "conversation": None,
        "page_title": title,
    }
    return render(request, template, context)


def targets_panes(request: HttpRequest) -> bool:
    """Whether htmx is to fill both panes: a step to another list, or back in the history."""
    return request.headers.get("HX-Target", "").endswith("panes")
