"""The pages on which agents manage saved replies."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inboxes.requests import signed_in_agent
from messaging.models import SavedReply


@require_safe
@login_required
def list_replies(request: HttpRequest) -> HttpResponse:
    agent = signed_in_agent(request)
    replies = SavedReply.objects.visible_to(agent).select_related("inbox").by_use()
    context = {"page_title": "Saved replies", "replies": replies}
    return render(request, "messaging/replies/list.html", context)
