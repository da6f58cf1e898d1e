"""The queries behind a bell: what changed after a counter. Synchronous; they run in a thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.db.models import F, QuerySet

from inboxes.models import Agent, Inbox, Membership
from inboxes.sign_in import demand
from messaging.contacts.details import ContactDetails, details_of_threads
from messaging.conversations.activity import ActivityGroup, read_groups
from messaging.conversations.closed_notes import read_closed_notes
from messaging.conversations.details import FilesPart, read_files
from messaging.conversations.entries import prefetch_details
from messaging.models import Message, Notification, ScheduledText
from messaging.notifications import lists
from messaging.stream.refusals import composer_key, find_standings
from messaging.stream.wishes import find_wishes
from threads.labels import labels_of
from threads.models import Activity, Label, Thread, ThreadState
from threads.rows import labels_by_key
from threads.unread import count_unread_threads
from threads.view_counts import ViewCounts, count_views

# Rows read in one step of a catch-up; the rest follows in further steps. A step ends with its
# counters, and is small enough to cross a slow line while the page waits, even with the longest
# rows.
BATCH = 100

Row = TypeVar("Row", Thread, Message, ScheduledText, ThreadState, Activity)

# Notifications of one read that are sent to one agent; the unread count covers the rest.
MAX_POPUPS = 30


@dataclass(frozen=True, slots=True)
class NotificationCopy:
    """Hold one agent's notification by its key, and one with the same words read in full."""

    pk: int
    original: Notification


@dataclass(slots=True)
class Changes:
    """Hold the rows of one inbox that changed after a counter, complete up to `upto`."""

    inbox: Inbox
    upto: int
    is_more: bool = False
    threads: list[Thread] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    scheduled_texts: list[ScheduledText] = field(default_factory=list)
    # New lines of activity in open threads, and the groups that they belong to.
    activities: list[Activity] = field(default_factory=list)
    groups: list[ActivityGroup] = field(default_factory=list)
    # Others that will be held, because somebody wrote in their threads.
    overtaken_texts: list[ScheduledText] = field(default_factory=list)
    # Open threads whose title or row changed.
    titles: list[Thread] = field(default_factory=list)
    # The labels of the inbox, if one of those threads has any, by key.
    labels_of_titles: dict[int, Label] = field(default_factory=dict)
    # What Details tell of the contacts of those threads, by thread.
    details: dict[int, ContactDetails] = field(default_factory=dict)
    # The newest files of open threads where a message with files changed.
    files: list[FilesPart] = field(default_factory=list)
    agents: dict[int, Agent] = field(default_factory=dict)
    # Why open threads take no text, and whether an answer leaves a group, by thread.
    refusals: dict[int, str] = field(default_factory=dict)
    # Whether the inbox is closed, and what the contacts of open threads were told, by thread.
    hours: dict[int, str] = field(default_factory=dict)
    # Texts in open threads that may ask for no more texts, by thread.
    wishes: dict[int, int] = field(default_factory=dict)
    # Since when each agent is a member.
    member_since: dict[int, datetime] = field(default_factory=dict)
    states: dict[tuple[int, int], ThreadState] = field(default_factory=dict)
    # Labels of the inbox that were changed or deleted.
    changed_labels: list[Label] = field(default_factory=list)
    # The labels of the threads that changed, by key.
    labels: dict[int, Label] = field(default_factory=dict)
    # What stands beside the views of each agent who sees a list of it, if a thread changed.
    view_counts: dict[int, ViewCounts] = field(default_factory=dict)
    # Unread threads of the inbox, for each agent who sees it as a row.
    unread_threads: dict[tuple[int, int], int] = field(default_factory=dict)
    # The newest notifications of each agent, at most MAX_POPUPS.
    notified: dict[int, deque[NotificationCopy]] = field(default_factory=dict)
    # The unread count of each agent who was notified.
    unread: dict[int, int] = field(default_factory=dict)


def read_changes(
    inbox_id: int,
    *,
    rows_since: int | None,
    messages_since: int | None,
    open_threads: Collection[int],
    agent_ids: Collection[int],
    counting_ids: Collection[int] = (),
    listing_ids: Collection[int] = (),
    notifications_since: int | None = None,
) -> Changes:
    """Read one inbox for the agents whose pages show it; leave out those who may not see it.

    `counting_ids` are the agents whose list shows a count of unread threads, `listing_ids` those
    who see a list of the inbox. None for a `since` leaves that part out. The counter is read
    first: what a later query sees beyond it is sent again, which does no harm. Raises
    Inbox.DoesNotExist.
    """
    inbox = Inbox.objects.select_related("last_author", "owner").get(pk=inbox_id)
    changes = Changes(inbox=inbox, upto=inbox.seq)
    if rows_since is not None and rows_since < inbox.seq:
        changed = Thread.objects.filter(inbox=inbox_id, seq__gt=rows_since)
        changes.threads = read_step(changed.for_rows())
    if messages_since is not None and messages_since < inbox.seq and open_threads:
        _read_open_threads(changes, messages_since, open_threads)
    read = (changes.threads, changes.messages, changes.scheduled_texts, changes.activities)
    full = [rows[-1].seq for rows in read if len(rows) >= BATCH]
    changes.upto = min([*full, inbox.seq])
    changes.is_more = bool(full)
    since = min(one for one in (rows_since, messages_since, inbox.seq) if one is not None)
    if since < inbox.seq:
        changed_labels = Label.objects.filter(inbox=inbox_id, seq__gt=since)
        changes.changed_labels = list(changed_labels.order_by("seq"))
    _read_agents_with_access(changes, agent_ids)
    _read_personal(changes, counting_ids)
    if changes.threads or rows_since is None:
        _read_view_counts(changes, listing_ids)
    if notifications_since is not None and notifications_since < inbox.seq:
        _read_notifications(changes, notifications_since)
    return changes


