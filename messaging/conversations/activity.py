"""The activity of a conversation as folded groups: the lines that stand behind one message."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber
from django.urls import reverse

from inboxes.models import Agent
from threads.activity_lines import Line, draw_line, named_agents
from threads.models import Activity, Thread

LINES_SHOWN = 20  # Of a group, the newest ones; the rest comes with *Show all*
MOST_LINES = 1_000  # That a group shows at all


@dataclass(frozen=True, slots=True)
class ActivityGroup:
    """Hold what `messaging/conversation/_activity.html` draws.

    `activities` are the newest of the group's `count`, from the oldest to the newest; `agents` are
    those whom they name.
    """

    activities: tuple[Activity, ...]
    count: int
    agents: Mapping[int, Agent]
    viewer_id: int | None = None  # The viewing agent, if a line names them
    opened_id: int | None = None  # The line at which the conversation is opened

    def for_agent(self, agent_id: int) -> ActivityGroup:
        """Return the group as this agent sees it; it is equal for all whom it does not name."""
        return replace(self, viewer_id=agent_id) if self.names(agent_id) else self

    def names(self, agent_id: int) -> bool:
        return any(agent_id in named_agents(one) for one in self.activities)

    @property
    def newest(self) -> Activity:
        return self.activities[-1]

    @property
    def thread_id(self) -> int:
        return self.newest.thread_id

    @property
    def after_id(self) -> int:
        return self.newest.after_id

    @property
    def seq(self) -> int:
        """Return the inbox's counter when its newest line was written."""
        return self.newest.seq

    @property
    def key(self) -> str:
        """Return what its elements are called by."""
        return f"{self.thread_id}-{self.after_id}"

    @property
    def history_order(self) -> tuple[int, int, int]:
        """Return its position: behind its message, and before late texts that belong there."""
        return self.after_id, 0, 1

    @property
    def sort_key(self) -> str:
        """Return the position as `static/js/live/fragments.js` compares it."""
        return "-".join(map(str, self.history_order))

    @property
    def url(self) -> str:
        """Return the address of the whole group."""
        return reverse("messaging:activity", args=[self.newest.pk])

    @property
    def lines(self) -> list[Line]:
        return [draw_line(one, self.agents, self.viewer_id) for one in self.activities]

    @property
    def last_line(self) -> Line:
        """Return the line that stands for the group while it is folded."""
        return draw_line(self.newest, self.agents, self.viewer_id)

    @property
    def is_cut(self) -> bool:
        return self.count > len(self.activities)


def read_groups(places: Collection[tuple[int, int]]) -> list[ActivityGroup]:
    """Read the groups of a thread behind a message, given by both keys; two queries at most."""
    wanted = Q()
    for thread_id, after_id in places:
        wanted |= Q(thread=thread_id, after_id=after_id)
    return _read(Activity.objects.filter(wanted), LINES_SHOWN)


def read_groups_between(
    thread: Thread, first: int, before: int | None = None
) -> list[ActivityGroup]:
    """Read the groups of a page of history, from a message on and up to another one.

    Two queries at most. Of a long group the newest lines are read.
    """
    wanted = Activity.objects.filter(thread=thread, after_id__gte=first)
    if before is not None:
        wanted = wanted.filter(after_id__lt=before)
    return _read(wanted, LINES_SHOWN)


def read_whole_group(line: Activity) -> ActivityGroup:
    """Return all of the group of a line."""
    same = Activity.objects.filter(thread=line.thread_id, after_id=line.after_id)
    return _read(same, MOST_LINES)[0]


def _read(wanted: Any, most: int) -> list[ActivityGroup]:
    group = [F("thread"), F("after_id")]
    ranked = wanted.annotate(
        rank=Window(RowNumber(), partition_by=group, order_by=F("pk").desc()),
        group_size=Window(Count("*"), partition_by=group),
    )
    shown = list(ranked.filter(rank__lte=most).defer("words").order_by("thread", "after_id", "pk"))
    agents = read_agents(shown)
    return [
        ActivityGroup(tuple(ones), ones[0].group_size, agents)
        for ones in (list(one) for _, one in groupby(shown, lambda a: (a.thread_id, a.after_id)))
    ]


def read_agents(activities: Iterable[Activity]) -> dict[int, Agent]:
    """Read those whom lines name, also those who left since then."""
    named = {key for one in activities for key in named_agents(one)}
    return Agent.objects.only("display_name").in_bulk(named) if named else {}
