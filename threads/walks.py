"""The walks behind the lists of threads: each follows one index from the newest thread on.

The index that fits a filter best drives the walk. If it does not hold all that the filter asks
for, the rest is checked on the next WINDOW threads of it, and the list says where to go on. Over
several inboxes, priorities or labels each has a strand of its own, and the strands are merged.

Every strand is a LATERAL subquery with a LIMIT, and what an agent deleted is looked up thread by
thread: OFFSET 0 keeps the planner from joining all of an agent's states instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from inboxes.models import Agent, Inbox
from threads.cursors import Cursor
from threads.filters import ThreadFilter, ThreadView
from threads.models import Thread

WINDOW = 2_000  # Threads that are examined one by one for what the index does not hold

# A page is often full after so many of each strand. More are examined only where it is not.
FIRST_WINDOW = 200

# Of each strand at least, however many there are.
SMALLEST_WINDOW = 100

_IS_FAILING = "(thread.failed_count > 0 OR thread.unknown_count > 0)"
_NEEDS_REPLY = "thread.needs_reply AND thread.status = 'open'"
_IS_NOT_BLOCKED = "thread.status <> 'blocked'"

_UNHIDDEN = """NOT EXISTS (SELECT FROM threads_threadstate AS state
    WHERE state.agent_id = %(agent)s AND state.thread_id = thread.id AND state.hidden_id > 0
    AND state.hidden_id >= thread.last_text_id OFFSET 0)"""

_UNHIDDEN_BY_STATE = "(COALESCE(state.hidden_id, 0) = 0 OR state.hidden_id < thread.last_text_id)"

_IS_UNREAD = """COALESCE(state.is_marked_unread, false)
    OR (thread.status <> 'blocked' AND thread.last_author_id IS DISTINCT FROM %(agent)s
        AND thread.last_message_id > COALESCE(state.last_read_id, 0)
        AND (member.created_at IS NULL OR thread.last_at >= member.created_at))"""

_STRANDS = """unnest(%(inboxes)s::bigint[], %(priorities)s::text[], %(labels)s::bigint[])
    WITH ORDINALITY AS strand (inbox_id, priority, label_id, number)"""

# What an agent has read has to be known of every thread that is examined.
_STATES = """LEFT JOIN LATERAL (SELECT hidden_id, last_read_id, is_marked_unread
        FROM threads_threadstate
        WHERE agent_id = %(agent)s AND thread_id = thread.id OFFSET 0) AS state ON true
    LEFT JOIN inboxes_membership AS member
        ON member.inbox_id = thread.inbox_id AND member.agent_id = %(agent)s"""

# It ends with the page, or at the window if the agent deleted that many: the last thread of the
# window is returned though it may be one of them, as the end of its strand.
_EXACT = """
WITH walked AS MATERIALIZED (
    SELECT id, last_at, bool_or(is_end) AS is_end, bool_or(is_shown) AS is_shown
    FROM {strands} CROSS JOIN LATERAL (
        SELECT id, last_at, place = %(window)s AS is_end, {shown} AS is_shown FROM (
            SELECT thread.id, {at} AS last_at, thread.last_text_id, thread.status,
                row_number() OVER (ORDER BY {prefix}{at} DESC, {key} DESC) AS place
            FROM {source} WHERE {driving} AND {beyond}
            ORDER BY {prefix}{at} DESC, {key} DESC LIMIT %(window)s) AS thread
        WHERE place = %(window)s OR {shown} LIMIT %(count)s) AS found
    GROUP BY id, last_at
)
(SELECT id, last_at, false FROM walked WHERE is_shown
 ORDER BY last_at DESC, id DESC LIMIT %(count)s)
UNION ALL
(SELECT id, last_at, true FROM walked WHERE is_end
 ORDER BY last_at DESC, id DESC LIMIT 1)
