"""The menus of the toolbar for many threads: to whom, and which labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from inboxes.models import Agent, Inbox
from messaging.conversations.work_menus import AssigneeChoice
from threads.labels import labels_of
from threads.models import Label


def read_assignees(agent: Agent, inboxes: Sequence[Inbox]) -> list[AssigneeChoice]:
    """Return the agent first, then everybody else in any of the inboxes, by name; one query."""
    keys = [inbox.pk for inbox in inboxes]
    theirs = Q(memberships__inbox__in=keys) | Q(personal_line__in=keys)
    members = Agent.objects.filter(theirs, is_active=True).distinct()
    others = [one for one in members.order_by("display_name", "pk") if one.pk != agent.pk]
    return [
        AssigneeChoice(one, is_me=one.pk == agent.pk, is_chosen=False) for one in [agent, *others]
    ]


@dataclass(frozen=True, slots=True)
class LabelOfMany:
    """Hold labels of one name, in one or several inboxes."""

    label: Label
    keys: Sequence[int]

    @property
    def key_words(self) -> str:
        """Return their keys with spaces between them."""
        return " ".join(map(str, self.keys))


def read_labels(inboxes: Sequence[Inbox]) -> list[LabelOfMany]:
    """Return the labels of the inboxes by name; one query."""
    by_name: dict[str, list[Label]] = {}
    for label in labels_of([inbox.pk for inbox in inboxes]).values():
        by_name.setdefault(label.name.casefold(), []).append(label)
    return [LabelOfMany(same[0], [label.pk for label in same]) for same in by_name.values()]
