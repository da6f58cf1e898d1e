"""Draw changes as frames: shared fragments once, personal values filled in."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.template.loader import render_to_string

from inboxes.models import Agent, Inbox
from messaging.conversations.activity import ActivityGroup
from messaging.conversations.details import FilesPart
from messaging.conversations.entries import Entry
from messaging.live.frames import (
    EncodedJson,
    Fragment,
    Frame,
    Part,
    encode_json,
    pack_frames,
    split_into_parts,
)
from messaging.live.pages import Target
from messaging.live.reading import BATCH, Changes, NotificationCopy
from messaging.models import Message, ScheduledText
from messaging.notifications.words import popup_content
from threads.cursors import Cursor
from threads.filters import EVERYTHING, ThreadFilter
from threads.labels import labels_on
from threads.lists import view_counts
from threads.models import Label, Thread
from threads.rows import Row, build_inbox_row, build_thread_row
from threads.view_counts import ViewCounts

# A placeholder for the agent's own counter in a row drawn for many. It is unguessable, so that no
# text contains it, and no shorter than any counter.
PERSONAL = f"personal-{secrets.token_hex(8)}"


class Renderer:
    """Draw the changes of one read. Its fragments are cached for as long as it lives."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self._fragments: dict[object, Fragment] = {}
        self._popups: dict[int, EncodedJson] = {}
        self._frames: dict[object, list[Frame]] = {}

    def frames_for(self, target: Target) -> list[Frame]:
        """Return no frames for an agent without access, nor for a page that shows no change."""
        agent = self.changes.agents.get(target.agent_id)
        if agent is None:
            return []
        until = target.until if are_many(self.changes.threads) else None
        key = target.agent_id, target.list, target.only, target.thread, target.with_seqs, until
        if key not in self._frames:
            self._frames[key] = self._draw_frames(agent, target)
        return self._frames[key]

    def _draw_frames(self, agent: Agent, target: Target) -> list[Frame]:
        inbox, upto = self.changes.inbox, self.changes.upto
        rows: list[Fragment] = []
        seqs: dict[str, int] = {}
        if target.list == "top":
            seqs[f"i{inbox.pk}"] = upto
            rows += self._top_rows(agent, target)
        elif target.list == inbox.pk:
            seqs[f"l{inbox.pk}"] = upto
            rows += self._thread_rows(agent, target.until, target.filter)
        if target.thread is not None:
            seqs[f"t{target.thread}"] = upto
            for thread in self.changes.titles:
                if thread.pk == target.thread:
                    rows += self._render_thread(thread, agent)
            shown = [m for m in self.changes.messages if m.thread_id == target.thread]
            rows += [self._render_message(message, agent) for message in shown]
            groups = [g for g in self.changes.groups if g.thread_id == target.thread]
            rows += [self._render_activity(group, agent) for group in groups]
            texts = [*self.changes.scheduled_texts, *self.changes.overtaken_texts]
            planned = [text for text in texts if text.thread_id == target.thread]
            for text in planned:
                rows += self._render_scheduled_text(text)
            rows += [self._render_leaving(text, agent) for text in planned]
            files = [part for part in self.changes.files if part.thread_id == target.thread]
            rows += [self._render_files(part) for part in files]
        parts = [*self._refusal_parts(target), *self._notification_parts(agent)]
        if self.changes.changed_labels:
            parts.append(labels_part(self.changes.changed_labels))
        if target.shows_list_of(inbox.pk):
            parts.append(counts_part(inbox, agent, self.changes.view_counts.get(agent.pk)))
        return pack_frames(parts=parts, rows=rows, seqs=seqs if target.with_seqs else None)

    def _refusal_parts(self, target: Target) -> list[Part]:
        """Tell a page whether its open thread takes texts now, or was asked for no more."""
        if target.thread not in self.changes.refusals:
            return []
        refusal = self.changes.refusals[target.thread]
        wish = self.changes.wishes.get(target.thread, 0)
        told = {"thread": target.thread, "refusal": refusal, "wish": wish}
        if hours := self.changes.hours.get(target.thread):
            told["hours"] = hours
        return [("standing", told)]

    def _notification_parts(self, agent: Agent) -> Iterable[Part]:
        """Tell the unread count and the new notifications, if the agent was notified."""
        if agent.pk not in self.changes.unread:
            return ()
        unread = self.changes.unread[agent.pk]
        new = [
            self._encode_popup(notification_copy)
            for notification_copy in self.changes.notified[agent.pk]
        ]
        return split_into_parts("notices", new, before=f'{{"unread":{unread},"new":[', after="]}")

    def _inbox_row(self, agent: Agent) -> Fragment:
        inbox = self.changes.inbox
        unread = self.changes.unread_threads.get((agent.pk, inbox.pk), 0)
        return self._render_row(build_inbox_row(inbox, agent, unread))

    def _top_rows(self, agent: Agent, target: Target) -> list[Fragment]:
        if target.is_over_all:
            return self._thread_rows(agent, target.until, target.filter, is_over_all=True)
        if self.changes.inbox.is_personal:
            return self._thread_rows(agent, target.until)
        return [self._inbox_row(agent)]

    def _thread_rows(
        self,
        agent: Agent,
        until: Cursor | None,
        shown: ThreadFilter = EVERYTHING,
        *,
        is_over_all: bool = False,
    ) -> list[Fragment]:
        states, member_since = self.changes.states, self.changes.member_since.get(agent.pk)
        return [
            self._render_row(
                build_thread_row(
                    thread,
                    agent,
                    states.get((agent.pk, thread.pk)),
                    member_since=member_since,
                    shown=shown,
                    is_over_all=is_over_all,
                    labels=self.changes.labels,
                )
            )
            for thread in leave_out_unloaded(self.changes.threads, until)
        ]

    def _render_once(self, key: object, template: str, **context: object) -> Fragment:
        if key not in self._fragments:
            self._fragments[key] = Fragment.from_markup(render_to_string(template, context))
        return self._fragments[key]

    def _render_row(self, row: Row) -> Fragment:
        key = row.appearance
        if key not in self._fragments:
            self._fragments[key] = render_row(replace(row, personal_seq=PERSONAL))
        return self._fragments[key].with_value(PERSONAL, str(row.personal_seq))

    def _render_thread(self, thread: Thread, agent: Agent) -> list[Fragment]:
        """Draw the title, the tools beside it, and what Details say of contact and work."""
        is_mine = thread.assignee_id == agent.pk
        about = self.changes.details[thread.pk].for_agent(agent.pk)
        return [
            self._render_once(
                ("title", thread.pk), "messaging/conversation/_title.html", thread=thread
            ),
            self._render_once(
                ("work", thread.pk, is_mine),
                "messaging/conversation/_work.html",
                thread=thread,
                is_mine=is_mine,
            ),
            self._render_once(
                ("facts", thread.pk, is_mine, about.viewer_id),
                "messaging/details/_facts.html",
                thread=thread,
                about=about,
                is_mine=is_mine,
                labels=labels_on(thread, self.changes.labels_of_titles),
            ),
        ]

    def _render_files(self, part: FilesPart) -> Fragment:
        return self._render_once(
            ("files", part.thread_id), "messaging/details/_files.html", part=part
        )

    def _render_message(self, message: Message, agent: Agent) -> Fragment:
        entry = Entry.for_agent(message, agent)
        key = "message", message.pk, entry.is_mine, entry.mentioned_agent_id, entry.carrier_words
        return self._render_once(key, "messaging/conversation/_message.html", entry=entry)

    def _render_activity(self, group: ActivityGroup, agent: Agent) -> Fragment:
        seen = group.for_agent(agent.pk)
        key = "activity", group.key, seen.viewer_id
        return self._render_once(key, "messaging/conversation/_activity.html", group=seen)

    def _encode_popup(self, notification_copy: NotificationCopy) -> EncodedJson:
        """Encode the words once for all agents who are notified of the message."""
        if notification_copy.original.pk not in self._popups:
            words = popup_content(notification_copy.original)
            del words["id"]
            self._popups[notification_copy.original.pk] = encode_json(words)
        return EncodedJson(
            f'{{"id":{notification_copy.pk},{self._popups[notification_copy.original.pk][1:]}'
        )

    def _render_scheduled_text(self, text: ScheduledText) -> list[Fragment]:
        """Draw it above the composer, and in Details."""
        return [
            self._render_once(
                ("later", text.pk), "messaging/scheduled/_scheduled_text.html", text=text
            ),
            self._render_once(
                ("planned", text.pk), "messaging/details/_scheduled_text.html", text=text
            ),
        ]

    def _render_leaving(self, text: ScheduledText, agent: Agent) -> Fragment:
        is_mine = text.author_id == agent.pk
        return self._render_once(
            ("leaving", text.pk, is_mine),
            "messaging/scheduled/_leaving.html",
            text=text,
            is_mine=is_mine,
        )


