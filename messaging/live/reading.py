"""What changed since a counter's value: the queries behind a bell. Synchronous, in a thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F

from inboxes.models import Agent, Inbox, Membership
from messaging.conversations.history import with_attachments
from messaging.models import Message, Notification, ScheduledText
from messaging.notifications import lists
from messaging.stream.refusals import find_refusals
from threads.models import Thread, ThreadState
from threads.unread import count_unread_threads

BATCH = 100
"""Rows read in one step of a catch-up; the rest follows in further steps. Each step ends with its
counters: even the longest rows of one cross a slow line while a page waits for them."""

POPUPS = 30
"""Notifications of one read that are told to one agent one by one; the bell counts the rest."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notification by its key, and one in the same words."""

    pk: int
    like: Notification


@dataclass(slots=True)
class Changes:
    """Rows of one inbox that changed after `since`, complete up to `upto`."""

    inbox: Inbox
    upto: int
    is_more: bool = False
    threads: list[Thread] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    later: list[ScheduledText] = field(default_factory=list)
    titles: list[Thread] = field(default_factory=list)
    """Open threads of which something changed that stands in their title, or in their row."""
    agents: dict[int, Agent] = field(default_factory=dict)
    refusals: dict[int, str] = field(default_factory=dict)
    """Why threads that somebody looks at take no text; empty where they do."""
    seats: dict[int, datetime] = field(default_factory=dict)
    """Since when each agent is a member."""
    states: dict[tuple[int, int], ThreadState] = field(default_factory=dict)
    unread_threads: dict[tuple[int, int], int] = field(default_factory=dict)
    """How many threads of the inbox each of those has not read who see it as a row."""
    notified: dict[int, deque[Told]] = field(default_factory=dict)
    """The newest of each agent who looks, at most POPUPS."""
    unread: dict[int, int] = field(default_factory=dict)
    """The count on the bell of each agent who was notified."""


def read_changes(
    inbox_id: int,
    *,
    rows_since: int | None,
    messages_since: int | None,
    open_threads: Collection[int],
    agent_ids: Collection[int],
    counting_ids: Collection[int] = (),
    notices_since: int | None = None,
) -> Changes:
    """Read one inbox for the agents who look at it; those who may not see it are left out.

    `counting_ids` are those of them whose list counts its unread threads.
    The counter is read first: whatever a later query sees beyond it is sent again, harmlessly.
    None for a `since` leaves that part out. Raises Inbox.DoesNotExist.
    """
    inbox = Inbox.objects.select_related("last_author", "owner").get(pk=inbox_id)
    changes = Changes(inbox=inbox, upto=inbox.seq)
    if rows_since is not None and rows_since < inbox.seq:
        changed = Thread.objects.filter(inbox=inbox_id, seq__gt=rows_since)
        changes.threads = list(changed.for_rows().order_by("seq")[:BATCH])
    if messages_since is not None and messages_since < inbox.seq and open_threads:
        _read_opened(changes, messages_since, open_threads)
    read = (changes.threads, changes.messages, changes.later)
    full = [rows[-1].seq for rows in read if len(rows) == BATCH]
    changes.upto = min([*full, inbox.seq])
    changes.is_more = bool(full)
    _read_allowed(changes, agent_ids)
    _read_personal(changes, counting_ids)
    if notices_since is not None and notices_since < inbox.seq:
        _read_notices(changes, notices_since)
    return changes


def _read_opened(changes: Changes, since: int, open_threads: Collection[int]) -> None:
    """What is new in the threads that somebody looks at; four queries, and one for files."""
    opened = Thread.objects.filter(pk__in=open_threads, inbox=changes.inbox.pk)
    changes.titles = list(opened.filter(seq__gt=since).for_rows())
    changes.refusals = find_refusals(opened.select_related("contact"))
    written = Message.objects.filter(
        inbox=changes.inbox.pk, thread__in=open_threads, seq__gt=since
    )
    changes.messages = with_attachments(written.for_history().order_by("seq")[:BATCH])
    planned = ScheduledText.objects.filter(
        inbox=changes.inbox.pk, thread__in=open_threads, seq__gt=since
    )
    changes.later = list(planned.select_related("author").order_by("seq")[:BATCH])