def read_step(changed: QuerySet[Row]) -> list[Row]:
    """Return the rows of one step by their counters: BATCH of them, unless there are fewer.

    A change of many threads at once stamps them all with one counter. A step that ended among
    them would skip the others, so it ends behind them.
    """
    rows = list(changed.order_by("seq")[:BATCH])
    if len(rows) == BATCH:
        alike = changed.filter(seq=rows[-1].seq).exclude(pk__in=[row.pk for row in rows])
        rows += alike
    return rows


def _read_open_threads(changes: Changes, since: int, open_threads: Collection[int]) -> None:
    """Read what is new in open threads; eight queries, and a few for what only some have."""
    opened = Thread.objects.filter(pk__in=open_threads, inbox=changes.inbox.pk)
    changes.titles = list(opened.filter(seq__gt=since).for_rows())
    if any(thread.label_ids for thread in changes.titles):
        changes.labels_of_titles = labels_of([changes.inbox.pk])
    threads = list(opened.select_related("contact"))
    standings = find_standings(threads)
    changes.refusals = {one.pk: composer_key(one, standings[one.pk].refusal) for one in threads}
    notes = read_closed_notes(changes.inbox, threads)
    changes.hours = {key: note.key for key, note in notes.items()}
    changes.wishes = find_wishes([key for key, one in standings.items() if not one.refusal])
    opt_outs = {key: one.opt_out for key, one in standings.items() if one.opt_out}
    changes.details = details_of_threads(changes.titles, opt_outs)
    written = Message.objects.filter(
        inbox=changes.inbox.pk, thread__in=open_threads, seq__gt=since
    )
    changes.messages = prefetch_details(read_step(written.for_history()))
    with_files = {one.thread_id for one in changes.messages if one.has_attachments}
    changes.files = [read_files(thread_id, changes.inbox.seq) for thread_id in with_files]
    planned = ScheduledText.objects.filter(
        inbox=changes.inbox.pk, thread__in=open_threads, seq__gt=since
    )
    changes.scheduled_texts = read_step(planned.for_strip())
    changes.overtaken_texts = _read_overtaken_texts(changes)
    done = Activity.objects.filter(inbox=changes.inbox.pk, thread__in=open_threads, seq__gt=since)
    changes.activities = read_step(done.only("thread", "after_id", "seq"))
    places = {(line.thread_id, line.after_id) for line in changes.activities}
    changes.groups = read_groups(places) if places else []


def _read_overtaken_texts(changes: Changes) -> list[ScheduledText]:
    """Read the scheduled texts of threads where somebody wrote; one query at most."""
    threads = {message.thread_id for message in changes.messages if not message.is_internal}
    if not threads:
        return []
    known = [text.pk for text in changes.scheduled_texts]
    waiting = ScheduledText.objects.pending().filter(thread__in=threads).exclude(pk__in=known)
    return [text for text in waiting.for_strip() if text.overtaking]


def _read_agents_with_access(changes: Changes, agent_ids: Collection[int]) -> None:
    """Read which of the agents may see the inbox, and since when; one query."""
    if changes.inbox.is_personal:
        owner = Agent.objects.filter(pk__in=agent_ids, is_active=True, personal_line=changes.inbox)
        changes.agents = {agent.pk: agent for agent in owner}
        return
    memberships = Membership.objects.filter(
        inbox=changes.inbox.pk, agent__in=agent_ids, agent__is_active=True
    )
    # Only what rows are drawn with: whole agents would take a tenth of a read for 200 pages.
    columns = ("agent", "created_at", "agent__seq", "agent__is_staff")
    for agent_id, since, seq, is_staff in memberships.values_list(*columns):
        changes.agents[agent_id] = Agent(pk=agent_id, seq=seq, is_staff=is_staff)
        changes.member_since[agent_id] = since


def _read_personal(changes: Changes, counting_ids: Collection[int]) -> None:
    """Read the states and labels that decide how a row looks to each agent; three queries at
    most."""
    changes.labels = labels_by_key(changes.threads)
    if changes.threads:
        states = ThreadState.objects.filter(
            agent__in=list(changes.agents), thread__in=[thread.pk for thread in changes.threads]
        )
        changes.states = {(state.agent_id, state.thread_id): state for state in states}
    counting = [agent_id for agent_id in counting_ids if agent_id in changes.agents]
    changes.unread_threads = count_unread_threads(counting, [changes.inbox])


