"""Views of a single message."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from inboxes.requests import HtmxRequest, signed_in_agent
from inboxes.responses import fragment_or_redirect
from messaging.conversations.entries import Entry, prefetch_details
from messaging.outbound.failures import mark_failure_seen
from messaging.stream.access import get_message


@require_safe
@login_required
def show_whole_text(request: HtmxRequest, message_id: int) -> HttpResponse:
    """Show all of a text that the history shows folded: into its bubble, or as a page."""
    agent = signed_in_agent(request)
    entry = Entry.for_agent(get_message(agent, message_id), agent).unfolded()
    template = (
        "messaging/conversation/_text.html"
        if request.htmx
        else "messaging/conversation/whole_text.html"
    )
    return render(request, template, {"entry": entry})


@require_POST
@login_required
def mark_seen(request: HtmxRequest, message_id: int) -> HttpResponse:
    """Mark a failed or unknown text as seen for the whole team."""
    agent = signed_in_agent(request)
    seen = mark_failure_seen(message=get_message(agent, message_id), agent=agent)
    [message] = prefetch_details([seen])
    return fragment_or_redirect(
        request,
        "messaging/conversation/_message.html",
        {"entry": Entry.for_agent(message, agent)},
        "messaging:conversation",
        message.thread_id,
    )
