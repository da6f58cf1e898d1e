"""The menus of a conversation's tools as one agent sees them: assign, snooze, labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from django.utils import timezone

from inboxes.models import Agent
from messaging.conversations.work_forms import preset_moment
from threads.membership import assignable_agents
from threads.models import Label, Thread


@dataclass(frozen=True, slots=True)
class AssigneeChoice:
    """Hold a member to whom the thread can be assigned; `value` is what the form sends."""

    agent: Agent
    is_me: bool
    is_chosen: bool

    @property
    def value(self) -> str:
        return "me" if self.is_me else str(self.agent.pk)

    @property
    def word(self) -> str:
        return "Me" if self.is_me else self.agent.display_name


@dataclass(frozen=True, slots=True)
class SnoozeChoice:
    """Hold a moment to snooze until, and the style in which its time is worded."""

    value: str
    word: str
    until: datetime
    style: Literal["bubble", "hour"]


@dataclass(frozen=True, slots=True)
class LabelChoice:
    label: Label
    is_on: bool


@dataclass(frozen=True, slots=True)
class WorkMenus:
    """Hold what `messaging/conversation/_work_menus.html` draws."""

    assignees: Sequence[AssigneeChoice]
    snoozes: Sequence[SnoozeChoice]
    labels: Sequence[LabelChoice]
    first_day: date  # What the field for a date begins with


def read_menus(thread: Thread, agent: Agent, labels: Mapping[int, Label]) -> WorkMenus:
    """Read the menus; `labels` are those of the inbox, by key. One query."""
    return WorkMenus(
        assignees=_assignee_choices(thread, agent),
        snoozes=snooze_choices(timezone.now()),
        labels=[
            LabelChoice(label, is_on=key in thread.label_ids) for key, label in labels.items()
        ],
        first_day=timezone.localdate() + timedelta(days=1),
    )


def _assignee_choices(thread: Thread, agent: Agent) -> list[AssigneeChoice]:
    """Return the agent first, then the other members by name; nobody on a personal line."""
    if thread.is_personal:
        return []
    members = sorted(assignable_agents(thread.inbox_id), key=lambda one: one.pk != agent.pk)
    return [
        AssigneeChoice(one, is_me=one.pk == agent.pk, is_chosen=one.pk == thread.assignee_id)
        for one in members
    ]


def snooze_choices(now: datetime) -> list[SnoozeChoice]:
    """Return later today, tomorrow and Monday, by the reader's clocks, each moment once.

    Late in the evening "later today" is left out, and on a Sunday "Monday", which is tomorrow.
    """
    zone = timezone.get_current_timezone()
    later, tomorrow, monday = (
        preset_moment(when, zone, now) for when in ("later", "tomorrow", "monday")
    )
    choices = [SnoozeChoice("tomorrow", "Tomorrow", tomorrow, "bubble")]
    if later != tomorrow:
        choices.insert(0, SnoozeChoice("later", "Later today", later, "bubble"))
    if monday != tomorrow:
        choices.append(SnoozeChoice("monday", "Monday", monday, "hour"))
    return choices
