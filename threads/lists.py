"""The two lists: the messages view, and the threads of a shared inbox. Paged by cursor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from inboxes.integers import read_integer
from inboxes.models import Agent, Inbox
from inboxes.models.inboxes import EPOCH, MICROSECOND
from threads.models import Choice, Thread
from threads.models.threads import ThreadQuerySet
from threads.rows import Row, inbox_row, list_id, thread_rows
from threads.unread import unread_threads

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of the page before, as its sort key names it."""

    at: datetime
    pk: int

    @classmethod
    def from_key(cls, key: str) -> Cursor:
        """Raise ValueError for what is no sort key."""
        micros, _, pk = map(read_integer, key.partition("-"))
        if micros is None or pk is None:
            raise ValueError(key)
        try:
            return cls(at=EPOCH + micros * MICROSECOND, pk=pk)
        except OverflowError as error:
            raise ValueError(key) from error

    def after(self, threads: ThreadQuerySet) -> ThreadQuerySet:
        """The rows beyond, in a form that the index walks from the cursor on."""
        return threads.filter(last_at__lte=self.at).exclude(last_at=self.at, pk__gte=self.pk)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list. `next_query` is the query string of the next page, if there is one."""

    inbox: Inbox | None
    rows: list[Row]
    next_query: str | None
    seqs: str
    choice: str = ""

    @property
    def list_id(self) -> str:
        return list_id(self.inbox, self.choice) if self.inbox else "list-top"

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """What the list may be narrowed to: the query string, the word, whether it is. The one
        that holds leads back to the whole list."""
        return [
            ("" if choice == self.choice else f"?only={choice}", str(label), choice == self.choice)
            for choice, label in Choice.choices
        ]

    @property
    def choice_label(self) -> str:
        return str(Choice(self.choice).label) if self.choice else ""

    @property
    def label(self) -> str:
        return "Threads" if self.inbox else "Conversations"


def top_list(agent: Agent, after: Cursor | None = None) -> Listing:
    """Shared inboxes as one row each, and the conversations of the agent's own line."""
    inboxes = list(Inbox.objects.visible_to(agent).select_related("last_author"))
    shared = [inbox for inbox in inboxes if not inbox.is_personal]
    unread = unread_threads([agent.pk], shared)
    rows = [inbox_row(inbox, agent, unread.get((agent.pk, inbox.pk), 0)) for inbox in shared]
    personal = Thread.objects.filter(inbox__in=[i.pk for i in inboxes if i.is_personal])
    rows += _thread_rows(agent, personal, after)
    rows.sort(key=_order, reverse=True)
    if after is not None:
        rows = [row for row in rows if _order(row) < ((after.at - EPOCH) // MICROSECOND, after.pk)]
    return Listing(
        inbox=None,
        rows=rows[:PAGE_SIZE],
        next_query=_next_query(rows),
        seqs=_seqs(agent, {f"i{inbox.pk}": inbox.seq for inbox in inboxes}),
    )


def inbox_list(
    agent: Agent, inbox: Inbox, after: Cursor | None = None, choice: str = ""
) -> Listing:
    """The threads of a shared inbox. `inbox` was read before: its `seq` covers what follows."""
    threads = Thread.objects.filter(inbox=inbox).matching(choice)
    rows = _thread_rows(agent, threads, after, choice)
    return Listing(
        inbox=inbox,
        rows=rows[:PAGE_SIZE],
        next_query=_next_query(rows, choice),
        seqs=_seqs(agent, {f"l{inbox.pk}": inbox.seq}),
        choice=choice,
    )


def list_of(agent: Agent, inbox: Inbox, choice: str = "") -> Listing:
    """Return the list in which the inbox's threads stand: the top list for a personal line."""
    return top_list(agent) if inbox.is_personal else inbox_list(agent, inbox, choice=choice)


def _seqs(agent: Agent, inboxes: dict[str, int]) -> str:
    """The page's map of counters as JSON, for `data-seqs`: `{"i3": 17, "a2": 5}`."""
    return json.dumps(inboxes | {f"a{agent.pk}": agent.seq})


def _thread_rows(
    agent: Agent, threads: ThreadQuerySet, after: Cursor | None, choice: str = ""
) -> list[Row]:
    """One row more than a page, so that the caller sees whether there is a next one."""
    if after is not None:
        threads = after.after(threads)
    page = list(threads.not_hidden_from(agent).for_rows().newest_first()[: PAGE_SIZE + 1])
    return thread_rows(agent, page, choice)


def _order(row: Row) -> tuple[int, int]:
    micros, pk = row.key.split("-")
    return int(micros), int(pk)


def _next_query(rows: list[Row], choice: str = "") -> str | None:
    if len(rows) <= PAGE_SIZE:
        return None
    only = f"only={choice}&" if choice else ""
    return f"?{only}after={rows[PAGE_SIZE - 1].key}"
