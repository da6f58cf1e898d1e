"""Search among the last messages: of an inbox's threads, or of an agent's own conversations.

How a page is found is measured and told in docs/decisions/0009-search.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import connection
from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString

from inboxes.models import Agent, Inbox
from threads import words
from threads.lists import PAGE_SIZE, Cursor, Listing
from threads.marking import piece, spans
from threads.models import Thread
from threads.rows import Row, thread_rows

LONGEST = 200
"""Characters that may be looked for."""

WALK = 2_000
"""Newest rows that are looked at one by one before the index of words is asked."""

_IS_SHOWN = """NOT EXISTS (SELECT FROM threads_threadstate AS state
    WHERE state.agent_id = %(agent)s AND state.thread_id = found.id
    AND state.hidden_id > 0 AND state.hidden_id >= found.last_text_id)"""
_BEYOND = "(last_at, id) < (%(at)s, %(pk)s)"

# What is common stands among the newest, and the walk ends as soon as a page is full.
_NEWEST = """
SELECT id FROM (
    SELECT id, last_at, last_text_id, words FROM threads_thread
    WHERE inbox_id = %(inbox)s AND {beyond} ORDER BY last_at DESC, id DESC LIMIT %(walk)s
) AS found WHERE words @@ %(query)s::tsquery AND {is_shown}
ORDER BY last_at DESC, id DESC LIMIT %(count)s
"""

# What is not common is little, and sorted whole. OFFSET keeps the planner from walking the list
# in the hope of meeting it soon.
_ALL = """
SELECT id FROM (
    SELECT id, last_at, last_text_id FROM threads_thread
    WHERE words @@ %(query)s::tsquery AND {beyond} OFFSET 0
) AS found WHERE {is_shown} ORDER BY last_at DESC, id DESC LIMIT %(count)s
"""


class SearchForm(forms.Form):
    """What stands in the box. `all`: beside a conversation, whether all messages were searched."""

    q = forms.CharField(
        max_length=LONGEST,
        required=False,
        error_messages={
            "max_length": f"That is too long. Look for at most {LONGEST} characters.",
            "null_characters_not_allowed": "That holds a character that no message has.",
        },
    )
    all = forms.BooleanField(required=False)


@dataclass(frozen=True)
class Search:
    """What is looked for. With a `problem` nothing is."""

    text: str
    is_everywhere: bool = False
    problem: str = ""

    @cached_property
    def words(self) -> list[str]:
        return [] if self.problem else words.words_of(self.text)

    @cached_property
    def contact_words(self) -> list[str]:
        """A number in any notation is one run of digits; else as in a text."""
        digits = "".join(c for c in words.fold(self.text) if c in words.DIGITS)
        is_number = words.is_run(digits) and not any(c.isalpha() for c in self.text)
        return [digits] if self.words and is_number else self.words

    @property
    def query(self) -> str:
        """For the address of a conversation, so that the list beside it stays."""
        return "?" + urlencode({"q": self.text} | ({"all": "1"} if self.is_everywhere else {}))


def asked(data: QueryDict, *, everywhere: bool | None = None) -> Search | None:
    """What the query string looks for; None if nothing."""
    form = SearchForm(data)
    is_valid = form.is_valid()
    if everywhere is None:
        everywhere = bool(form.cleaned_data.get("all"))
    if not is_valid:
        sentence = str(next(iter(form.errors.values()))[0])
        return Search(data.get("q", "")[:LONGEST], everywhere, sentence)
    text: str = form.cleaned_data["q"]
    return Search(text, everywhere) if text else None


@dataclass(frozen=True)
class FoundRow(Row):
    """A row that shows why it was found. It belongs to the list of what was found, where live
    rows of the whole list do not land."""

    search: Search | None = None
    body: str = ""

    @property
    def list_id(self) -> str:
        return found_id(None if self.inbox.is_personal else self.inbox)

    @property
    def query(self) -> str:
        return self.search.query if self.search else ""

    @property
    def preview(self) -> SafeString:
        return piece(self.body, self.search.words if self.search else [])


@dataclass(frozen=True)
class FoundList(Listing):
    """What `messaging/list/_listing.html` draws in place of a list."""

    search: Search | None = None

    @property
    def list_id(self) -> str:
        return found_id(self.inbox)


def found_id(inbox: Inbox | None) -> str:
    return f"found-{inbox.pk}" if inbox else "found-top"


def found_list(
    agent: Agent, inbox: Inbox | None, search: Search, after: Cursor | None = None
) -> FoundList:
    """A page of the threads of a shared inbox, or without one of the agent's own line."""
    place = inbox or Inbox.objects.filter(owner=agent).first()
    keys = _find(agent, place, search, after) if place else []
    threads = Thread.objects.for_rows().in_bulk(keys[:PAGE_SIZE])
    rows = thread_rows(agent, [threads[key] for key in keys if key in threads])
    url = reverse("messaging:inbox", args=[inbox.pk]) if inbox else reverse("messaging:messages")
    next_url = None
    if len(keys) > PAGE_SIZE:
        next_url = f"{url}{search.query}&after={rows[-1].key}"
    return FoundList(
        inbox=inbox,
        rows=list(_explained(rows, search)),
        next_url=next_url,
        seqs=seqs_of(agent, inbox),
        search=search,
    )


