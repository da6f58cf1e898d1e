"""May this agent see that inbox? A no is the same 404 as a thing that does not exist."""

from __future__ import annotations

from django.http import Http404

from inboxes.models import Agent, Inbox


def get_shared_inbox(agent: Agent, inbox_id: int) -> Inbox:
    """Raise Http404 for a foreign, personal or missing inbox alike."""
    inbox = Inbox.objects.shared().visible_to(agent).filter(pk=inbox_id).first()
    if inbox is None:
        raise Http404("No such inbox.")
    return inbox
