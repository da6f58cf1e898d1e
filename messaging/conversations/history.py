"""A conversation as one agent sees it: a page of history and the state of the composer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.db.models import Exists
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inboxes.models import Agent, Inbox
from messaging.attachments.fetching import MAX_FILE_SIZE
from messaging.conversations.activity import ActivityGroup, read_groups_between
from messaging.conversations.closed_notes import ClosedNote, read_closed_notes
from messaging.conversations.entries import Entry, prefetch_details
from messaging.conversations.questions import Question
from messaging.models import Attachment, Message, OptOut, ScheduledText
from messaging.stream.refusals import composer_key, find_standing
from messaging.stream.segments import Segments, count_segments
from messaging.stream.wishes import find_wishes
from threads.direction import isolate_direction
from threads.filters import EVERYTHING, ThreadFilter
from threads.models import Thread, ThreadState
from threads.unread import membership_starts

PAGE_SIZE = 40


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Hold entries from the oldest to the newest, and the address of older ones.

    `groups` are what the team did between them; each belongs to the page of its message.
    """

    entries: list[Entry]
    older_url: str | None
    is_apart: bool = False  # True if newer messages follow that the page does not hold
    groups: Sequence[ActivityGroup] = ()

    @property
    def newest(self) -> Message | None:
        """Return the message that came to us last; it may be shown above others."""
        shown = (entry.message for entry in self.entries)
        return max(shown, key=lambda message: message.pk, default=None)

    @property
    def items(self) -> list[Entry | ActivityGroup]:
        """Return entries and groups in the order of the history."""
        return sorted([*self.entries, *self.groups], key=lambda item: item.history_order)

    def with_question(self, message_id: int, question: Question) -> HistoryPage:
        """Ask in that message."""
        entries = [
            replace(entry, question=question) if entry.message.pk == message_id else entry
            for entry in self.entries
        ]
        return replace(self, entries=entries)

    def with_new_line(self, message_id: int | None) -> HistoryPage:
        """Place the line "New" before that message: here, or on the older page that holds it."""
        if message_id is None:
            return self
        older_url = self.older_url
        if older_url and all(
            message_id < entry.message.history_order[0] for entry in self.entries
        ):
            older_url += f"&new={message_id}"
        entries = [
            replace(entry, is_first_new=entry.message.pk == message_id) for entry in self.entries
        ]
        return replace(self, entries=entries, older_url=older_url)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Hold what `messaging/conversation/_conversation.html` draws.

    `body` and `is_draft_internal` are the agent's draft, or a text that was refused for the
    reason in `error`.
    """

    thread: Thread
    page: HistoryPage
    refusal: str
    limit: int  # Characters in a text to the contact
    form_key: uuid.UUID
    seqs: str
    draft_seq: int = 0
    error: str = ""
    body: str = ""
    is_draft_internal: bool = False
    files: Sequence[Attachment] = ()  # Files that the agent has put into the composer
    # Scheduled texts to the contact and those that are leaving, the next one first.
    unsent_texts: Sequence[ScheduledText] = ()
    newer_entries: Sequence[Entry] = ()  # Messages of others that held a text up
    marks_done: bool = False  # Whether that text was to mark the conversation as done
    question: Question | None = None  # What is asked before a text leaves, without scripts
    # The newest message when the agent deleted the thread; 0 if it is not hidden.
    hidden_id: int = 0
    opt_out: OptOut | None = None  # What keeps texts back now
    is_blocked: bool = False
    refusal_to_me: str = ""  # The refusal as the agent reads it
    hours: ClosedNote | None = None  # Whether the inbox is closed, if it has hours
    wish_id: int = 0  # The last text, if it may ask for no more texts
    list_filter: ThreadFilter = EVERYTHING  # What the list beside it is narrowed to
    is_over_all: bool = False  # True if that list is over all inboxes

    @property
    def is_opted_out(self) -> bool:
        return self.opt_out is not None

    @property
    def scheduled_texts(self) -> list[ScheduledText]:
        """Return those that stand above the composer."""
        return [text for text in self.unsent_texts if text.is_pending]

    @property
    def leaving_texts(self) -> list[ScheduledText]:
        """Return those that stand at the end of the history until they leave, in their order."""
        leaving = (text for text in self.unsent_texts if text.is_leaving)
        return sorted(leaving, key=lambda text: text.pk)

    @property
    def list_query(self) -> str:
        """Return the query string of the list beside it."""
        return f"?{self.list_filter.query}" if self.list_filter else ""

    @property
    def newest_id(self) -> int:
        """Return the newest message that the agent can know of; the page may show older ones."""
        shown = self.page.newest
        return max(shown.pk if shown else 0, self.thread.last_message_id or 0)

    @property
    def has_team(self) -> bool:
        """Return True if there are others to write an internal message to."""
        return not self.inbox.is_personal

    @property
    def is_internal(self) -> bool:
        """Return the composer's mode, which is always internal if no text can be sent."""
        return self.has_team and (self.is_draft_internal or bool(self.refusal))

    @property
    def refusal_key(self) -> str:
        """Return what live pages are told when it changes, without the times in it."""
        return composer_key(self.thread, str(self.refusal))

    @property
    def group_note(self) -> str:
        """Return to whom an answer goes, if the contact's last text went to a group."""
        if not self.thread.is_to_group or self.refusal:
            return ""
        theirs = self.thread.contact.display
        return f"This was a group text. Your reply goes to {theirs} only."

    @property
    def refusal_words(self) -> SafeString:
        """Return the refusal, and what can still be done."""
        rest = " You can still write to your team." if self.can_write else ""
        return format_html("{}{}", self.refusal_to_me, rest)

    @property
    def describing_ids(self) -> str:
        """Return the ids of what describes the text box to a screen reader."""
        ids = "message-error message-scope message-segments message-unicode"
        notes = [("closed-note", self.is_told_closed), ("group-note", self.group_note)]
        return " ".join([*(key for key, is_shown in notes if is_shown), ids])

    @property
    def is_told_closed(self) -> bool:
        """Return True if the composer says that the inbox is closed."""
        return self.hours is not None and self.hours.is_closed and not self.refusal

    @property
    def can_write(self) -> bool:
        """Return True if the contact or the team can be written to."""
        return not self.refusal or (self.has_team and not self.is_blocked)

    @property
    def standing_classes(self) -> str:
        """Return the CSS classes of the composer by which the menus know what holds."""
        is_out = self.is_opted_out and not self.is_blocked
        return f"{' is-blocked' * self.is_blocked}{' is-opted-out' * is_out}"

    @property
    def can_switch(self) -> bool:
        """Return True if the composer has both modes."""
        return self.has_team and not self.refusal

    @property
    def to_customer(self) -> str:
        """Return the placeholder of a text to the contact."""
        return f"Text {self.thread.contact.display}"

    @property
    def placeholder(self) -> str:
        return "Write to your team…" if self.is_internal else self.to_customer

    @property
    def segments(self) -> Segments:
        """Return the segments of the draft; an internal message has none."""
        return count_segments("" if self.is_internal else self.body)

    @property
    def priorities(self) -> list[tuple[str, str, bool]]:
        """Return the priorities to choose from: the value, the word, and whether it is set."""
        chosen = self.thread.priority
        return [(value, str(word), value == chosen) for value, word in Thread.Priority.choices]

    @property
    def back_label(self) -> str:
        is_top = self.is_over_all or self.inbox.is_personal
        return f"Back to {'messages' if is_top else isolate_direction(self.inbox.name)}"

    @property
    def log_id(self) -> str:
        """Return the id that live messages look for; another one if newer messages are missing."""
        return f"log-{self.thread.pk}{'-earlier' if self.page.is_apart else ''}"

    @property
    def inbox(self) -> Inbox:
        return self.thread.inbox

    @property
    def entries(self) -> list[Entry]:
        return self.page.entries

    @property
    def team_limit(self) -> int:
        return settings.MESSAGE_LIMIT

    @property
    def largest_file(self) -> int:
        """Return the limit in bytes."""
        return MAX_FILE_SIZE


