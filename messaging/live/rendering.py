"""Changes become frames: what all see alike is drawn once, what is personal is filled in."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace

from django.template.loader import render_to_string

from inboxes.models import Agent
from messaging.conversations.history import Entry
from messaging.live.frames import Encoded, Fragment, Frame, Part, encoded, pack, spread
from messaging.live.pages import Target
from messaging.live.reading import Changes, Told
from messaging.models import Message, ScheduledText
from messaging.notifications.lists import popup
from threads.models import Thread
from threads.rows import Row, build_inbox_row, build_thread_row

PERSONAL = f"personal-{secrets.token_hex(8)}"
"""Stands for the agent's own counter in a row drawn for many; unguessable, so no text holds it,
and no shorter than any counter."""


class Renderer:
    """Draws one burst of changes. Lives as long as the burst, and so do its fragments."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self._fragments: dict[object, Fragment] = {}
        self._popups: dict[int, Encoded] = {}
        self._frames: dict[object, list[Frame]] = {}

    def frames_for(self, target: Target) -> list[Frame]:
        """None for an agent who may not see the inbox, nor for a page that shows nothing of it
        while there is nothing to notify of."""
        agent = self.changes.agents.get(target.agent_id)
        if agent is None:
            return []
        key = target.agent_id, target.list, target.only, target.thread, target.with_seqs
        if key not in self._frames:
            self._frames[key] = self._draw(agent, target)
        return self._frames[key]

    def _draw(self, agent: Agent, target: Target) -> list[Frame]:
        inbox, upto = self.changes.inbox, self.changes.upto
        rows: list[Fragment] = []
        seqs: dict[str, int] = {}
        if target.list == "top":
            seqs[f"i{inbox.pk}"] = upto
            rows += self._threads(agent) if inbox.is_personal else [self._inbox(agent)]
        elif target.list == inbox.pk:
            seqs[f"l{inbox.pk}"] = upto
            rows += self._threads(agent, target.only)
        if target.thread is not None:
            seqs[f"t{target.thread}"] = upto
            rows += [self._title(t) for t in self.changes.titles if t.pk == target.thread]
            shown = [m for m in self.changes.messages if m.thread_id == target.thread]
            rows += [self._message(message, agent) for message in shown]
            planned = [text for text in self.changes.later if text.thread_id == target.thread]
            rows += [self._later(text) for text in planned]
        parts = [*self._refusal(target), *self._notices(agent)]
        return pack(parts=parts, rows=rows, seqs=seqs if target.with_seqs else None)

    def _refusal(self, target: Target) -> list[Part]:
        """Whether the thread that the page shows takes texts now."""
        if target.thread not in self.changes.refusals:
            return []
        refusal = self.changes.refusals[target.thread]
        return [("standing", {"thread": target.thread, "refusal": refusal})]

    def _notices(self, agent: Agent) -> Iterable[Part]:
        """The agent's bell, if it rang."""
        if agent.pk not in self.changes.unread:
            return ()
        unread = self.changes.unread[agent.pk]
        new = [self._popup(told) for told in self.changes.notified[agent.pk]]
        return spread("notices", new, before=f'{{"unread":{unread},"new":[', after="]}")

    def _inbox(self, agent: Agent) -> Fragment:
        inbox = self.changes.inbox
        unread = self.changes.unread_threads.get((agent.pk, inbox.pk), 0)
        return self._row(build_inbox_row(inbox, agent, unread))

    def _threads(self, agent: Agent, choice: str = "") -> list[Fragment]:
        states, member_since = self.changes.states, self.changes.seats.get(agent.pk)
        return [
            self._row(
                build_thread_row(
                    thread,
                    agent,
                    states.get((agent.pk, thread.pk)),
                    member_since=member_since,
                    choice=choice,
                )
            )
            for thread in self.changes.threads
        ]

    def _fragment(self, key: object, template: str, **context: object) -> Fragment:
        if key not in self._fragments:
            self._fragments[key] = Fragment.of(render_to_string(template, context))
        return self._fragments[key]

    def _row(self, row: Row) -> Fragment:
        key = row.looks
        if key not in self._fragments:
            self._fragments[key] = render_row(replace(row, personal_seq=PERSONAL))
        return self._fragments[key].with_word(PERSONAL, str(row.personal_seq))

    def _title(self, thread: Thread) -> Fragment:
        return self._fragment(
            ("title", thread.pk), "messaging/conversation/_title.html", thread=thread
        )

    def _message(self, message: Message, agent: Agent) -> Fragment:
        entry = Entry.of(message, agent)
        key = "message", message.pk, entry.is_mine, entry.called_id
        return self._fragment(key, "messaging/conversation/_message.html", entry=entry)

    def _popup(self, told: Told) -> Encoded:
        """The words are encoded once for all who are told of the message."""
        if told.like.pk not in self._popups:
            words = popup(told.like)
            del words["id"]
            self._popups[told.like.pk] = encoded(words)
        return Encoded(f'{{"id":{told.pk},{self._popups[told.like.pk][1:]}')

    def _later(self, text: ScheduledText) -> Fragment:
        return self._fragment(
            ("later", text.pk), "messaging/scheduled/_scheduled_text.html", text=text
        )


def render_row(row: Row) -> Fragment:
    return Fragment.of(render_to_string("messaging/list/_row.html", {"row": row}))
