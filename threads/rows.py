"""Rows of the lists, as one agent sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models.functions import Lower
from django.utils.safestring import SafeString

from inboxes.models import Agent, Inbox
from threads.filters import EVERYTHING, ThreadFilter
from threads.highlighting import highlight_mentions
from threads.labels import labels_on
from threads.models import Label, Thread, ThreadState
from threads.unread import membership_starts, unread_in_thread

DRAFT_EXCERPT_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list, as `messaging/list/_row.html` draws it.

    `seq` is "<inbox counter>-<agent counter>" at the last change of either part; of two versions
    of a row, a page keeps the one with the greater `seq`. A row that `is_gone` does not belong to
    the list, and the page removes it.
    """

    kind: Literal["inbox", "thread"]
    inbox: Inbox
    thread: Thread | None
    is_mine: bool
    is_unread: bool
    unread_count: int = 0
    personal_seq: int | str = 0
    is_muted: bool = False
    filter: ThreadFilter = EVERYTHING
    is_over_all: bool = False  # in a list over all of the agent's inboxes
    labels: tuple[Label, ...] = ()
    is_assigned_to_me: bool = False
    draft: str = ""  # the beginning of what the agent has typed and not sent
    is_gone: bool = False
    mentioned_agent_id: int | None = None  # the agent's own id, if the last message mentions them

    @property
    def subject(self) -> Inbox | Thread:
        return self.thread or self.inbox

    @property
    def list_id(self) -> str:
        if self.thread is None or self.is_over_all:
            return list_id(None, self.filter)
        return list_id(self.thread.inbox, self.filter)

    @property
    def query(self) -> str:
        """Return the query string that keeps the list beside a conversation."""
        return query_beside(self.filter, is_over_all=self.is_over_all)

    @property
    def failure(self) -> str:
        """Return the word for texts that failed or are unknown and that nobody has seen."""
        return self.subject.failure.capitalize()

    @property
    def key(self) -> str:
        return self.subject.sort_key

    @property
    def seq(self) -> str:
        return f"{self.subject.seq}-{self.personal_seq}"

    @property
    def classes(self) -> str:
        """Return the CSS classes."""
        return f"row row-{self.kind}{' unread' if self.is_unread else ''}"

    @property
    def count_label(self) -> str:
        """Return how many are unread; empty if none is, or if they are not counted."""
        return count_to_99(self.unread_count) if self.is_unread and self.unread_count else ""

    @property
    def is_internal(self) -> bool:
        return self.subject.last_kind == "internal"

    @property
    def speaker(self) -> str:
        """Return who wrote the last message; empty if it came in, or if there is none."""
        if self.subject.last_kind not in {"internal", "outbound"}:
            return ""
        if self.is_mine:
            return "You"
        author = self.subject.last_author
        return author.short_name if author else "Automatic"

    @property
    def preview(self) -> SafeString:
        """Return the beginning of the last message, with mentions marked."""
        subject = self.subject
        if not subject.last_kind:
            return SafeString("" if self.thread else "No messages yet")
        return highlight_mentions(
            subject.last_excerpt, subject.last_mentions, self.mentioned_agent_id
        )

    @property
    def appearance(self) -> tuple[object, ...]:
        """Return a cache key: rows with the same key differ only in the agent's counter."""
        return (
            self.kind,
            self.subject.pk,
            self.is_mine,
            self.is_unread,
            self.unread_count,
            self.is_muted,
            self.filter.token,
            self.is_over_all,
            self.is_assigned_to_me,
            self.draft,
            self.is_gone,
            self.mentioned_agent_id,
        )


def count_to_99(number: int) -> str:
    return "99+" if number > 99 else str(number)


def list_id(inbox: Inbox | None, shown: ThreadFilter = EVERYTHING) -> str:
    """Return the id of the element that holds an inbox's threads; None stands for the top list.

    Each filter has an element of its own, so that a row for one never lands in another.
    """
    whole = inbox.list_id if inbox else "list-top"
    return f"{whole}-{shown.token}" if shown else whole


