"""Views of a single message."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.conversations.history import Entry
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
