"""The filter that an agent chose last, for each inbox and for the messages view."""

from __future__ import annotations

from inboxes.models import Agent, Inbox, Membership
from threads.filters import EVERYTHING, ThreadFilter
from threads.models import Label

LONGEST = 200  # characters of a query string that is remembered


def remember_view(*, agent: Agent, inbox: Inbox | None, shown: ThreadFilter) -> None:
    """Remember what the agent's list of the inbox shows; without an inbox, their messages view.

    A filter that is too long is forgotten when they leave it.
    """
    query = shown.explicit_query
    if len(query) > LONGEST:
        return
    if inbox is None:
        if agent.top_view != query:
            Agent.objects.filter(pk=agent.pk).update(top_view=query)
        return
    memberships = Membership.objects.filter(agent=agent, inbox=inbox)
    memberships.exclude(view=query).update(view=query)


def recall_view(agent: Agent, inbox: Inbox | None) -> ThreadFilter | None:
    """Return what the agent chose last, None if they never chose.

    If it is no more, everything is shown.
    """
    query = agent.top_view
    if inbox is not None:
        views = Membership.objects.filter(agent=agent, inbox=inbox).values_list("view", flat=True)
        query = views.first() or ""
    if not query:
        return None
    try:
        shown = ThreadFilter.from_query(query)
    except ValueError:
        return EVERYTHING
    return without_lost_labels(shown, agent, inbox)


def without_lost_labels(shown: ThreadFilter, agent: Agent, inbox: Inbox | None) -> ThreadFilter:
    """Return the filter without labels that the agent's list does not have, or no more."""
    if not shown.labels:
        return shown
    labels = Label.objects.filter(pk__in=shown.labels, deleted_at=None)
    if inbox is not None:
        labels = labels.filter(inbox=inbox)
    else:
        labels = labels.filter(inbox__in=Inbox.objects.visible_to(agent))
    return shown.with_labels(labels.values_list("pk", flat=True))
