"""Thread options beside mute: priority, unread, delete and restore."""

from __future__ import annotations

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST

from inboxes.requests import HtmxRequest, signed_in_agent
from inboxes.responses import fragment_or_redirect, no_content_or_redirect, unprocessable_text
from messaging.conversations.forms import PriorityForm, ReadForm
from messaging.stream.hiding import delete_thread, undo_delete
from threads.access import get_thread
from threads.actions import mark_unread, set_priority
from threads.models import Thread

CAME_BACK = "A new text just arrived, so the conversation stays in your list."


@require_POST
@login_required
def set_thread_priority(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Set the thread's priority for all members; answer with its title."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = PriorityForm(request.POST)
    if not form.is_valid():
        raise Http404("No such priority.")
    set_priority(thread=thread, priority=form.cleaned_data["priority"], by=agent)
    return fragment_or_redirect(
        request,
        "messaging/conversation/_title.html",
        {"thread": thread},
        "messaging:conversation",
        thread.pk,
    )


@require_POST
@login_required
def mark_thread_unread(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Mark the thread as unread for the agent."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    mark_unread(thread=thread, agent=agent)
    return no_content_or_redirect(request, _list_url(thread))


@require_POST
@login_required
def delete_thread_for_agent(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Hide the thread from the agent's lists; answer with an offer to undo it."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = ReadForm(request.POST)
    if not form.is_valid():
        raise Http404("No such message.")
    is_hidden = delete_thread(thread=thread, agent=agent, message_id=form.cleaned_data["message"])
    if not request.htmx:
        offer = render_to_string("messaging/conversation/_undo.html", {"thread": thread})
        toasts.success(request, offer if is_hidden else CAME_BACK)
        return redirect(_list_url(thread))
    if not is_hidden:
        return unprocessable_text(CAME_BACK)
    return render(request, "messaging/conversation/_undo.html", {"thread": thread})


@require_POST
@login_required
def restore_deleted_thread(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Put a thread that the agent deleted back into their lists."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    undo_delete(thread=thread, agent=agent)
    return no_content_or_redirect(request, _list_url(thread))


def _list_url(thread: Thread) -> str:
    if thread.is_personal:
        return reverse("messaging:messages")
    return reverse("messaging:inbox", args=[thread.inbox_id])
