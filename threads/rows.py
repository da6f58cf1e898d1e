"""One row of a list, as one agent sees it: what all see alike, and the little that is personal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from inboxes.models import Agent, Inbox
from threads.models import Thread, ThreadState
from threads.unread import seats_of, unread_of


@dataclass(frozen=True, slots=True)
class Row:
    """What `messaging/list/_row.html` draws.

    `seq` is "<inbox counter>-<agent counter>" at the last change of either part; a page keeps
    the greater of two rows. One that `is_gone` does not stand in the list (any more): the page
    takes away what it has of it.
    """

    kind: Literal["inbox", "thread"]
    inbox: Inbox
    thread: Thread | None
    is_mine: bool
    is_unread: bool
    unread_count: int = 0
    personal_seq: int | str = 0
    is_muted: bool = False
    choice: str = ""
    is_gone: bool = False
    called_id: int | None = None
    """The agent who looks, if the last message mentions them."""

    @property
    def subject(self) -> Inbox | Thread:
        return self.thread or self.inbox

    @property
    def list_id(self) -> str:
        return list_id(self.thread.inbox, self.choice) if self.thread else "list-top"

    @property
    def query(self) -> str:
        """The list's choice goes on beside the conversation."""
        return f"?only={self.choice}" if self.choice else ""

    @property
    def key(self) -> str:
        return self.subject.sort_key

    @property
    def seq(self) -> str:
        return f"{self.subject.seq}-{self.personal_seq}"

    @property
    def looks(self) -> tuple[object, ...]:
        """Rows that agree in this are drawn alike but for the agent's counter."""
        return (
            self.kind,
            self.subject.pk,
            self.is_mine,
            self.is_unread,
            self.unread_count,
            self.is_muted,
            self.choice,
            self.is_gone,
            self.called_id,
        )


def list_id(inbox: Inbox, choice: str = "") -> str:
    """The element that holds an inbox's threads: another one for each choice, so that a row which
    was drawn for one of them never lands in another."""
    return f"{inbox.list_id}-{choice}" if choice else inbox.list_id


def thread_row(
    thread: Thread,
    agent: Agent,
    state: ThreadState | None,
    *,
    seat: datetime | None,
    choice: str = "",
) -> Row:
    """`seat`: since when the agent is a member; None on their own line."""
    unread = unread_of(thread, agent, state, seat)
    return Row(
        kind="thread",
        inbox=thread.inbox,
        thread=thread,
        is_mine=thread.last_author_id == agent.pk,
        is_unread=unread.is_unread,
        unread_count=unread.count,
        personal_seq=state.seq if state else 0,
        is_muted=state is not None and state.is_muted,
        choice=choice,
        is_gone=not thread.matches(choice)
        or (state is not None and state.hides(thread.last_text_id)),
        called_id=agent.pk if thread.mentions_lately(agent.pk) else None,
    )


def inbox_row(inbox: Inbox, agent: Agent, unread_count: int) -> Row:
    """`unread_count`: how many of its threads the agent has not read."""
    return Row(
        kind="inbox",
        inbox=inbox,
        thread=None,
        is_mine=inbox.last_author_id == agent.pk,
        is_unread=unread_count > 0,
        unread_count=unread_count,
        personal_seq=agent.seq,
        called_id=agent.pk if inbox.mentions_lately(agent.pk) else None,
    )


def thread_rows(
    agent: Agent,
    threads: list[Thread],
    choice: str = "",
    states: Mapping[int, ThreadState] | None = None,
) -> list[Row]:
    """Rows of several threads, in their order; two queries, or one if the states are known."""
    if not threads:
        return []
    states = states_of(agent, threads) if states is None else states
    seats = seats_of(agent, {thread.inbox_id for thread in threads})
    return [
        thread_row(
            thread,
            agent,
            states.get(thread.pk),
            seat=seats.get(thread.inbox_id),
            choice=choice,
        )
        for thread in threads
    ]


def states_of(agent: Agent, threads: Iterable[Thread]) -> dict[int, ThreadState]:
    """The agent's states by thread; one query."""
    states = ThreadState.objects.filter(agent=agent, thread__in=[thread.pk for thread in threads])
    return {state.thread_id: state for state in states}
