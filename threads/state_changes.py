"""Change an agent's own state in many threads at once, and take such changes back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from inboxes import bell, counters
from threads.changes import Change
from threads.models import ThreadState

Columns = Mapping[str, Any]

# Columns of a state that never go back by reading.
_FORWARD = frozenset({"last_read_id", "read_count"})


def change_states(
    *, agent_id: int, wanted: Mapping[int, Columns], unchanged_too: Collection[int] = ()
) -> list[Change]:
    """Set columns of the agent's state, which are given for each thread; return what changed.

    `unchanged_too` are threads that are returned in any case. The caller needs a transaction, and
    has to take any inbox's counter first. The agent's counter advances once, and read marks only
    move forward.
    """
    seq = counters.next_agent_seq(agent_id)
    states = _read_states(agent_id, wanted)
    changes: list[Change] = []
    for thread_id, columns in wanted.items():
        state = states[thread_id]
        new = {
            name: max(value, getattr(state, name)) if name in _FORWARD else value
            for name, value in columns.items()
        }
        before = {name: getattr(state, name) for name in columns}
        if before != new or thread_id in unchanged_too:
            changes.append(Change(thread_id, _to_json(before), _to_json(new)))
    _write_states(states, {change.thread_id: change.after for change in changes}, seq)
    _ring(agent_id, seq, changes)
    return changes


def restore_states(*, agent_id: int, changes: Collection[Change]) -> set[int]:
    """Take changes back, of read marks too, and return in which threads.

    A state that has changed again since then stays as it is. The caller needs a transaction.
    """
    seq = counters.next_agent_seq(agent_id)
    states = _read_states(agent_id, [change.thread_id for change in changes])
    same = {
        change.thread_id: change.before
        for change in changes
        if _to_json({name: getattr(states[change.thread_id], name) for name in change.after})
        == change.after
    }
    _write_states(states, same, seq)
    _ring(agent_id, seq, same)
    return set(same)


def _read_states(agent_id: int, thread_ids: Iterable[int]) -> dict[int, ThreadState]:
    """Return the agent's state in each thread, an unsaved one where there is none yet.

    The agent's counter is held, so nobody else makes one meanwhile.
    """
    wanted = list(thread_ids)
    known = {
        state.thread_id: state
        for state in ThreadState.objects.filter(agent=agent_id, thread__in=wanted)
    }
    return {key: known.get(key) or ThreadState(agent_id=agent_id, thread_id=key) for key in wanted}


def _write_states(
    states: Mapping[int, ThreadState], columns: Mapping[int, Columns], seq: int
) -> None:
    changed = [states[thread_id] for thread_id in columns]
    for state in changed:
        state.pk, state.seq = None, seq
        for name, value in _from_json(columns[state.thread_id]).items():
            setattr(state, name, value)
    # One statement for all of them: `bulk_update` takes many times as long.
    ThreadState.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["agent", "thread"],
        update_fields=[*{name for one in columns.values() for name in one}, "seq"],
    )


def _ring(agent_id: int, seq: int, changed: Collection[object]) -> None:
    if changed:
        bell.ring_agent(agent_id, seq)


def _to_json(columns: Columns) -> dict[str, Any]:
    """Return the columns as JSON has them: times in ISO 8601."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in columns.items()
    }


def _from_json(columns: Columns) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name == "hidden_at" and value else value
        for name, value in columns.items()
    }
