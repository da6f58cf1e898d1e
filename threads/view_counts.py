"""The counts beside *Needs reply* and *Mine*, for agents in their inboxes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from inboxes.models import Inbox

CAP = 1_000  # Counts from here on are shown as 999+

# So many more are read, because an agent may have deleted some of them.
DELETED_OF_MANY = 50

# Of an agent who deleted more than that, so often twice as many are read.
FURTHER_ROUNDS = 3

# The newest threads that need a reply are read once for all agents, those that are assigned for
# each of them. What an agent deleted is few beside it, and subtracted.
_COUNTS = """
WITH wanting AS MATERIALIZED (
    SELECT thread.* FROM unnest(%(inboxes)s::bigint[]) AS wanted (inbox_id)
    CROSS JOIN LATERAL (
        SELECT inbox_id, id, last_text_id FROM threads_thread
        WHERE inbox_id = wanted.inbox_id AND needs_reply AND status = 'open'
        ORDER BY last_at DESC, id DESC LIMIT %(limit)s) AS thread),
mine AS MATERIALIZED (
    SELECT thread.* FROM unnest(%(inboxes)s::bigint[]) AS wanted (inbox_id)
    CROSS JOIN unnest(%(agents)s::bigint[]) AS member (agent_id)
    CROSS JOIN LATERAL (
        SELECT inbox_id, assignee_id AS agent_id, id, last_text_id FROM threads_thread
        WHERE inbox_id = wanted.inbox_id AND assignee_id = member.agent_id AND status = 'open'
        ORDER BY last_at DESC, id DESC LIMIT %(limit)s) AS thread)
SELECT 'reply', inbox_id, NULL::bigint, count(*) FROM wanting GROUP BY inbox_id
UNION ALL
SELECT 'hidden', wanting.inbox_id, state.agent_id, count(*) FROM wanting
JOIN threads_threadstate AS state ON state.thread_id = wanting.id
WHERE state.hidden_id > 0 AND state.hidden_id >= wanting.last_text_id
  AND state.agent_id = ANY(%(agents)s)
GROUP BY wanting.inbox_id, state.agent_id
UNION ALL
SELECT 'mine', mine.inbox_id, mine.agent_id, count(*) FROM mine
GROUP BY mine.inbox_id, mine.agent_id
UNION ALL
SELECT 'hidden mine', mine.inbox_id, mine.agent_id, count(*) FROM mine
JOIN threads_threadstate AS state
  ON state.thread_id = mine.id AND state.agent_id = mine.agent_id
WHERE state.hidden_id > 0 AND state.hidden_id >= mine.last_text_id
GROUP BY mine.inbox_id, mine.agent_id
"""


@dataclass(frozen=True, slots=True)
class ViewCounts:
    """Count the threads that two views of an agent hold in an inbox: at most CAP of each."""

    reply: int = 0
    mine: int = 0


def cap_count(number: int) -> str:
    """Return what a page shows beside a view; "" for none."""
    return f"{CAP - 1}+" if number >= CAP else str(number or "")


def count_views(
    agent_ids: Collection[int], inboxes: Iterable[Inbox]
) -> dict[tuple[int, int], ViewCounts]:
    """Count for each agent in each inbox, by (agent, inbox). Takes one query.

    It takes a few more only for an agent who deleted many of more than a thousand such threads.
    If they deleted thousands, what lies behind those is not counted.
    """
    inbox_ids = [inbox.pk for inbox in inboxes]
    pairs = [(agent_id, inbox_id) for agent_id in agent_ids for inbox_id in inbox_ids]
    counts: dict[tuple[int, int], ViewCounts] = {}
    limit = CAP + DELETED_OF_MANY
    for _ in range(1 + FURTHER_ROUNDS):
        if not pairs:
            break
        agents, places = ({pair[at] for pair in pairs} for at in (0, 1))
        found = _count_newest(agents, places, limit)
        counts |= {pair: _counts_of(pair, found) for pair in pairs}
        pairs = [pair for pair in pairs if not _is_certain(pair, found, counts[pair], limit)]
        limit *= 2
    return counts


Found = dict[tuple[str, int, int | None], int]


def _count_newest(agent_ids: Collection[int], inbox_ids: Collection[int], limit: int) -> Found:
    details: dict[str, Any] = {
        "agents": sorted(agent_ids),
        "inboxes": sorted(inbox_ids),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, details)
        return {(what, inbox, agent): count for what, inbox, agent, count in cursor.fetchall()}


def _counts_of(pair: tuple[int, int], found: Found) -> ViewCounts:
    agent_id, inbox_id = pair
    reply = found.get(("reply", inbox_id, None), 0) - found.get(("hidden", inbox_id, agent_id), 0)
    mine, hidden = (found.get((one, inbox_id, agent_id), 0) for one in ("mine", "hidden mine"))
    return ViewCounts(reply=min(reply, CAP), mine=min(mine - hidden, CAP))


def _is_certain(pair: tuple[int, int], found: Found, counts: ViewCounts, limit: int) -> bool:
    """Return False if there may be more threads than were read, and fewer than CAP are counted."""
    agent_id, inbox_id = pair
    return all(
        count >= CAP or read < limit
        for count, read in (
            (counts.reply, found.get(("reply", inbox_id, None), 0)),
            (counts.mine, found.get(("mine", inbox_id, agent_id), 0)),
        )
    )
