"""Access to inboxes. An inbox that the agent may not see is a 404, as if it did not exist."""

from __future__ import annotations

from django.http import Http404

from inboxes.models import Agent, Inbox


def get_shared_inbox(agent: Agent, inbox_id: int) -> Inbox:
    """Return a shared inbox of the agent's. Raises Http404 for any other."""
    inbox = Inbox.objects.shared().visible_to(agent).filter(pk=inbox_id).first()
    if inbox is None:
        raise Http404("No such inbox.")
    return inbox
