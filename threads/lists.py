"""The two lists: the messages view, and the threads of a shared inbox. Both page by cursor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from inboxes.integers import read_integer
from inboxes.models import Agent, Inbox
from inboxes.models.inboxes import EPOCH, MICROSECOND
from threads.models import Choice, Thread
from threads.models.threads import ThreadQuerySet
from threads.rows import Row, build_inbox_row, build_thread_rows, list_id
from threads.unread import count_unread_threads

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a list: the last row of the previous page, by its sort key."""

    at: datetime
    pk: int

    @classmethod
    def from_key(cls, key: str) -> Cursor:
        """Raise ValueError for anything that is not a sort key."""
        micros, _, pk = map(read_integer, key.partition("-"))
        if micros is None or pk is None:
            raise ValueError(key)
        try:
            return cls(at=EPOCH + micros * MICROSECOND, pk=pk)
        except OverflowError as error:
            raise ValueError(key) from error

    @property
    def sort_position(self) -> tuple[int, int]:
        return (self.at - EPOCH) // MICROSECOND, self.pk

    def threads_after(self, threads: ThreadQuerySet) -> ThreadQuerySet:
        """Return the threads after the cursor, in a form that lets the index start there."""
        return threads.filter(last_at__lte=self.at).exclude(last_at=self.at, pk__gte=self.pk)


@dataclass(frozen=True, slots=True)
class ChoiceLink:
    """A link that narrows a list, or shows all of it again where it `is_chosen`."""

    choice: Choice
    is_chosen: bool

    @property
    def query(self) -> str:
        return "" if self.is_chosen else f"?only={self.choice}"

    @property
    def is_failed(self) -> bool:
        return self.choice == Choice.FAILED


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list. `next_query` is the query string of the next page, if there is one.

    `failing` has the number of threads with failed or unknown texts of each inbox of the list,
    `lost` the names of those whose number receives no texts.
    """

    inbox: Inbox | None
    rows: list[Row]
    next_query: str | None
    seqs: str
    choice: str = ""
    failing: dict[int, int] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)

    @property
    def list_id(self) -> str:
        return list_id(self.inbox, self.choice)

    @property
    def choices(self) -> list[ChoiceLink]:
        """Return what the list can be narrowed to; the top list knows failed texts alone."""
        offered = Choice if self.inbox else [Choice.FAILED]
        return [ChoiceLink(choice, choice == self.choice) for choice in offered]

    @property
    def failing_count(self) -> int:
        return sum(self.failing.values())

    @property
    def failing_json(self) -> str:
        return json.dumps(self.failing)

    @property
    def lost_json(self) -> str:
        return json.dumps(self.lost)

    @property
    def lost_names(self) -> str:
        return join_names([*self.lost.values()])

    @property
    def none_chosen(self) -> str:
        """Return what to say if the list is narrowed to what no thread is."""
        if self.choice == Choice.NEEDS_REPLY:
            return "No threads need a reply"
        if self.choice == Choice.FAILED:
            return "No failed texts"
        return f"No {Choice(self.choice).label.lower()}-priority threads"

    @property
    def name(self) -> str:
        """Return what a page calls the list when it asks for its changes."""
        return str(self.inbox.pk) if self.inbox else "top"

    @property
    def title(self) -> str:
        return self.inbox.name if self.inbox else "Messages"

    @property
    def label(self) -> str:
        return "Threads" if self.inbox else "Conversations"


def top_list(agent: Agent, after: Cursor | None = None, choice: str = "") -> Listing:
    """Return one row for each shared inbox, and one for each thread of the agent's own line.

    Narrowed to failed texts, it has the threads of all inboxes instead.
    """
    inboxes = list(Inbox.objects.visible_to(agent).select_related("last_author"))
    seqs = encode_seqs(agent, {f"i{inbox.pk}": inbox.seq for inbox in inboxes})
    failing = {inbox.pk: inbox.failing_count for inbox in inboxes}
    lost = _find_lost(inboxes)
    if choice == Choice.FAILED:
        threads = Thread.objects.filter(inbox__in=[inbox.pk for inbox in inboxes])
        rows = _page_of_threads(agent, threads.matching(choice), after, choice, is_over_all=True)
        return Listing(
            inbox=None,
            rows=rows[:PAGE_SIZE],
            next_query=_next_query(rows, choice),
            seqs=seqs,
            choice=choice,
            failing=failing,
            lost=lost,
        )
    shared = [inbox for inbox in inboxes if not inbox.is_personal]
    unread = count_unread_threads([agent.pk], shared)
    rows = [build_inbox_row(inbox, agent, unread.get((agent.pk, inbox.pk), 0)) for inbox in shared]
    personal = Thread.objects.filter(inbox__in=[i.pk for i in inboxes if i.is_personal])
    rows += _page_of_threads(agent, personal, after)
    rows.sort(key=_sort_position, reverse=True)
    if after is not None:
        rows = [row for row in rows if _sort_position(row) < after.sort_position]
    return Listing(
        inbox=None,
        rows=rows[:PAGE_SIZE],
        next_query=_next_query(rows),
        seqs=seqs,
        failing=failing,
        lost=lost,
    )


def _find_lost(inboxes: Iterable[Inbox]) -> dict[int, str]:
    return {inbox.pk: inbox.name for inbox in inboxes if inbox.not_receiving_since}


def join_names(names: Sequence[str]) -> str:
    """Return names as a sentence lists them."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def inbox_list(
    agent: Agent, inbox: Inbox, after: Cursor | None = None, choice: str = ""
) -> Listing:
    """Return the threads of a shared inbox.

    `inbox` has to be read before the threads are, so that its `seq` covers them.
    """
    threads = Thread.objects.filter(inbox=inbox).matching(choice)
    rows = _page_of_threads(agent, threads, after, choice)
    return Listing(
        inbox=inbox,
        rows=rows[:PAGE_SIZE],
        next_query=_next_query(rows, choice),
        seqs=encode_seqs(agent, {f"l{inbox.pk}": inbox.seq}),
        choice=choice,
        failing={inbox.pk: inbox.failing_count},
        lost=_find_lost([inbox]),
    )


def list_for_inbox(agent: Agent, inbox: Inbox, choice: str = "") -> Listing:
    """Return the list that shows the inbox's threads: the top list for a personal line."""
    return top_list(agent) if inbox.is_personal else inbox_list(agent, inbox, choice=choice)


def encode_seqs(agent: Agent, inboxes: dict[str, int]) -> str:
    """Return the page's change counters as JSON, for `data-seqs`: `{"i3": 17, "a2": 5}`."""
    return json.dumps(inboxes | {f"a{agent.pk}": agent.seq})


def _page_of_threads(
    agent: Agent,
    threads: ThreadQuerySet,
    after: Cursor | None,
    choice: str = "",
    *,
    is_over_all: bool = False,
) -> list[Row]:
    """Return one row more than a page holds, if there is a next page."""
    if after is not None:
        threads = after.threads_after(threads)
    if choice != Choice.FAILED:
        threads = threads.not_hidden_from(agent)
    page = list(threads.for_rows().newest_first()[: PAGE_SIZE + 1])
    return build_thread_rows(agent, page, choice, is_over_all=is_over_all)


def _sort_position(row: Row) -> tuple[int, int]:
    micros, pk = row.key.split("-")
    return int(micros), int(pk)


def _next_query(rows: list[Row], choice: str = "") -> str | None:
    if len(rows) <= PAGE_SIZE:
        return None
    only = f"only={choice}&" if choice else ""
    return f"?{only}after={rows[PAGE_SIZE - 1].key}"