def _read_allowed(changes: Changes, agent_ids: Collection[int]) -> None:
    """Who of them may see the inbox, and since when; one query."""
    if changes.inbox.is_personal:
        owner = Agent.objects.filter(pk__in=agent_ids, is_active=True, personal_line=changes.inbox)
        changes.agents = {agent.pk: agent for agent in owner}
        return
    seats = Membership.objects.filter(
        inbox=changes.inbox.pk, agent__in=agent_ids, agent__is_active=True
    )
    # Only what rows are drawn with: whole agents of two hundred pages take a tenth of a read.
    for agent_id, since, seq in seats.values_list("agent", "created_at", "agent__seq"):
        changes.agents[agent_id] = Agent(pk=agent_id, seq=seq)
        changes.seats[agent_id] = since


def _read_personal(changes: Changes, counting_ids: Collection[int]) -> None:
    """The states that decide how a row looks to each agent; two queries at most."""
    if changes.threads:
        states = ThreadState.objects.filter(
            agent__in=list(changes.agents), thread__in=[thread.pk for thread in changes.threads]
        )
        changes.states = {(state.agent_id, state.thread_id): state for state in states}
    counting = [agent_id for agent_id in counting_ids if agent_id in changes.agents]
    changes.unread_threads = count_unread_threads(counting, [changes.inbox])


def _read_notices(changes: Changes, since: int) -> None:
    """Who of those who look was notified up to here; three queries, two of them if anybody was."""
    new = Notification.objects.filter(
        inbox=changes.inbox.pk,
        seq__gt=since,
        seq__lte=changes.upto,
        agent__in=list(changes.agents),
    )
    told = list(new.values_list("pk", "agent", "message", "reason").order_by("pk"))
    if not told:
        return
    # Two hundred are told of one text in the same words, so one of them is read with its words.
    firsts = {(message, reason): pk for pk, _, message, reason in reversed(told)}
    worded = {
        (one.message_id, one.reason): one
        for one in Notification.objects.filter(pk__in=firsts.values()).with_words()
    }
    for pk, agent_id, message, reason in told:
        if (like := worded.get((message, reason))) is not None:
            changes.notified.setdefault(agent_id, deque(maxlen=POPUPS)).append(Told(pk, like))
    if changes.notified:
        changes.unread = lists.unread_counts(changes.notified)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an agent stands now: may they go on, and with which inboxes (id → counter)."""

    agent: Agent
    inboxes: dict[int, Inbox]


def read_standing(agent_id: int) -> Standing | None:
    """None for an agent who is gone or was deactivated."""
    agent = Agent.objects.filter(pk=agent_id, is_active=True).first()
    if agent is None:
        return None
    visible = Inbox.objects.visible_to(agent).select_related("last_author")
    return Standing(agent=agent, inboxes={inbox.pk: inbox for inbox in visible})


def read_states(agent: Agent, since: int) -> tuple[list[Thread], dict[int, ThreadState], int]:
    """Threads whose personal state changed after the agent's counter stood at `since`."""
    states = list(
        ThreadState.objects.filter(agent=agent, seq__gt=since)
        .select_related("thread")
        .order_by("seq")[:BATCH]
    )
    threads = Thread.objects.visible_to(agent).for_rows()
    rows = list(threads.filter(pk__in=[state.thread_id for state in states]))
    upto = states[-1].seq if len(states) == BATCH else max(agent.seq, since)
    return rows, {state.thread_id: state for state in states}, upto


def read_new_seats(agent: Agent, since: int) -> set[int]:
    """Inboxes that the agent became a member of after their counter stood at `since`."""
    seats = Membership.objects.filter(agent=agent, seq__gt=since)
    return set(seats.values_list("inbox", flat=True))


def inbox_counters(inbox_ids: Collection[int]) -> dict[int, int]:
    """The counters now, for the catch-up behind lost bells; one query."""
    return dict(Inbox.objects.filter(pk__in=inbox_ids).values_list("pk", "seq"))


@dataclass(frozen=True, slots=True)
class Access:
    """What lets an agent look at this moment: their sessions' hash and their inboxes."""

    seq: int
    session_hash: str
    inboxes: frozenset[int]


def read_access(agent_ids: Collection[int]) -> dict[int, Access]:
    """The access of many agents, without those who are gone or deactivated; three queries."""
    inboxes: dict[int, set[int]] = {agent_id: set() for agent_id in agent_ids}
    seats = Membership.objects.filter(agent__in=agent_ids).values_list("agent", "inbox")
    owned = Inbox.objects.filter(owner__in=agent_ids).values_list(F("owner"), "pk")
    for agent_id, inbox_id in [*seats, *owned]:
        inboxes[agent_id].add(inbox_id)
    agents = Agent.objects.filter(pk__in=agent_ids, is_active=True).only("password", "seq")
    return {
        agent.pk: Access(agent.seq, agent.get_session_auth_hash(), frozenset(inboxes[agent.pk]))
        for agent in agents
    }
