"""The menus of the toolbar for many threads: to whom, until when, which labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from inboxes.models import Agent, Inbox
from messaging.conversations.work_forms import PRESETS, preset_moment
from threads.labels import labels_of
from threads.models import Label


@dataclass(frozen=True, slots=True)
class Assignee:
    """Hold somebody to whom threads can be assigned; `value` is what the form sends."""

    agent: Agent
    is_me: bool

    @property
    def value(self) -> str:
        return "me" if self.is_me else str(self.agent.pk)

    @property
    def word(self) -> str:
        return "Me" if self.is_me else self.agent.display_name


def read_assignees(agent: Agent, inboxes: Sequence[Inbox]) -> list[Assignee]:
    """Return the agent first, then everybody else in any of the inboxes, by name; one query."""
    keys = [inbox.pk for inbox in inboxes]
    theirs = Q(memberships__inbox__in=keys) | Q(personal_line__in=keys)
    members = Agent.objects.filter(theirs, is_active=True).distinct()
    others = [one for one in members.order_by("display_name", "pk") if one.pk != agent.pk]
    return [Assignee(one, is_me=one.pk == agent.pk) for one in [agent, *others]]


@dataclass(frozen=True, slots=True)
class Snooze:
    """Hold a moment to snooze until; `value` is what the form sends."""

    value: str
    word: str
    until: datetime


_SNOOZES = {"later": "Later today", "tomorrow": "Tomorrow", "monday": "Monday"}


def read_snoozes(now: datetime) -> list[Snooze]:
    """Return later today, tomorrow and Monday, by the reader's clocks, each moment once."""
    zone = timezone.get_current_timezone()
    # Late in the evening "later today" is tomorrow, and on a Sunday "Monday" is: that word stays.
    moments = {preset_moment(when, zone, now): when for when in ("monday", "later", "tomorrow")}
    found = {when: until for until, when in moments.items()}
    return [Snooze(when, _SNOOZES[when], found[when]) for when in PRESETS if when in found]


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
