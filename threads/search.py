"""Search among the last messages: of an inbox's threads, or of an agent's own conversations.

How a page is found is measured and told in docs/decisions/0009-search.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import connection
from django.http import QueryDict

from inboxes.models import Agent, Inbox
from threads import words
from threads.lists import PAGE_SIZE, Cursor

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


def seqs_of(agent: Agent, inbox: Inbox | None) -> str:
    """The page's map of counters, as `threads.lists` gives it."""
    if inbox is not None:
        seqs = {f"l{inbox.pk}": inbox.seq}
    else:
        seen = Inbox.objects.visible_to(agent).values_list("pk", "seq")
        seqs = {f"i{pk}": seq for pk, seq in seen}
    return json.dumps(seqs | {f"a{agent.pk}": agent.seq})


def find_threads(agent: Agent, inbox: Inbox, search: Search, after: Cursor | None) -> list[int]:
    """Return keys of threads, newest first: one more than a page if there are more."""
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
