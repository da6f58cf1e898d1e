"""May this agent see that thread? A no is the same 404 as a thread that does not exist."""

from __future__ import annotations

from django.http import Http404

from inboxes.models import Agent
from threads.models import Thread


def get_thread(agent: Agent, thread_id: int) -> Thread:
    """With contact and inbox at hand. Raises Http404."""
    thread = Thread.objects.visible_to(agent).for_rows().filter(pk=thread_id).first()
    if thread is None:
        raise Http404("No such thread.")
    return thread
