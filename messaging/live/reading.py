"""What changed since a counter's value: the queries behind a bell. Synchronous, in a thread."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.contrib.sessions.models import Session
from django.db.models import F
from django.utils import timezone

from inboxes.models import Agent, Inbox, Membership
from messaging import notices
from messaging.models import Message, Notification
from threads.models import Thread, ThreadState

BATCH = 500
"""Rows read in one step of a catch-up; the rest follows in further steps."""


@dataclass(slots=True)
class Changes:
    """Rows of one inbox that changed after `since`, complete up to `upto`."""

    inbox: Inbox
    upto: int
    is_more: bool
    threads: list[Thread]
    messages: list[Message]
    agents: dict[int, Agent] = field(default_factory=dict)
    states: dict[tuple[int, int], ThreadState] = field(default_factory=dict)
    read_ids: dict[int, set[int]] = field(default_factory=dict)
    notified: dict[int, list[Notification]] = field(default_factory=dict)
    unread: dict[int, int] = field(default_factory=dict)
    """The count on the bell of each agent who was notified."""


def read_changes(
    inbox_id: int,
    *,
    rows_since: int | None,
    messages_since: int | None,
    open_threads: Collection[int],
    agent_ids: Collection[int],
    notices_since: int | None = None,
) -> Changes:
    """Read one inbox for the agents who look at it; those who may not see it are left out.

    The counter is read first: whatever a later query sees beyond it is sent again, harmlessly.
    None for a `since` leaves that part out. Raises Inbox.DoesNotExist.
    """
    inbox = Inbox.objects.select_related("last_author", "owner").get(pk=inbox_id)
    threads: list[Thread] = []
    if rows_since is not None and rows_since < inbox.seq:
        changed = Thread.objects.filter(inbox=inbox_id, seq__gt=rows_since)
        threads = list(changed.for_rows().order_by("seq")[:BATCH])
    messages: list[Message] = []
    if messages_since is not None and messages_since < inbox.seq and open_threads:
        written = Message.objects.filter(
            inbox=inbox_id, thread__in=open_threads, seq__gt=messages_since
        )
        messages = list(written.for_history().order_by("seq")[:BATCH])
    full = [rows[-1].seq for rows in (threads, messages) if len(rows) == BATCH]
    changes = Changes(
        inbox=inbox,
        upto=min([*full, inbox.seq]),
        is_more=bool(full),
        threads=threads,
        messages=messages,
        agents=_allowed(inbox, agent_ids),
    )
    _read_personal(changes)
    if notices_since is not None and notices_since < inbox.seq:
        _read_notices(changes, notices_since)
    return changes


def _allowed(inbox: Inbox, agent_ids: Collection[int]) -> dict[int, Agent]:
    agents = Agent.objects.filter(pk__in=agent_ids, is_active=True)
    if inbox.is_personal:
        agents = agents.filter(personal_line=inbox)
    else:
        agents = agents.filter(memberships__inbox=inbox)
    return {agent.pk: agent for agent in agents}


def _read_personal(changes: Changes) -> None:
    """The states that decide how a row looks to each agent; one query."""
    threads = [thread.pk for thread in changes.threads]
    last_id = changes.inbox.last_message_id
    states = ThreadState.objects.filter(agent__in=list(changes.agents))
    for state in states.filter(thread__in=threads):
        changes.states[state.agent_id, state.thread_id] = state
    if last_id is not None and not changes.inbox.is_personal:
        readers = states.filter(last_read_id=last_id).values_list("agent", flat=True)
        changes.read_ids = {agent_id: {last_id} for agent_id in readers}


def _read_notices(changes: Changes, since: int) -> None:
    """Who of those who look was notified up to here; two queries, the second if anybody was."""
    new = Notification.objects.filter(
        inbox=changes.inbox.pk,
        seq__gt=since,
        seq__lte=changes.upto,
        agent__in=list(changes.agents),
    )
    for notification in new.with_words().order_by("pk")[:BATCH]:
        changes.notified.setdefault(notification.agent_id, []).append(notification)
    if changes.notified:
        changes.unread = notices.unread_counts(changes.notified)


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


def live_sessions(keys: Iterable[str]) -> set[str]:
    """Which of the sessions still exist."""
    sessions = Session.objects.filter(session_key__in=list(keys), expire_date__gt=timezone.now())
    return set(sessions.values_list("session_key", flat=True))


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


def inbox_counters(inbox_ids: Collection[int]) -> dict[int, int]:
    """The counters now, for the catch-up behind lost bells; one query."""
    return dict(Inbox.objects.filter(pk__in=inbox_ids).values_list("pk", "seq"))


def agent_counters(agent_ids: Collection[int]) -> dict[int, tuple[int, frozenset[int], bool]]:
    """Counter, memberships and activity of agents, for the same catch-up; three queries."""
    memberships: dict[int, set[int]] = {agent_id: set() for agent_id in agent_ids}
    seats = Membership.objects.filter(agent__in=agent_ids).values_list("agent", "inbox")
    owned = Inbox.objects.filter(owner__in=agent_ids).values_list(F("owner"), "pk")
    for agent_id, inbox_id in [*seats, *owned]:
        memberships[agent_id].add(inbox_id)
    agents = Agent.objects.filter(pk__in=agent_ids).values_list("pk", "seq", "is_active")
    return {pk: (seq, frozenset(memberships[pk]), active) for pk, seq, active in agents}
