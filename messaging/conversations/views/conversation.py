from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inboxes.models import Agent
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.conversations.details import read_details
from messaging.conversations.forms import HistoryForm
from messaging.conversations.history import (
    Conversation,
    HistoryPage,
    history_page,
    open_conversation,
)
from messaging.conversations.lists import list_beside, listing_context
from messaging.conversations.opening import page_around, page_at_line
from messaging.conversations.views.lists import targets_panes
from messaging.conversations.views.read_marks import mark_shown
from messaging.conversations.work_menus import read_menus
from threads.access import get_thread
from threads.direction import isolate_direction
from threads.labels import labels_of
from threads.models import Thread


@require_safe
@login_required
def show_conversation(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Show a conversation beside its list, or an older page of its history."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = HistoryForm(request.GET)
    if not form.is_valid():
        raise Http404("No such place in the history.")
    if form.cleaned_data["before"]:
        return _render_older_page(request, agent, thread, form)
    page = _page_to_open(agent, thread, form)
    shown = open_conversation(thread, agent, page=page, **_list_beside(form))
    if shown.page.newest is not None:
        mark_shown(thread, agent, shown.page.newest, is_opening=True)
    return _render_pane(request, agent, shown)


def _page_to_open(agent: Agent, thread: Thread, form: HistoryForm) -> HistoryPage:
    at, line = form.cleaned_data["at"], form.cleaned_data["line"]
    if line:
        return page_at_line(thread, agent, line)
    return page_around(thread, agent, at) if at else history_page(thread, agent)


def _render_older_page(
    request: HtmxRequest, agent: Agent, thread: Thread, form: HistoryForm
) -> HttpResponse:
    """Render messages before one; for htmx, which puts them above the others, without the page."""
    page = history_page(thread, agent, form.cleaned_data["before"])
    page = page.with_new_line(form.cleaned_data["new"])
    if request.htmx:
        return render(request, "messaging/conversation/_history_page.html", {"page": page})
    shown = open_conversation(thread, agent, page=page, **_list_beside(form))
    return _render_pane(request, agent, shown)


def _list_beside(form: HistoryForm) -> dict[str, Any]:
    """Return which list stands beside the conversation."""
    given = form.cleaned_data
    return {
        "list_filter": given["filter"],
        "is_over_all": given["all_inboxes"] and bool(given["filter"]),
    }


def _render_pane(request: HtmxRequest, agent: Agent, shown: Conversation) -> HttpResponse:
    if request.htmx and not targets_panes(request):
        context = _conversation_context(agent, shown)
        return render(request, "messaging/conversation/_conversation.html", context)
    return render_conversation(request, agent, shown)


def _conversation_context(agent: Agent, shown: Conversation) -> dict[str, Any]:
    """Return the conversation, with its tools and what stands beside it."""
    labels = labels_of([shown.thread.inbox_id])
    return {
        "conversation": shown,
        "is_mine": shown.thread.assignee_id == agent.pk,
        "menus": read_menus(shown.thread, agent, labels),
        "details": read_details(shown.thread, agent, labels, shown.opt_out),
    }


@require_safe
@login_required
def show_composer(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Show the composer alone, when it has changed on an open page."""
    agent = signed_in_agent(request)
    shown = open_conversation(get_thread(agent, thread_id), agent)
    return render(request, "messaging/composer/_composer.html", {"conversation": shown})


def render_conversation(
    request: HtmxRequest, agent: Agent, shown: Conversation, status: int = 200
) -> HttpResponse:
    """Render the conversation beside its list: as both panes for htmx, else as a page."""
    listing = list_beside(
        agent, shown.inbox, shown.list_filter, request.GET, is_over_all=shown.is_over_all
    )
    context = {
        **listing_context(listing),
        **_conversation_context(agent, shown),
        "page_title": isolate_direction(str(shown.thread.contact)),
    }
    template = "messaging/_panes.html" if request.htmx else "messaging/page.html"
    return render(request, template, context, status=status)
