"""Mark a thread as read."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from inboxes.models import Agent
from inboxes.requests import signed_in_agent
from messaging.conversations.forms import ReadForm
from messaging.models import Message
from messaging.stream.notifying import mark_notifications_read
from threads.access import get_thread
from threads.actions import mark_read
from threads.models import Thread


@require_POST
@login_required
def mark_thread_read(request: HttpRequest, thread_id: int) -> HttpResponse:
    """Mark the thread as read up to a message that the page has shown."""
    agent = signed_in_agent(request)
    thread = get_thread(agent, thread_id)
    form = ReadForm(request.POST)
    if not form.is_valid():
        raise Http404("No such message.")
    newest = Message.objects.shown_upto(thread, form.cleaned_data["message"])
    if newest is not None:
        mark_shown(thread, agent, newest)
    return HttpResponse(status=204)


def mark_shown(thread: Thread, agent: Agent, newest: Message, *, is_opening: bool = False) -> None:
    """Mark the thread up to `newest`, and the notifications about it, as read."""
    mark_read(
        thread=thread,
        agent=agent,
        message_id=newest.pk,
        position=newest.position,
        is_opening=is_opening,
    )
    mark_notifications_read(agent=agent, thread=thread, upto=newest.pk)
