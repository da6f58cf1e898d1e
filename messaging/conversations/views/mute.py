from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from inboxes.requests import HtmxRequest, signed_in_agent
from inboxes.responses import fragment_or_redirect
from messaging.notifications.forms import MuteForm
from threads.access import get_thread
from threads.actions import set_mute


@require_POST
@login_required
def set_thread_mute(request: HtmxRequest, thread_id: int) -> HttpResponse:
    """Mute or unmute a thread for the agent; answer with the menu's other word."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = MuteForm(request.POST)
    if not form.is_valid():
        raise Http404("There is nothing between muted and not.")
    is_muted = bool(form.cleaned_data["muted"])
    set_mute(thread=thread, agent=agent, is_muted=is_muted)
    return fragment_or_redirect(
        request,
        "messaging/conversation/_mute.html",
        {"thread": thread, "is_muted": is_muted},
        "messaging:conversation",
        thread.pk,
    )
