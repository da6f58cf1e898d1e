"""May this agent touch that message? A no is the same 404 as a message that does not exist."""

from __future__ import annotations

from django.http import Http404

from inboxes.models import Agent
from messaging.models import Message


def get_message(agent: Agent, message_id: int) -> Message:
    """Raises Http404."""
    message = (
        Message.objects.visible_to(agent)
        .select_related("thread", "thread__inbox", "author")
        .filter(pk=message_id)
        .first()
    )
    if message is None:
        raise Http404("No such message.")
    return message
