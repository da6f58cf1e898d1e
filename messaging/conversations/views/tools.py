"""The tools of a conversation: its menus, and what is drawn anew after a deed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from inboxes.models import Agent
from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.contacts.details import details_of_threads
from messaging.conversations.work_menus import read_menus
from messaging.stream.refusals import find_opt_outs
from threads.access import get_thread
from threads.labels import labels_of, labels_on
from threads.models import Thread


@require_safe
@login_required
def show_work_menus(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Show the menus as they are now: an open page asks for them when one is opened."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    menus = read_menus(thread, agent, labels_of([thread.inbox_id]))
    context = {"thread": thread, "menus": menus}
    return render(request, "messaging/conversation/_work_menus.html", context)


def answer_with_tools(request: HtmxRequest, agent: Agent, thread_id: int) -> HttpResponse:
    """Answer a deed with the title, the tools and the facts as they are now, or lead back."""
    if not request.htmx:
        return redirect("messaging:conversation", thread_id)
    context = tools_context(agent, get_thread(agent, thread_id))
    return render(request, "messaging/conversation/_work_done.html", context)


def tools_context(agent: Agent, thread: Thread) -> dict[str, Any]:
    """Return what `messaging/conversation/_work_done.html` draws."""
    return {
        "thread": thread,
        "is_mine": thread.assignee_id == agent.pk,
        "labels": labels_on(thread, labels_of([thread.inbox_id])),
        "about": details_of_threads([thread], find_opt_outs([thread]))[thread.pk].for_agent(
            agent.pk
        ),
    }
