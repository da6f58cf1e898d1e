"""The two lists: the messages view, and the threads of a shared inbox. Both page by cursor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from inboxes.models import Agent, Inbox
from threads.cursors import Cursor
from threads.filters import EVERYTHING, ThreadFilter, ThreadView
from threads.models import Label, Thread
from threads.rows import Row, build_inbox_row, build_thread_rows, list_id
from threads.unread import count_unread_threads
from threads.view_counts import CAP, ViewCounts, count_views
from threads.view_links import (
    ICONS,
    ViewLink,
    link_labels,
    link_narrowings,
    link_priorities,
    link_unread,
    link_views,
)
from threads.walks import Walk, walk_threads

PAGE_SIZE = 30


@dataclass(frozen=True)
class Listing:
    """One page of a list. `next_query` is the query string of the next page, if there is one.

    `known_inboxes` are those whose threads it shows, if they were read. The list `is_cut` if its
    page ends where no more threads were examined, and not because it is full. Links and counts
    are read when they are drawn, which further pages and searches don't do.
    """

    agent: Agent
    inbox: Inbox | None
    rows: list[Row]
    next_query: str | None
    seqs: str
    known_inboxes: Sequence[Inbox] | None = None
    filter: ThreadFilter = EVERYTHING
    is_cut: bool = False

    @property
    def list_id(self) -> str:
        return list_id(self.inbox, self.filter)

    @cached_property
    def inboxes(self) -> Sequence[Inbox]:
        """Return the inboxes whose threads it shows; one query at most."""
        if self.known_inboxes is not None:
            return self.known_inboxes
        return [self.inbox] if self.inbox else list(Inbox.objects.visible_to(self.agent))

    @cached_property
    def counts(self) -> dict[int, dict[str, int]]:
        """Return the counts beside the views, by inbox; one query."""
        counted = count_views([self.agent.pk], self.inboxes)
        return {
            inbox.pk: view_counts(inbox, counted[self.agent.pk, inbox.pk])
            for inbox in self.inboxes
        }

    @property
    def counts_json(self) -> str:
        """Return the counts by inbox, each with the counters at which it was read."""
        return json.dumps(
            {
                inbox.pk: {"seq": f"{inbox.seq}-{self.agent.seq}", **self.counts[inbox.pk]}
                for inbox in self.inboxes
            }
        )

    @cached_property
    def views(self) -> list[ViewLink]:
        """Return the links of the navigation, from *All* on."""
        return link_views(self.filter, sum_counts(self.counts.values()))

    @property
    def unread_link(self) -> ViewLink:
        return link_unread(self.filter)

    @property
    def priorities(self) -> list[ViewLink]:
        return link_priorities(self.filter)

    @cached_property
    def labels(self) -> list[ViewLink]:
        """Return links to the labels of its inboxes; one query."""
        there = Label.objects.filter(inbox__in=[one.pk for one in self.inboxes], deleted_at=None)
        return link_labels(self.filter, there)

    @property
    def narrowings(self) -> list[ViewLink]:
        """Return links that each take out one part of what the list is narrowed to."""
        shown = self.filter
        toggles = [*self.priorities, *(self.labels if shown.labels else [])] if shown else []
        return link_narrowings(shown, toggles)

    @property
    def lost(self) -> dict[int, str]:
        """Return the names of inboxes whose number receives no texts."""
        return {inbox.pk: inbox.name for inbox in self.inboxes if inbox.not_receiving_since}

    @property
    def lost_json(self) -> str:
        return json.dumps(self.lost)

    @property
    def lost_names(self) -> str:
        return join_names([*self.lost.values()])

    @property
    def none_chosen(self) -> str:
        """Return what to say if no thread is what the list is narrowed to."""
        return NONE_IN_VIEW.get(self.filter.token) or "No conversations match"

    @property
    def icon(self) -> str:
        """Return the sign of the one view that the list is narrowed to, or of a filter."""
        return ICONS.get(self.filter.token, "funnel")

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


# What to say where a list that is narrowed to one thing is empty.
NONE_IN_VIEW: dict[str, str] = {
    ThreadView.OPEN: "Nothing is open",
    ThreadView.MINE: "Nothing is assigned to you",
    ThreadView.UNASSIGNED: "Nothing is unassigned",
    ThreadView.NEEDS_REPLY: "Nothing needs a reply",
    ThreadView.UNREAD: "Nothing is unread",
    ThreadView.FAILED: "No failed texts",
    ThreadView.SCHEDULED: "Nothing is scheduled",
    ThreadView.SNOOZED: "Nothing is snoozed",
    ThreadView.DONE: "Nothing is done yet",
    ThreadView.BLOCKED: "Nobody is blocked",
    **{one: f"No {one.label.lower()}-priority threads" for one in Thread.Priority},
}


def view_counts(inbox: Inbox, counted: ViewCounts) -> dict[str, int]:
    """Return the counts of an inbox by the keys of the views, as a page gets them."""
    return {
        ThreadView.NEEDS_REPLY.value: counted.reply,
        ThreadView.MINE.value: counted.mine,
        ThreadView.FAILED.value: min(inbox.failing_count, CAP),
    }


def sum_counts(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Return the counts over several inboxes."""
    total = dict.fromkeys(("reply", "mine", "failed"), 0)
    for one in counts:
        for key, count in one.items():
            total[key] += count
    return total


