"""Template tags for the viewer alone: the unread count, a muted thread, the sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.utils.safestring import SafeString

from inboxes.models import Agent
from messaging.notifications.lists import unread_counts
from threads.models import Thread, ThreadState
from threads.rows import count_to_99

register = template.Library()


@dataclass(frozen=True, slots=True)
class Unread:
    """Hold an agent's unread count, for the bell."""

    count: int

    @property
    def badge(self) -> str:
        return count_to_99(self.count)

    @property
    def label(self) -> str:
        """Return the bell's accessible name."""
        return f"Notifications, {self.badge} unread" if self.count else "Notifications"


@register.simple_tag(takes_context=True)
def unread_notifications(context: template.Context) -> Unread:
    """Count the viewer's unread notifications; one query."""
    agent = _agent(context)
    return Unread(unread_counts([agent.pk])[agent.pk] if agent else 0)


@register.simple_tag(takes_context=True)
def is_muted(context: template.Context, thread: Thread) -> bool:
    """Return True if the viewer muted the thread; one query."""
    agent = _agent(context)
    return ThreadState.objects.filter(agent=agent, thread=thread, is_muted=True).exists()


@register.simple_tag(takes_context=True)
def wants_sound(context: template.Context) -> SafeString:
    agent = _agent(context)
    return SafeString("data-sound") if agent and agent.has_sound else SafeString("")


def _agent(context: template.Context) -> Agent | None:
    request: Any = context.get("request")
    agent = getattr(request, "user", None)
    return agent if isinstance(agent, Agent) else None
