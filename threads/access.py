"""Access to threads. A thread that the agent may not see is a 404, as if it did not exist."""

from __future__ import annotations

from django.http import Http404

from inboxes.models import Agent
from threads.models import Thread


def get_thread(agent: Agent, thread_id: int) -> Thread:
    """Return the thread with its contact and inbox loaded. Raises Http404."""
    thread = Thread.objects.visible_to(agent).for_rows().filter(pk=thread_id).first()
    if thread is None:
        raise Http404("No such thread.")
    return thread
