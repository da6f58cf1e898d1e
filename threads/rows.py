"""One row of a list, as one agent sees it: what all see alike, and the little that is personal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inboxes.models import Agent, Inbox
from threads.models import Thread, ThreadState


@dataclass(frozen=True, slots=True)
class Row:
    """What `threads/_row.html` draws.

    `seq` is "<inbox counter>-<agent counter>" at the last change of either part; a page keeps
    the greater of two rows.
    """

    kind: Literal["inbox", "thread"]
    inbox: Inbox
    thread: Thread | None
    is_mine: bool
    is_unread: bool
    personal_seq: int | str = 0
    is_muted: bool = False
    called_id: int | None = None
    """The agent who looks, if the last message mentions them."""

    @property
    def subject(self) -> Inbox | Thread:
        return self.thread or self.inbox

    @property
    def list_id(self) -> str:
        return self.thread.list_id if self.thread else "list-top"

    @property
    def key(self) -> str:
        return self.subject.sort_key

    @property
    def seq(self) -> str:
        return f"{self.subject.seq}-{self.personal_seq}"


def thread_row(thread: Thread, agent: Agent, state: ThreadState | None) -> Row:
    last_read_id = state.last_read_id if state else 0
    is_mine = thread.last_author_id == agent.pk
    return Row(
        kind="thread",
        inbox=thread.inbox,
        thread=thread,
        is_mine=is_mine,
        is_unread=not is_mine and (thread.last_message_id or 0) > last_read_id,
        personal_seq=state.seq if state else 0,
        is_muted=state is not None and state.is_muted,
        called_id=agent.pk if thread.mentions_lately(agent.pk) else None,
    )


def inbox_row(inbox: Inbox, agent: Agent, read_ids: set[int]) -> Row:
    """`read_ids`: newest messages that the agent has read, of whichever thread."""
    is_mine = inbox.last_author_id == agent.pk
    return Row(
        kind="inbox",
        inbox=inbox,
        thread=None,
        is_mine=is_mine,
        is_unread=not is_mine
        and inbox.last_message_id is not None
        and inbox.last_message_id not in read_ids,
        personal_seq=agent.seq,
        called_id=agent.pk if inbox.mentions_lately(agent.pk) else None,
    )


def read_last_messages(agent: Agent, inboxes: list[Inbox]) -> set[int]:
    """Which of the inboxes' last messages the agent has read; one query."""
    wanted = [inbox.last_message_id for inbox in inboxes if inbox.last_message_id is not None]
    return set(
        ThreadState.objects.filter(agent=agent, last_read_id__in=wanted).values_list(
            "last_read_id", flat=True
        )
    )


def states_of(agent: Agent, threads: list[Thread]) -> dict[int, ThreadState]:
    """The agent's states by thread; one query."""
    states = ThreadState.objects.filter(agent=agent, thread__in=[thread.pk for thread in threads])
    return {state.thread_id: state for state in states}
