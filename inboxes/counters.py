"""The counters of inboxes and agents: every change takes the next number under the row's lock.

`UPDATE … SET seq = seq + 1 RETURNING` holds the row until the commit, so that whoever reads a
number has every smaller one in the same snapshot. A bare sequence would not do: a reader could
see 2 while 1 is still uncommitted, and miss it for ever.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from psycopg import sql

from inboxes.models import Agent, Inbox

ADVANCE = sql.SQL(
    "WITH locked AS (SELECT id FROM {table} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE)"
    " UPDATE {table} AS counted SET seq = seq + 1 FROM locked"
    " WHERE counted.id = locked.id RETURNING counted.id, counted.seq"
)


def next_inbox_seq(inbox_id: int) -> int:
    """Take the inbox's next number; locks its row until the transaction ends.

    Raises Inbox.DoesNotExist.
    """
    return _advance(Inbox, [inbox_id])[inbox_id]


def next_agent_seqs(agent_ids: Iterable[int]) -> dict[int, int]:
    """Take the next number of several agents, locked in order of their keys."""
    return _advance(Agent, agent_ids)


def next_agent_seq(agent_id: int) -> int:
    return _advance(Agent, [agent_id])[agent_id]


def _advance(model: type[Inbox | Agent], ids: Iterable[int]) -> dict[int, int]:
    wanted = sorted(set(ids))
    if not connection.in_atomic_block:
        raise RuntimeError("A counter is only taken inside a transaction.")
    statement = ADVANCE.format(table=sql.Identifier(model._meta.db_table))
    with connection.cursor() as cursor:
        cursor.execute(statement, [wanted])
        taken = dict(cursor.fetchall())
    if len(taken) != len(wanted):
        raise model.DoesNotExist(f"No {model._meta.verbose_name} has the key asked for.")
    return taken
