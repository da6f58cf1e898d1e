"""The change counters of inboxes and agents.

Every change takes the next number by `UPDATE … SET seq = seq + 1 RETURNING`, which locks the row
until the commit. A snapshot that contains a number therefore contains all smaller ones. A database
sequence would not do: a reader could see 2 while 1 is uncommitted, and never read 1.
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
    """Take the inbox's next number, and lock its row until the transaction ends.

    Raises Inbox.DoesNotExist.
    """
    return _advance_counters(Inbox, [inbox_id])[inbox_id]


def next_agent_seqs(agent_ids: Iterable[int]) -> dict[int, int]:
    """Take the next number of several agents, and lock them in the order of their keys."""
    return _advance_counters(Agent, agent_ids)


def next_agent_seq(agent_id: int) -> int:
    return _advance_counters(Agent, [agent_id])[agent_id]


def _advance_counters(model: type[Inbox | Agent], ids: Iterable[int]) -> dict[int, int]:
    keys = sorted(set(ids))
    if not connection.in_atomic_block:
        raise RuntimeError("A counter advances only inside a transaction.")
    statement = ADVANCE.format(table=sql.Identifier(model._meta.db_table))
    with connection.cursor() as cursor:
        cursor.execute(statement, [keys])
        numbers = dict(cursor.fetchall())
    if len(numbers) != len(keys):
        raise model.DoesNotExist(f"No {model._meta.verbose_name} has this key.")
    return numbers
