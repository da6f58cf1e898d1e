"""Say who may work on the threads of an inbox."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404

from inboxes.models import Agent, Inbox, Membership


def assignable_agents(inbox_id: int) -> QuerySet[Agent]:
    """Return those to whom a thread of the inbox can be assigned, by name."""
    memberships = Membership.objects.filter(inbox=inbox_id, agent=OuterRef("pk"))
    theirs = Inbox.objects.filter(pk=inbox_id, owner=OuterRef("pk"))
    may_be = Agent.objects.filter(Exists(memberships) | Exists(theirs), is_active=True)
    return may_be.order_by("display_name", "pk")


def check_member(agent: Agent, inbox_id: int) -> None:
    """Raise Http404 for somebody who is no member any more. The caller holds the inbox's counter,
    so that the membership lasts until what they do is written."""
    if not assignable_agents(inbox_id).filter(pk=agent.pk).exists():
        raise Http404("No such inbox.")
