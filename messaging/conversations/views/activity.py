from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inboxes.requests import HtmxRequest, signed_in_agent
from messaging.conversations.activity import read_whole_group
from threads.access import get_activity


@require_safe
@login_required
def show_whole_activity(request: HtmxRequest, activity_id: int) -> HttpResponse:
    """Show all that was done between two messages: into the history, or as a page."""
    agent = signed_in_agent(request)
    group = read_whole_group(get_activity(agent, activity_id))
    template = (
        "messaging/conversation/_activity_lines.html"
        if request.htmx
        else "messaging/conversation/whole_activity.html"
    )
    return render(request, template, {"group": group.for_agent(agent.pk)})
