"""Access to threads, contacts and activity: a 404 for a foreign one, as if it did not exist."""

from __future__ import annotations

from django.http import Http404

from inboxes.models import Agent, Inbox
from threads.models import Activity, Contact, Thread


def get_thread(agent: Agent, thread_id: int) -> Thread:
    """Return the thread with its contact and inbox loaded. Raises Http404."""
    thread = Thread.objects.visible_to(agent).for_rows().filter(pk=thread_id).first()
    if thread is None:
        raise Http404("No such thread.")
    return thread


def get_contact(agent: Agent, contact_id: int) -> Contact:
    """Return a contact of an inbox that the agent may see, with it loaded. Raises Http404."""
    visible = Contact.objects.filter(inbox__in=Inbox.objects.visible_to(agent))
    contact = visible.select_related("inbox").filter(pk=contact_id).first()
    if contact is None:
        raise Http404("No such contact.")
    return contact


def get_activity(agent: Agent, activity_id: int) -> Activity:
    """Return a line of a thread that the agent may see. Raises Http404."""
    visible = Activity.objects.filter(inbox__in=Inbox.objects.visible_to(agent))
    line = visible.filter(pk=activity_id).first()
    if line is None:
        raise Http404("No such activity.")
    return line