def seqs_of(agent: Agent, inbox: Inbox | None) -> str:
    """The page's map of counters, as `threads.lists` gives it."""
    if inbox is not None:
        seqs = {f"l{inbox.pk}": inbox.seq}
    else:
        seen = Inbox.objects.visible_to(agent).values_list("pk", "seq")
        seqs = {f"i{pk}": seq for pk, seq in seen}
    return json.dumps(seqs | {f"a{agent.pk}": agent.seq})


def _find(agent: Agent, inbox: Inbox, search: Search, after: Cursor | None) -> list[int]:
    """Keys of threads, newest first, one more than a page if there are."""
    if not search.words:
        return []
    details = {
        "agent": agent.pk,
        "inbox": inbox.pk,
        "query": words.query([inbox.pk], search.words),
        "walk": WALK,
        "count": PAGE_SIZE + 1,
        "at": after and after.at,
        "pk": after and after.pk,
    }
    return walk_then_ask(
        [
            statement.format(is_shown=_IS_SHOWN, beyond=_BEYOND if after else "true")
            for statement in (_NEWEST, _ALL)
        ],
        details,
    )


def walk_then_ask(statements: list[str], details: dict[str, Any]) -> list[int]:
    """The keys of the first statement that fills a page, else of the last one."""
    keys: list[int] = []
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, details)
            keys = [key for (key,) in cursor.fetchall()]
            if len(keys) == details["count"]:
                break
    return keys


Bodies = Callable[[Collection[int]], dict[int, str]]
_read_bodies: list[Bodies] = []


def lend_bodies(read: Bodies) -> None:
    """Messaging lends the way to the bodies of messages at start: nothing here points up."""
    _read_bodies[:] = [read]


def _explained(rows: list[Row], search: Search) -> list[Row]:
    """With the words around the hit, which may lie beyond the excerpt that a thread keeps."""
    bodies = {row.subject.last_message_id or 0: row.subject.last_excerpt for row in rows}
    cut = [key for key, excerpt in bodies.items() if not _shows_all(excerpt, search.words)]
    for read in _read_bodies if cut else []:
        bodies |= read(cut)
    return [
        FoundRow(
            **{field.name: getattr(row, field.name) for field in fields(row)},
            search=search,
            body=bodies[row.subject.last_message_id or 0],
        )
        for row in rows
    ]


def _shows_all(excerpt: str, wanted: list[str]) -> bool:
    return all(spans(excerpt, [word]) for word in wanted)