"""

_WINDOWED = """
WITH examined AS MATERIALIZED (
    SELECT strand.number, walked.* FROM {strands} CROSS JOIN LATERAL (
        SELECT thread.id, {at} AS last_at, thread.inbox_id, thread.status, thread.assignee_id,
            thread.needs_reply, thread.failed_count, thread.unknown_count,
            thread.scheduled_count, thread.priority, thread.label_ids, thread.last_text_id,
            thread.last_message_id, thread.last_author_id
        FROM {source} WHERE {driving} AND {beyond}
        ORDER BY {prefix}{at} DESC, {key} DESC LIMIT %(window)s) AS walked
), ends AS (
    SELECT DISTINCT ON (number) last_at, id, count(*) OVER (PARTITION BY number) AS examined
    FROM examined ORDER BY number, last_at, id
), found AS (
    SELECT DISTINCT thread.id, thread.last_at FROM examined AS thread {states}
    WHERE {rest} AND {shown} ORDER BY thread.last_at DESC, thread.id DESC LIMIT %(count)s
)
(SELECT id, last_at, false FROM found)
UNION ALL
(SELECT id, last_at, true FROM ends WHERE examined = %(window)s
 ORDER BY last_at DESC, id DESC LIMIT 1)
"""

# All of a list at once, of any length, in no order.
_WHOLE = """
SELECT thread.id, thread.inbox_id, thread.last_message_id FROM threads_thread AS thread
LEFT JOIN threads_threadstate AS state
    ON state.agent_id = %(agent)s AND state.thread_id = thread.id
LEFT JOIN inboxes_membership AS member
    ON member.inbox_id = thread.inbox_id AND member.agent_id = %(agent)s
WHERE thread.inbox_id = ANY(%(visible)s) AND {wanted} AND {shown}
"""


@dataclass(frozen=True, slots=True)
class Walk:
    """The keys of the threads that a walk found, newest first, and where to go on.

    `resume` is the last thread that was examined if the walk ended at its window.
    """

    keys: list[int]
    resume: Cursor | None = None


class _Drive(NamedTuple):
    """An index to walk along: its condition, and what it answers of a filter."""

    condition: str
    answers: frozenset[str]
    source: str = "threads_thread AS thread"
    prefix: str = ""  # Columns before it in the order of the index
    at: str = "thread.last_at"
    key: str = "thread.id"


_WHOLE_DRIVE = _Drive("true", frozenset())

# Of blocked threads and others together, the newest of both indexes.
_HALF = """(SELECT * FROM threads_thread AS thread
    WHERE inbox_id = strand.inbox_id AND {status} AND {{beyond}}
    ORDER BY last_at DESC, id DESC LIMIT %(window)s)"""
_HALVES = [_HALF.format(status=f"status {sign} 'blocked'") for sign in ("<>", "=")]
_ANY_STATUS = f"({' UNION ALL '.join(_HALVES)}) AS thread"


def walk_threads(
    agent: Agent,
    inboxes: Iterable[Inbox],
    wanted: ThreadFilter,
    *,
    count: int,
    after: Cursor | None = None,
) -> Walk:
    """Return at most `count` threads of the inboxes that belong to the agent's list."""
    inbox_ids = [inbox.pk for inbox in inboxes]
    if not inbox_ids:
        return Walk([])
    statement, details = compose_walk(agent.pk, inbox_ids, wanted, count=count, after=after)
    walk = _run(statement, details | {"window": min(FIRST_WINDOW, details["window"])})
    if len(walk.keys) < count and walk.resume is not None:
        walk = _run(statement, details)
    return walk


def _run(statement: str, details: dict[str, Any]) -> Walk:
    with connection.cursor() as cursor:
        cursor.execute(statement, details)
        return _read_walk(cursor.fetchall())