def query_beside(shown: ThreadFilter, *, is_over_all: bool = False) -> str:
    """Return the query string of a conversation that keeps the list beside it."""
    return f"?{shown.query}{'&all_inboxes=1' if is_over_all else ''}" if shown else ""


def make_excerpt(draft: str) -> str:
    """Return the beginning of a draft on one line."""
    return " ".join(draft[: 2 * DRAFT_EXCERPT_LENGTH].split())[:DRAFT_EXCERPT_LENGTH]


def build_thread_row(
    thread: Thread,
    agent: Agent,
    state: ThreadState | None,
    *,
    member_since: datetime | None,
    shown: ThreadFilter = EVERYTHING,
    is_over_all: bool = False,
    labels: Mapping[int, Label] | None = None,
) -> Row:
    """Build the row of a thread in the list that the filter shows.

    `member_since` is None on the agent's own line. `labels` are those of the threads, by key.
    """
    unread = unread_in_thread(thread, agent, state, member_since)
    is_hidden = state is not None and state.hides(thread.last_text_id)
    belongs = shown.matches(thread, agent.pk, is_unread=unread.is_unread)
    return Row(
        kind="thread",
        inbox=thread.inbox,
        thread=thread,
        is_mine=thread.last_author_id == agent.pk,
        is_unread=unread.is_unread,
        unread_count=unread.count,
        personal_seq=state.seq if state else 0,
        is_muted=state is not None and state.is_muted,
        filter=shown,
        is_over_all=is_over_all,
        labels=tuple(labels_on(thread, labels)) if labels else (),
        is_assigned_to_me=thread.assignee_id == agent.pk,
        draft=make_excerpt(state.draft_body) if state else "",
        is_gone=not belongs or (is_hidden and not shown.shows_hidden),
        mentioned_agent_id=agent.pk if thread.last_message_mentions(agent.pk) else None,
    )


def build_inbox_row(inbox: Inbox, agent: Agent, unread_count: int) -> Row:
    """Build the row of an inbox; `unread_count` is its number of unread threads."""
    return Row(
        kind="inbox",
        inbox=inbox,
        thread=None,
        is_mine=inbox.last_author_id == agent.pk,
        is_unread=unread_count > 0,
        unread_count=unread_count,
        personal_seq=agent.seq,
        mentioned_agent_id=agent.pk if inbox.last_message_mentions(agent.pk) else None,
    )


def build_thread_rows(
    agent: Agent,
    threads: list[Thread],
    shown: ThreadFilter = EVERYTHING,
    states: Mapping[int, ThreadState] | None = None,
    *,
    is_over_all: bool = False,
) -> list[Row]:
    """Build the rows of several threads, in their order. Reads the states if none are given."""
    if not threads:
        return []
    states = states_by_thread(agent, threads) if states is None else states
    starts = membership_starts(agent, {thread.inbox_id for thread in threads})
    labels = labels_by_key(threads)
    return [
        build_thread_row(
            thread,
            agent,
            states.get(thread.pk),
            member_since=starts.get(thread.inbox_id),
            shown=shown,
            is_over_all=is_over_all,
            labels=labels,
        )
        for thread in threads
    ]


def states_by_thread(agent: Agent, threads: Iterable[Thread]) -> dict[int, ThreadState]:
    """Return the agent's states by thread, in one query."""
    states = ThreadState.objects.filter(agent=agent, thread__in=[thread.pk for thread in threads])
    return {state.thread_id: state for state in states}


def labels_by_key(threads: Iterable[Thread]) -> dict[int, Label]:
    """Return the labels of the threads by key, in the order of their names, without deleted ones.

    No query where there are none.
    """
    keys = {key for thread in threads for key in thread.label_ids}
    if not keys:
        return {}
    labels = Label.objects.filter(pk__in=keys, deleted_at=None)
    return {label.pk: label for label in labels.order_by(Lower("name"), "pk")}
