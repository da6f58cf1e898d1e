"""Draw what a search in all messages found: messages, and lines of activity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from html import unescape
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from inboxes.models import Inbox
from messaging.models import Message
from threads import words
from threads.activity_lines import Line
from threads.highlighting import (
    find_number_span,
    find_word_spans,
    highlight_spans,
    highlighted_excerpt,
)
from threads.models import Contact, Label, Thread
from threads.search import Search

MAX_SHOWN = 220  # Characters of a message that a hit shows, on two lines


@dataclass(frozen=True, slots=True)
class _Hit:
    """Hold what every row of a search in all messages shows."""

    search: Search
    list_id: str

    @property
    def thread(self) -> Thread:
        raise NotImplementedError

    @property
    def contact(self) -> Contact:
        return self.thread.contact

    @property
    def number(self) -> SafeString:
        number = self.contact.display
        wanted = (find_number_span(number, word) for word in self.search.contact_words)
        found = [span for word, span in zip(self.search.contact_words, wanted, strict=True)
                 if span and words.is_digit_run(word)]  # fmt: skip
        return highlight_spans(number, sorted(found)[:1] or find_word_spans(number, self._names))

    @property
    def name(self) -> SafeString:
        name = self.contact.name
        return highlight_spans(name, find_word_spans(name, self._names))

    @property
    def _names(self) -> list[str]:
        return [word for word in self.search.contact_words if not words.is_digit_run(word)]

    def _address(self, **place: int) -> str:
        """Return the address of a place in the history, beside the list of what was found."""
        thread = reverse("messaging:conversation", args=[self.thread.pk])
        searched = replace(self.search, is_everywhere=True).query.removeprefix("?")
        return f"{thread}?{urlencode(place)}&{searched}"


@dataclass(frozen=True, slots=True)
class Hit(_Hit):
    """Hold what `messaging/list/_hit.html` draws.

    `label` is the one whose name was searched for, if the message is the last one of a thread
    that has it.
    """

    message: Message
    is_mine: bool
    label: Label | None = None
    kind: str = "hit"

    @property
    def thread(self) -> Thread:
        return self.message.thread

    @property
    def at(self) -> datetime:
        return self.message.created_at

    @property
    def url(self) -> str:
        return self._address(at=self.message.pk)

    @property
    def author(self) -> str:
        """Return the author on our side, or say that the text came in."""
        if self.is_mine:
            return "You"
        if self.message.is_inbound:
            return "Received"
        return self.message.author.display_name if self.message.author else "Automatic"

    @property
    def body(self) -> SafeString:
        return highlighted_excerpt(self.message.body, self.search.words, MAX_SHOWN)


@dataclass(frozen=True, slots=True)
class LineHit(_Hit):
    """Hold what `messaging/list/_line_hit.html` draws: what the team did with a thread."""

    line: Line
    kind: str = "line-hit"

    @property
    def thread(self) -> Thread:
        return self.line.activity.thread

    @property
    def inbox(self) -> Inbox:
        return self.line.activity.inbox

    @property
    def at(self) -> datetime:
        return self.line.activity.created_at

    @property
    def url(self) -> str:
        return self._address(line=self.line.activity.pk)

    @property
    def body(self) -> SafeString:
        said = unescape(strip_tags(self.line.html))
        return highlight_spans(said, find_word_spans(said, self.search.words))
