"""The activity of a conversation as folded groups: the lines that stand behind one message."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django.urls import reverse

from inboxes.integers import MAX_BIGINT
from inboxes.models import Agent
from threads.activity_lines import Line, draw_line, named_agents
from threads.models import Activity, Thread

LINES_SHOWN = 20  # Of a group, the newest ones; the rest comes with *Show all*
MOST_LINES = 1_000  # That a group shows at all


@dataclass(frozen=True, slots=True)
class ActivityGroup:
    """Hold what `messaging/conversation/_activity.html` draws.

    `activities` are the newest of the group's `count`, from the oldest to the newest; `agents` are
    those whom they name. More than MOST_LINES are not counted.
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
    def count_words(self) -> str:
        return f"{MOST_LINES:,}+" if self.count > MOST_LINES else str(self.count)

    @property
    def is_cut(self) -> bool:
        return self.count > len(self.activities)


# The newest lines of each place, and how many there are, up to a limit: a group may have become
# endless. `activity_history` has all of them in order.
_READ = """
SELECT line.id, line.thread_id, line.inbox_id, line.actor_id, line.kind, line.details,
    line.after_id, line.seq, line.created_at, counted.group_size
FROM ({places}) AS place (thread_id, after_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS group_size FROM (
        SELECT FROM threads_activity AS one
        WHERE one.thread_id = place.thread_id AND one.after_id = place.after_id
        LIMIT %(most_counted)s) AS few) AS counted
CROSS JOIN LATERAL (
    SELECT * FROM threads_activity AS one
    WHERE one.thread_id = place.thread_id AND one.after_id = place.after_id
    ORDER BY one.id DESC LIMIT %(most)s) AS line
ORDER BY line.thread_id, line.after_id, line.id
"""
_GIVEN = "SELECT * FROM unnest(%(threads)s::bigint[], %(after)s::bigint[])"

# From one place to the next, so that the lines between are not read.
_BETWEEN = """
WITH RECURSIVE found AS (
    SELECT min(after_id) AS after_id FROM threads_activity
    WHERE thread_id = %(thread)s AND after_id >= %(first)s
    UNION ALL
    SELECT (SELECT min(after_id) FROM threads_activity
        WHERE thread_id = %(thread)s AND after_id > found.after_id)
    FROM found WHERE found.after_id < %(before)s
)
SELECT %(thread)s::bigint, after_id FROM found WHERE after_id < %(before)s
"""


def read_groups(places: Collection[tuple[int, int]]) -> list[ActivityGroup]:
    """Read the groups of a thread behind a message, given by both keys; two queries at most."""
    threads, after = zip(*places, strict=True)
    return _read(_GIVEN, LINES_SHOWN, threads=[*threads], after=[*after])


def read_groups_between(
    thread: Thread, first: int, before: int | None = None
) -> list[ActivityGroup]:
    """Read the groups of a page of history, from a message on and up to another one.

    Two queries at most. Of a long group the newest lines are read.
    """
    end = MAX_BIGINT if before is None else before
    return _read(_BETWEEN, LINES_SHOWN, thread=thread.pk, first=first, before=end)


def read_whole_group(line: Activity) -> ActivityGroup:
    """Return all of the group of a line."""
    return _read(_GIVEN, MOST_LINES, threads=[line.thread_id], after=[line.after_id])[0]


def _read(places: str, most: int, **values: Any) -> list[ActivityGroup]:
    limits = {"most": most, "most_counted": MOST_LINES + 1}
    rows: Any = Activity.objects.raw(_READ.format(places=places), values | limits)
    shown = list(rows)
    agents = read_agents(shown)
    return [
        ActivityGroup(tuple(ones), ones[0].group_size, agents)
        for ones in (list(one) for _, one in groupby(shown, lambda a: (a.thread_id, a.after_id)))
    ]


def read_agents(activities: Iterable[Activity]) -> dict[int, Agent]:
    """Read those whom lines name, also those who left since then."""
    named = {key for one in activities for key in named_agents(one)}
    return Agent.objects.only("display_name").in_bulk(named) if named else {}
