"""Search among all messages that an agent may see, the names of contacts and their numbers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.safestring import SafeString

from inboxes.models import Agent, Inbox
from messaging.conversations.thread_search import found_id
from messaging.models import Message
from threads import words
from threads.highlighting import (
    find_number_span,
    find_word_spans,
    highlight_spans,
    highlighted_excerpt,
)
from threads.lists import PAGE_SIZE, Listing
from threads.search import NEWEST_WALKED, Search, encode_search_seqs, run_until_full_page

MAX_SHOWN = 220  # Characters of a message that a hit shows, on two lines

# A contact is found with the last message of its thread, so that all hits are messages and have
# one order. The walk and the index are used as in threads/search.py.
_NEWEST = """
SELECT newest.id FROM (
    SELECT id, thread_id, words FROM messaging_message
    WHERE {beyond} ORDER BY id DESC LIMIT %(walk)s
) AS newest
JOIN threads_thread AS thread ON thread.id = newest.thread_id
JOIN threads_contact AS contact ON contact.id = thread.contact_id
WHERE newest.words @@ %(query)s::tsquery
    OR (thread.last_message_id = newest.id AND {is_contact})
ORDER BY newest.id DESC LIMIT %(count)s
"""
_ALL = """
SELECT id FROM (
    (SELECT id FROM messaging_message
        WHERE words @@ %(query)s::tsquery AND {beyond} OFFSET 0)
    UNION
    (SELECT thread.last_message_id FROM threads_contact AS contact
        JOIN threads_thread AS thread ON thread.contact_id = contact.id
        WHERE {is_contact} AND thread.last_message_id IS NOT NULL OFFSET 0)
) AS found WHERE {beyond} ORDER BY id DESC LIMIT %(count)s
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """Hold what `messaging/list/_hit.html` draws."""

    message: Message
    search: Search
    list_id: str
    is_mine: bool
    kind: str = "hit"

    @property
    def url(self) -> str:
        """Return the address of the message in its history, beside the list of what was found."""
        thread = reverse("messaging:conversation", args=[self.message.thread_id])
        details = {"at": self.message.pk, "q": self.search.text, "all": "1"}
        return f"{thread}?{urlencode(details)}"

    @property
    def number(self) -> SafeString:
        number = self.message.thread.contact.display
        wanted = (find_number_span(number, word) for word in self.search.contact_words)
        found = [span for word, span in zip(self.search.contact_words, wanted, strict=True)
                 if span and words.is_digit_run(word)]  # fmt: skip
        return highlight_spans(number, sorted(found)[:1] or find_word_spans(number, self._names))

    @property
    def name(self) -> SafeString:
        name = self.message.thread.contact.name
        return highlight_spans(name, find_word_spans(name, self._names))

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

    @property
    def _names(self) -> list[str]:
        return [word for word in self.search.contact_words if not words.is_digit_run(word)]


@dataclass(frozen=True)
class HitList(Listing):
    """Stand in for a list while all messages are searched."""

    search: Search | None = None

    @property
    def list_id(self) -> str:
        return f"{found_id(self.inbox)}-all"


def hit_list(
    agent: Agent, inbox: Inbox | None, search: Search, before: int | None = None
) -> HitList:
    """Return a page of messages, newest first.

    `inbox` says in which list the search began; all inboxes of the agent are searched.
    """
    keys = _find_messages(agent, search, before)
    drawn = Message.objects.select_related("thread__contact", "inbox", "author")
    messages = drawn.visible_to(agent).in_bulk(keys[:PAGE_SIZE])
    list_id = f"{found_id(inbox)}-all"
    hits: list[Any] = [
        Hit(messages[key], search, list_id, messages[key].author_id == agent.pk)
        for key in keys
        if key in messages
    ]
    next_query = None
    if len(keys) > PAGE_SIZE:
        next_query = "?" + urlencode({"q": search.text, "after": keys[PAGE_SIZE - 1]})
    return HitList(
        agent=agent,
        inbox=inbox,
        rows=hits,
        next_query=next_query,
        seqs=encode_search_seqs(agent, inbox),
        search=search,
    )


def _find_messages(agent: Agent, search: Search, before: int | None) -> list[int]:
    """Return keys of messages, newest first; one more than a page if there are."""
    if not search.words:
        return []
    inbox_ids = list(Inbox.objects.visible_to(agent).values_list("pk", flat=True))
    if not inbox_ids:
        return []
    is_contact, details = _contact_condition(inbox_ids, search.contact_words)
    details |= {
        "query": words.build_tsquery(inbox_ids, search.words),
        "walk": NEWEST_WALKED,
        "count": PAGE_SIZE + 1,
        "before": before,
    }
    beyond = "true" if before is None else "id < %(before)s"
    statements = [s.format(beyond=beyond, is_contact=is_contact) for s in (_NEWEST, _ALL)]
    return run_until_full_page(statements, details)


def _contact_condition(
    inbox_ids: Collection[int], wanted: Collection[str]
) -> tuple[str, dict[str, Any]]:
    """Return SQL and its values.

    The index knows the pieces of a number; the address knows their order.
    """
    details: dict[str, Any] = {"who": words.build_tsquery(inbox_ids, wanted, with_numbers=True)}
    parts = ["contact.words @@ %(who)s::tsquery"]
    for index, run in enumerate(word for word in wanted if words.is_digit_run(word)):
        details[f"name{index}"] = words.build_tsquery(inbox_ids, [run])
        details[f"run{index}"] = f"%{run}%"
        parts.append(
            f"(regexp_replace(contact.address, '[^0-9]', '', 'g') LIKE %(run{index})s"
            f" OR contact.words @@ %(name{index})s::tsquery)"
        )
    return f"({' AND '.join(parts)})", details
