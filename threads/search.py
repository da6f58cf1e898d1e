"""Search in the last message of each thread of an inbox.

docs/decisions/0009-search.md has the measurements behind the two queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import connection
from django.http import QueryDict

from inboxes.forms import first_error
from inboxes.models import Agent, Inbox
from threads import words
from threads.cursors import Cursor
from threads.filters import EVERYTHING, ThreadFilter, ThreadView
from threads.folding import fold_text
from threads.lists import PAGE_SIZE, encode_seqs

MAX_QUERY_LENGTH = 200  # characters

# This many of the newest rows are read one by one before the index of words is used.
NEWEST_WALKED = 2_000

_IS_SHOWN = """NOT EXISTS (SELECT FROM threads_threadstate AS state
    WHERE state.agent_id = %(agent)s AND state.thread_id = found.id
    AND state.hidden_id > 0 AND state.hidden_id >= found.last_text_id)"""
_BEYOND = "(last_at, id) < (%(at)s, %(pk)s)"

# Threads of blocked contacts are found within *Blocked*, and nothing else is.
BLOCKED = ThreadFilter((ThreadView.BLOCKED,))

# Common words occur among the newest threads, and the walk ends as soon as a page is full.
_NEWEST = """
SELECT id FROM (
    SELECT id, last_at, last_text_id, words FROM threads_thread
    WHERE inbox_id = %(inbox)s AND {standing} AND {beyond}
    ORDER BY last_at DESC, id DESC LIMIT %(walk)s
) AS found WHERE words @@ %(query)s::tsquery AND {is_shown}
ORDER BY last_at DESC, id DESC LIMIT %(count)s
"""

# Rare words have few hits, which are all sorted. OFFSET keeps the planner from walking the list in
# the hope of meeting one soon.
_ALL = """
SELECT id FROM (
    SELECT id, last_at, last_text_id FROM threads_thread
    WHERE words @@ %(query)s::tsquery AND {standing} AND {beyond} OFFSET 0
) AS found WHERE {is_shown} ORDER BY last_at DESC, id DESC LIMIT %(count)s
"""


class SearchForm(forms.Form):
    """The search box. `all` tells, beside a conversation, that all messages were searched."""

    q = forms.CharField(
        max_length=MAX_QUERY_LENGTH,
        required=False,
        error_messages={
            "max_length": f"That's too long. Search for at most {MAX_QUERY_LENGTH} characters.",
            "null_characters_not_allowed": "That contains a character that no message has.",
        },
    )
    all = forms.BooleanField(required=False)


@dataclass(frozen=True)
class Search:
    """A search as an agent typed it. If `problem` says what is wrong with it, it finds nothing."""

    text: str
    is_everywhere: bool = False
    problem: str = ""
    is_in_blocked: bool = False  # within *Blocked*

    @cached_property
    def words(self) -> list[str]:
        return [] if self.problem else words.split_words(self.text)

    @cached_property
    def contact_words(self) -> list[str]:
        """Return a number in any notation as one run of digits; anything else as its words."""
        digits = "".join(c for c in fold_text(self.text) if c in words.DIGITS)
        is_number = words.is_digit_run(digits) and not any(c.isalpha() for c in self.text)
        return [digits] if self.words and is_number else self.words

    @property
    def query(self) -> str:
        """Return the query string that keeps the search beside a conversation."""
        return self.here + ("&all=1" if self.is_everywhere else "")

    @property
    def here(self) -> str:
        """Return the query string with which the search's own address shows what was found."""
        only = {"only": ThreadView.BLOCKED.value} if self.is_in_blocked else {}
        return "?" + urlencode({"q": self.text} | only)

    @property
    def filter(self) -> ThreadFilter:
        """Return the view within which is searched."""
        return BLOCKED if self.is_in_blocked else EVERYTHING

    @property
    def standing(self) -> str:
        """Return the condition in SQL of the status of what is found."""
        return f"status {'=' if self.is_in_blocked else '<>'} 'blocked'"


def parse_search(data: QueryDict, *, everywhere: bool | None = None) -> Search | None:
    """Read the search from a query string; None if there is none.

    `everywhere` overrides what the query string says of it.
    """
    form = SearchForm(data)
    is_valid = form.is_valid()
    if everywhere is None:
        everywhere = bool(form.cleaned_data.get("all"))
    if not is_valid:
        return Search(data.get("q", "")[:MAX_QUERY_LENGTH], everywhere, first_error(form))
    text: str = form.cleaned_data["q"]
    is_in_blocked = ThreadView.BLOCKED in data.getlist("only")
    return Search(text, everywhere, is_in_blocked=is_in_blocked) if text else None


def encode_search_seqs(agent: Agent, inbox: Inbox | None) -> str:
    """Return the page's change counters; see `threads.lists.encode_seqs`."""
    if inbox is not None:
        return encode_seqs(agent, {f"l{inbox.pk}": inbox.seq})
    visible = Inbox.objects.visible_to(agent).values_list("pk", "seq")
    return encode_seqs(agent, {f"i{pk}": seq for pk, seq in visible})


def find_threads(agent: Agent, inbox: Inbox, search: Search, after: Cursor | None) -> list[int]:
    """Return keys of threads, newest first: one more than a page if there is a next page."""
    if not search.words:
        return []
    details = {
        "agent": agent.pk,
        "inbox": inbox.pk,
        "query": words.build_tsquery([inbox.pk], search.words),
        "walk": NEWEST_WALKED,
        "count": PAGE_SIZE + 1,
        "at": after and after.at,
        "pk": after and after.pk,
    }
    return run_until_full_page(
        [
            statement.format(
                is_shown=_IS_SHOWN,
                standing=search.standing,
                beyond=_BEYOND if after else "true",
            )
            for statement in (_NEWEST, _ALL)
        ],
        details,
    )


def run_until_full_page(statements: list[str], details: dict[str, Any]) -> list[int]:
    """Return the keys that the first statement with a full page finds, else the last one."""
    keys: list[int] = []
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, details)
            keys = [key for (key,) in cursor.fetchall()]
            if len(keys) == details["count"]:
                break
    return keys