def history_page(thread: Thread, agent: Agent, before: int | None = None) -> HistoryPage:
    """Return the newest page, or the one before a message; two bounded steps down one index."""
    messages = Message.objects.filter(thread=thread).on_time().for_history().order_by("-pk")
    if before is not None:
        messages = messages.filter(pk__lt=before)
    found = list(messages[: PAGE_SIZE + 1])
    has_older = len(found) > PAGE_SIZE
    return assemble_page(
        thread, agent, found[:PAGE_SIZE][::-1], has_older=has_older, before=before
    )


def assemble_page(
    thread: Thread,
    agent: Agent,
    shown: list[Message],
    *,
    has_older: bool,
    before: int | None = None,
    is_apart: bool = False,
) -> HistoryPage:
    """Return a page of messages that came on time, with the late texts that belong among them.

    `shown` is sorted oldest first, up to `before`.
    """
    first = shown[0].pk if has_older else 0
    late = Message.objects.filter(thread=thread, after_id__gte=first).for_history()
    if before is not None:
        late = late.filter(after_id__lt=before)
    together = sorted([*shown, *late], key=lambda message: message.history_order)
    done = read_groups_between(thread, first, before)
    older_url = None
    if has_older:
        older_url = reverse("messaging:conversation", args=[thread.pk]) + f"?before={first}"
    return HistoryPage(
        entries=[Entry.for_agent(message, agent) for message in prefetch_details(together)],
        older_url=older_url,
        is_apart=is_apart,
        groups=[group.for_agent(agent.pk) for group in done],
    )


