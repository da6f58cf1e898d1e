"""Draw the threads that a search found, with the words around each hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from django.utils.safestring import SafeString

from inboxes.models import Agent, Inbox
from messaging.models import Message
from threads.cursors import Cursor
from threads.highlighting import find_word_spans, highlighted_excerpt
from threads.lists import PAGE_SIZE, Listing
from threads.models import Thread
from threads.rows import Row, build_thread_rows
from threads.search import Search, encode_search_seqs, find_threads


@dataclass(frozen=True)
class FoundRow(Row):
    """Show why a thread was found.

    It belongs to the list of what was found, where live rows of the whole list do not land.
    """

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
        """Return the words around the hit; without any, the beginning of the last message."""
        wanted = self.search.words if self.search else []
        return highlighted_excerpt(self.body, wanted) or super().preview


@dataclass(frozen=True)
class FoundList(Listing):
    """Stand in for a list while something is searched in it."""

    search: Search | None = None

    @property
    def list_id(self) -> str:
        return found_id(self.inbox)


def found_id(inbox: Inbox | None) -> str:
    return f"found-{inbox.pk}" if inbox else "found-top"


def found_list(
    agent: Agent, inbox: Inbox | None, search: Search, after: Cursor | None = None
) -> FoundList:
    """Return a page of the threads of a shared inbox, or without one of the agent's own line."""
    searched = inbox or Inbox.objects.filter(owner=agent).first()
    keys = find_threads(agent, searched, search, after) if searched else []
    threads = Thread.objects.for_rows().in_bulk(keys[:PAGE_SIZE])
    found = [threads[key] for key in keys if key in threads]
    rows = build_thread_rows(agent, found, search.filter)
    next_query = None
    if len(keys) > PAGE_SIZE:
        next_query = f"{search.query}&after={rows[-1].key}"
    return FoundList(
        agent=agent,
        inbox=inbox,
        rows=list(_explain_rows(rows, search)),
        next_query=next_query,
        seqs=encode_search_seqs(agent, inbox),
        filter=search.filter,
        search=search,
    )


def _explain_rows(rows: list[Row], search: Search) -> Iterator[FoundRow]:
    """Add the words around the hit, which may lie beyond the excerpt that a thread keeps."""
    bodies = {row.subject.last_message_id or 0: row.subject.last_excerpt for row in rows}
    cut = [key for key, excerpt in bodies.items() if not _shows_all(excerpt, search.words)]
    if cut:
        bodies |= dict(Message.objects.filter(pk__in=cut).values_list("pk", "body"))
    for row in rows:
        yield FoundRow(
            **{field.name: getattr(row, field.name) for field in fields(row)},
            search=search,
            body=bodies[row.subject.last_message_id or 0],
        )


def _shows_all(excerpt: str, wanted: list[str]) -> bool:
    return all(find_word_spans(excerpt, [word]) for word in wanted)