def compose_walk(
    agent_id: int,
    inbox_ids: list[int],
    wanted: ThreadFilter,
    *,
    count: int,
    after: Cursor | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return the walk's statement and its values."""
    drive = _choose_drive(wanted)
    strands = _strands(inbox_ids, wanted, drive)
    rest = [sql for name, sql in _conditions(wanted).items() if name not in drive.answers]
    has_states = ThreadView.UNREAD in wanted.views
    beyond = f"({drive.at}, {drive.key}) < (%(at)s, %(pk)s)" if after else "true"
    statement = (_WINDOWED if rest else _EXACT).format(
        strands=_STRANDS,
        source=drive.source.format(beyond=beyond),
        prefix=drive.prefix,
        at=drive.at,
        key=drive.key,
        driving=drive.condition,
        beyond=beyond,
        states=_STATES if has_states else "",
        shown=_shown(wanted, drive, has_states=has_states),
        rest=" AND ".join(f"({sql})" for sql in rest),
    )
    inbox_column, priorities, labels = zip(*strands, strict=True)
    details = _values(agent_id, inbox_ids, wanted) | {
        "inboxes": list(inbox_column),
        "priorities": list(priorities),
        "labels": list(labels),
        "window": max(SMALLEST_WINDOW, WINDOW // len(strands)),
        "count": count,
        "at": after and after.at,
        "pk": after and after.pk,
    }
    return statement, details


def compose_whole(
    agent_id: int, inbox_ids: list[int], wanted: ThreadFilter
) -> tuple[str, dict[str, Any]]:
    """Return a statement for all threads that belong to the agent's list, and its values.

    Its rows are a thread, its inbox and its newest message. It takes as long as there are threads.
    """
    conditions = [f"({sql})" for sql in _conditions(wanted).values()]
    statement = _WHOLE.format(
        wanted=" AND ".join(conditions) or "true",
        shown=_shown(wanted, _WHOLE_DRIVE, has_states=True),
    )
    return statement, _values(agent_id, inbox_ids, wanted)


def _values(agent_id: int, inbox_ids: list[int], wanted: ThreadFilter) -> dict[str, Any]:
    return {
        "agent": agent_id,
        "visible": inbox_ids,
        "wanted_priorities": [*wanted.priorities],
        "wanted_labels": [*wanted.labels],
        "wanted_statuses": [*wanted.statuses],
    }


def _read_walk(rows: Sequence[tuple[Any, ...]]) -> Walk:
    """Leave out what lies beyond the end of the shortest strand: others may have newer threads."""
    resume = next((Cursor(at, pk) for pk, at, is_end in rows if is_end), None)
    found = [(at, pk) for pk, at, is_end in rows if not is_end]
    if resume is not None:
        found = [position for position in found if position >= (resume.at, resume.pk)]
    return Walk([pk for _, pk in sorted(found, reverse=True)], resume)


def _shown(wanted: ThreadFilter, drive: _Drive, *, has_states: bool) -> str:
    """Return what leaves out threads that the agent deleted, and those of blocked contacts.

    Both are examined with the others where the index has them, so that many of them end a walk
    at its window.
    """
    parts = [] if wanted.statuses or "status" in drive.answers else [_IS_NOT_BLOCKED]
    if not wanted.shows_hidden:
        parts.append(_UNHIDDEN_BY_STATE if has_states else _UNHIDDEN)
    return f"({' AND '.join(parts)})" if parts else "true"


def _conditions(wanted: ThreadFilter) -> dict[str, str]:
    """Return what a thread has to fulfil, by what it is about; see `ThreadFilter.matches`."""
    views = wanted.views
    whose = [
        sql
        for view, sql in (
            (ThreadView.MINE, "thread.assignee_id = %(agent)s"),
            (ThreadView.UNASSIGNED, "thread.assignee_id IS NULL"),
        )
        if view in views
    ]
    conditions = {
        "status": "thread.status = ANY(%(wanted_statuses)s)" if wanted.statuses else "",
        "whose": " OR ".join(whose),
        "reply": _NEEDS_REPLY if ThreadView.NEEDS_REPLY in views else "",
        "unread": _IS_UNREAD if ThreadView.UNREAD in views else "",
        "failed": _IS_FAILING if ThreadView.FAILED in views else "",
        "scheduled": "thread.scheduled_count > 0" if ThreadView.SCHEDULED in views else "",
        "priority": "thread.priority = ANY(%(wanted_priorities)s)" if wanted.priorities else "",
        "label": "thread.label_ids && %(wanted_labels)s::bigint[]" if wanted.labels else "",
    }
    return {name: sql for name, sql in conditions.items() if sql}


def _choose_drive(wanted: ThreadFilter) -> _Drive:
    """Return the index that probably holds the fewest threads beside those that are wanted."""
    given = _conditions(wanted)
    is_open = wanted.statuses == {Thread.Status.OPEN}
    is_snoozed = wanted.statuses == {Thread.Status.SNOOZED}
    is_done = wanted.statuses == {Thread.Status.DONE}
    is_blocked = wanted.statuses == {Thread.Status.BLOCKED}
    is_mine = is_open and ThreadView.UNASSIGNED not in wanted.views
    is_nobodys = is_open and ThreadView.MINE not in wanted.views
    is_open_reply = not wanted.statuses or Thread.Status.OPEN in wanted.statuses
    drives = (
        ("failed" in given, _IS_FAILING, {"failed"}),
        ("scheduled" in given, "thread.scheduled_count > 0", {"scheduled"}),
        (is_snoozed, "thread.status = 'snoozed'", {"status"}),
        (
            is_mine and "whose" in given,
            "thread.status = 'open' AND thread.assignee_id = %(agent)s",
            {"status", "whose"},
        ),
        (
            "priority" in given,
            "thread.priority = strand.priority AND NOT (thread.priority = '')",
            {"priority"},
        ),
        ("label" in given, "placed.label_id = strand.label_id", {"label"}),
        ("reply" in given and is_open_reply, _NEEDS_REPLY, {"reply", "status"}),
        (
            is_nobodys and "whose" in given,
            "thread.status = 'open' AND thread.assignee_id IS NULL",
            {"status", "whose"},
        ),
        (is_open, "thread.status = 'open'", {"status"}),
        (is_done, "thread.status = 'done'", {"status"}),
        (is_blocked, "thread.status = 'blocked'", {"status"}),
        (not wanted.statuses, _IS_NOT_BLOCKED, {"status"}),
        (not wanted.shows_blocked, _IS_NOT_BLOCKED, set[str]()),
        (True, "true", set[str]()),
    )
    condition, answers = next((sql, answers) for fits, sql, answers in drives if fits)
    if "label" in answers:
        return _Drive(
            f"{condition} AND thread.inbox_id = ANY(%(visible)s)",
            frozenset(answers),
            source="threads_threadlabel AS placed JOIN threads_thread AS thread"
            " ON thread.id = placed.thread_id",
            at="placed.last_at",
            key="placed.thread_id",
        )
    if condition == "true":
        return _Drive(condition, frozenset(answers), source=_ANY_STATUS)
    # For the planner, IS NULL says nothing about the order of what the index has.
    prefix = "thread.assignee_id, " if "IS NULL" in condition else ""
    return _Drive(
        f"thread.inbox_id = strand.inbox_id AND {condition}", frozenset(answers), prefix=prefix
    )


def _strands(
    inbox_ids: list[int], wanted: ThreadFilter, drive: _Drive
) -> list[tuple[int | None, str | None, int | None]]:
    """Return an inbox, a priority and a label for each strand."""
    if "label" in drive.answers:
        return [(None, None, label) for label in wanted.labels]
    if "priority" in drive.answers:
        return [(inbox, str(one), None) for inbox in inbox_ids for one in wanted.priorities]
    return [(inbox, None, None) for inbox in inbox_ids]