def labels_part(labels: Iterable[Label]) -> Part:
    """Tell a page what labels are called now, and which were deleted."""
    told = [
        {
            "id": label.pk,
            "name": label.name,
            "colour": label.colour,
            "gone": label.deleted_at is not None,
        }
        for label in labels
    ]
    return "labels", told


def counts_part(inbox: Inbox, agent: Agent, counted: ViewCounts | None) -> Part:
    """Tell a page how many threads of the inbox the views hold that have a count, if they were
    counted, and the inbox's name if its number receives no texts.

    `seq` is "<inbox counter>-<agent counter>": both were read before the counts were.
    """
    counts = {} if counted is None else view_counts(inbox, counted)
    told = {"inbox": inbox.pk, "seq": f"{inbox.seq}-{agent.seq}", **counts}
    return "counts", told | ({"lost": inbox.name} if inbox.not_receiving_since else {})


def no_counts_part(inbox_id: int) -> Part:
    """Tell a page to count nothing of an inbox that its agent lost."""
    return "counts", {"inbox": inbox_id, "seq": "", "reply": 0, "mine": 0, "failed": 0}


def render_row(row: Row) -> Fragment:
    return Fragment.from_markup(render_to_string("messaging/list/_row.html", {"row": row}))


def are_many(threads: Sequence[Thread]) -> bool:
    """Return True if one action changed so many threads that pages get those alone that they
    have loaded."""
    return len(threads) > BATCH


def leave_out_unloaded(threads: Sequence[Thread], until: Cursor | None) -> Sequence[Thread]:
    """Leave out, of many threads, those that a list will load after its last row `until`.

    A page that loads further rows then asks for what it missed of them. A thread without messages
    stays: it may have been among the loaded ones.
    """
    if until is None or not are_many(threads):
        return threads
    last = until.at, until.pk
    return [one for one in threads if one.last_at is None or (one.last_at, one.pk) >= last]