def _read_view_counts(changes: Changes, listing_ids: Collection[int]) -> None:
    """Read the counts beside the views, for all agents at once; one query."""
    agent_ids = [agent_id for agent_id in listing_ids if agent_id in changes.agents]
    counted = count_views(agent_ids, [changes.inbox])
    changes.view_counts = {agent_id: counts for (agent_id, _), counts in counted.items()}


def _read_notifications(changes: Changes, since: int) -> None:
    """Read which of the agents were notified up to `upto`; three queries, two if none was.

    Those whose notification was withdrawn get their unread count alone.
    """
    new = Notification.objects.filter(
        inbox=changes.inbox.pk,
        seq__gt=since,
        seq__lte=changes.upto,
        agent__in=list(changes.agents),
    )
    columns = ("message", "activity", "reason")
    rows = list(new.values_list("pk", "agent", "read_at", *columns).order_by("pk"))
    if not rows:
        return
    # Two hundred may be notified of one text in the same words, so the words are read once.
    firsts = {tuple(words): pk for pk, _, _, *words in reversed(rows)}
    worded = {
        (one.message_id, one.activity_id, one.reason): one
        for one in Notification.objects.filter(pk__in=firsts.values()).with_words()
    }
    for pk, agent_id, read_at, *words in rows:
        copies = changes.notified.setdefault(agent_id, deque(maxlen=MAX_POPUPS))
        original = worded.get(tuple(words))
        if original is not None and read_at is None:
            copies.append(NotificationCopy(pk, original))
    changes.unread = lists.unread_counts(changes.notified)


@dataclass(frozen=True, slots=True)
class AgentInboxes:
    """Hold an active agent and the inboxes that they may see, by key."""

    agent: Agent
    inboxes: dict[int, Inbox]


def read_agent_inboxes(agent_id: int) -> AgentInboxes | None:
    """Return None for an agent who is gone or was deactivated."""
    agent = demand.with_demand(Agent.objects.filter(pk=agent_id, is_active=True)).first()
    if agent is None:
        return None
    visible = Inbox.objects.visible_to(agent).select_related("last_author")
    return AgentInboxes(agent=agent, inboxes={inbox.pk: inbox for inbox in visible})


def read_states(agent: Agent, since: int) -> tuple[list[Thread], dict[int, ThreadState], int]:
    """Read the threads whose personal state changed after the agent's counter was at `since`.

    Returns the threads, the states by thread, and the counter that was reached.
    """
    states = read_step(
        ThreadState.objects.filter(agent=agent, seq__gt=since).select_related("thread")
    )
    threads = Thread.objects.visible_to(agent).for_rows()
    rows = list(threads.filter(pk__in=[state.thread_id for state in states]))
    upto = states[-1].seq if len(states) >= BATCH else max(agent.seq, since)
    return rows, {state.thread_id: state for state in states}, upto


def read_new_memberships(agent: Agent, since: int) -> set[int]:
    """Return the inboxes that the agent became a member of after their counter was at `since`."""
    memberships = Membership.objects.filter(agent=agent, seq__gt=since)
    return set(memberships.values_list("inbox", flat=True))


def read_inbox_counters(inbox_ids: Collection[int]) -> dict[int, int]:
    """Return the current counters, for the comparison that finds lost bells; one query."""
    return dict(Inbox.objects.filter(pk__in=inbox_ids).values_list("pk", "seq"))


@dataclass(frozen=True, slots=True)
class Access:
    """Hold what decides whether an agent's pages stay open."""

    seq: int
    session_hash: str
    needs_second_step: bool
    inboxes: frozenset[int]

    @classmethod
    def of(cls, agent: Agent, inboxes: Collection[int] = ()) -> Access:
        """Return the access of an agent that `with_demand` has read."""
        return cls(
            seq=agent.seq,
            session_hash=agent.get_session_auth_hash(),
            needs_second_step=demand.is_demanded_of(agent),
            inboxes=frozenset(inboxes),
        )


def read_access(agent_ids: Collection[int]) -> dict[int, Access]:
    """Read the access of many agents, without those who are gone or deactivated; three queries."""
    inboxes: dict[int, set[int]] = {agent_id: set() for agent_id in agent_ids}
    memberships = Membership.objects.filter(agent__in=agent_ids).values_list("agent", "inbox")
    owned = Inbox.objects.filter(owner__in=agent_ids).values_list(F("owner"), "pk")
    for agent_id, inbox_id in [*memberships, *owned]:
        inboxes[agent_id].add(inbox_id)
    agents = Agent.objects.filter(pk__in=agent_ids, is_active=True)
    fields = ("password", "seq", "is_staff")
    return {
        agent.pk: Access.of(agent, inboxes[agent.pk])
        for agent in demand.with_demand(agents).only(*fields)
    }