def open_conversation(
    thread: Thread,
    agent: Agent,
    *,
    page: HistoryPage | None = None,
    list_filter: ThreadFilter = EVERYTHING,
    is_over_all: bool = False,
) -> Conversation:
    """Read what the page shows.

    `thread` must have been read before, with its inbox: the inbox's counter covers what is read
    here.
    """
    drafted = Attachment.objects.drafted(thread, agent)
    states = ThreadState.objects.filter(agent=agent, thread=thread)
    state = states.annotate(has_files=Exists(drafted)).first()
    shown = page or history_page(thread, agent)
    standing = find_standing(thread)
    number = None if standing.refusal else standing.number
    return Conversation(
        thread=thread,
        page=shown.with_new_line(_first_unread_id(thread, agent, state, shown)),
        list_filter=list_filter,
        is_over_all=is_over_all,
        hidden_id=state.hidden_upto(thread.last_message_id, thread.last_text_id) if state else 0,
        refusal=standing.refusal,
        opt_out=standing.opt_out,
        is_blocked=standing.block is not None,
        refusal_to_me=standing.refusal_for(agent.pk),
        hours=read_closed_notes(thread.inbox, [thread]).get(thread.pk),
        wish_id=0 if standing.refusal else find_wishes([thread.pk]).get(thread.pk, 0),
        limit=number.longest_text if number else settings.MESSAGE_LIMIT,
        unsent_texts=list(ScheduledText.objects.unsent(thread)),
        form_key=uuid.uuid4(),
        seqs=json.dumps({f"t{thread.pk}": thread.inbox.seq}),
        draft_seq=state.seq if state else 0,
        body=state.draft_body if state else "",
        is_draft_internal=state.draft_is_internal if state else False,
        files=list(drafted) if state is None or state.has_files else (),
    )


def _first_unread_id(
    thread: Thread, agent: Agent, state: ThreadState | None, shown: HistoryPage
) -> int | None:
    """Return the first message of others that the agent has not read since they became a member.

    A late text that belongs among what was read does not count: it is marked as late.
    """
    last_read_id = state.last_read_id if state else 0
    if (thread.last_message_id or 0) <= last_read_id:
        return None
    unread = Message.objects.filter(thread=thread, pk__gt=last_read_id).on_time()
    unread = unread.exclude(author=agent)
    member_since = membership_starts(agent, [thread.inbox_id]).get(thread.inbox_id)
    if member_since is not None:
        unread = unread.filter(created_at__gte=member_since)
    on_time = unread.order_by("pk").values_list("pk", flat=True).first()
    for message in (entry.message for entry in shown.entries if entry.message.is_late):
        is_new = message.pk > last_read_id and (
            member_since is None or message.created_at >= member_since
        )
        if is_new and last_read_id <= message.history_order[0] < (on_time or message.pk):
            return message.pk
    return on_time