def top_list(
    agent: Agent, after: Cursor | None = None, shown: ThreadFilter = EVERYTHING
) -> Listing:
    """Return one row for each shared inbox, and one for each thread of the agent's own line.

    With a filter it has the threads of all inboxes instead.
    """
    inboxes = list(Inbox.objects.visible_to(agent).select_related("last_author"))
    seqs = encode_seqs(agent, {f"i{inbox.pk}": inbox.seq for inbox in inboxes})
    if shown:
        page = _read_page(agent, inboxes, after, shown, is_over_all=True)
        return _make_listing(agent, None, page, inboxes=inboxes, seqs=seqs, shown=shown)
    shared = [inbox for inbox in inboxes if not inbox.is_personal]
    unread = count_unread_threads([agent.pk], shared)
    rows = [build_inbox_row(inbox, agent, unread.get((agent.pk, inbox.pk), 0)) for inbox in shared]
    own = _read_page(agent, [one for one in inboxes if one.is_personal], after)
    rows += own.rows
    rows.sort(key=_sort_position, reverse=True)
    if after is not None:
        rows = [row for row in rows if _sort_position(row) < after.sort_position]
    if own.resume is not None:
        # Threads of the line may follow before what is older.
        rows = [row for row in rows if _sort_position(row) >= own.resume.sort_position]
    return _make_listing(agent, None, _Page(rows, own.resume), inboxes=inboxes, seqs=seqs)


def join_names(names: Sequence[str]) -> str:
    """Return names as a sentence lists them."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def inbox_list(
    agent: Agent, inbox: Inbox, after: Cursor | None = None, shown: ThreadFilter = EVERYTHING
) -> Listing:
    """Return the threads of a shared inbox.

    `inbox` has to be read before the threads are, so that its `seq` covers them.
    """
    page = _read_page(agent, [inbox], after, shown)
    seqs = encode_seqs(agent, {f"l{inbox.pk}": inbox.seq})
    return _make_listing(agent, inbox, page, inboxes=[inbox], seqs=seqs, shown=shown)


def list_of(
    agent: Agent,
    inbox: Inbox | None,
    after: Cursor | None = None,
    shown: ThreadFilter = EVERYTHING,
) -> Listing:
    """Return the threads of a shared inbox; without an inbox, the top list."""
    if inbox is None:
        return top_list(agent, after, shown)
    return inbox_list(agent, inbox, after, shown)


def list_for_inbox(agent: Agent, inbox: Inbox, shown: ThreadFilter = EVERYTHING) -> Listing:
    """Return the list that shows the inbox's threads: the top list for a personal line."""
    return list_of(agent, None if inbox.is_personal else inbox, shown=shown)


def encode_seqs(agent: Agent, inboxes: dict[str, int]) -> str:
    """Return the page's change counters as JSON, for `data-seqs`: `{"i3": 17, "a2": 5}`."""
    return json.dumps(inboxes | {f"a{agent.pk}": agent.seq})


@dataclass(frozen=True, slots=True)
class _Page:
    """Rows of a list, one more than a page holds if there is a next page.

    `resume` is where to go on after fewer rows, if not all threads were examined.
    """

    rows: list[Row]
    resume: Cursor | None = None


def _read_page(
    agent: Agent,
    inboxes: Sequence[Inbox],
    after: Cursor | None,
    shown: ThreadFilter = EVERYTHING,
    *,
    is_over_all: bool = False,
) -> _Page:
    walk = walk_threads(agent, inboxes, shown, count=PAGE_SIZE + 1, after=after)
    rows = build_thread_rows(agent, read_walked(walk), shown, is_over_all=is_over_all)
    # A thread may have moved since the walk.
    return _Page(sorted(rows, key=_sort_position, reverse=True), walk.resume)


def read_walked(walk: Walk) -> list[Thread]:
    """Return the threads that a walk found, in its order."""
    threads = Thread.objects.for_rows().in_bulk(walk.keys) if walk.keys else {}
    return [threads[key] for key in walk.keys if key in threads]


def _make_listing(
    agent: Agent,
    inbox: Inbox | None,
    page: _Page,
    *,
    inboxes: Sequence[Inbox],
    seqs: str,
    shown: ThreadFilter = EVERYTHING,
) -> Listing:
    next_key, is_full = "", len(page.rows) > PAGE_SIZE
    if is_full:
        next_key = page.rows[PAGE_SIZE - 1].key
    elif page.resume is not None:
        next_key = page.resume.key
    return Listing(
        agent=agent,
        inbox=inbox,
        rows=page.rows[:PAGE_SIZE],
        next_query=f"?{shown.explicit_query}&after={next_key}" if next_key else None,
        seqs=seqs,
        known_inboxes=inboxes,
        filter=shown,
        is_cut=bool(next_key) and not is_full,
    )


def _sort_position(row: Row) -> tuple[int, int]:
    micros, pk = row.key.split("-")
    return int(micros), int(pk)
