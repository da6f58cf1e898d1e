"""Search all messages that an agent may see, names of contacts, numbers, labels, and activity."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from heapq import merge
from typing import Any

from inboxes.integers import read_integer
from inboxes.models import Agent, Inbox
from messaging.conversations.activity import read_agents
from messaging.conversations.hits import Hit, LineHit
from messaging.conversations.thread_search import found_id
from messaging.conversations.work_search import find_labelled, find_lines, is_standing
from messaging.models import Message
from threads import words
from threads.activity_lines import draw_line
from threads.lists import PAGE_SIZE, Listing
from threads.models import Activity, Label
from threads.search import NEWEST_WALKED, Search, encode_search_seqs, run_until_full_page

# A contact is found with the last message of its thread, so that all hits are messages and have
# one order. The walk and the index are used as in threads/search.py.
_NEWEST = """
SELECT newest.id FROM (
    SELECT id, thread_id, words FROM messaging_message
    WHERE {beyond} ORDER BY id DESC LIMIT %(walk)s
) AS newest
JOIN threads_thread AS thread ON thread.id = newest.thread_id
JOIN threads_contact AS contact ON contact.id = thread.contact_id
WHERE thread.{standing} AND (newest.words @@ %(query)s::tsquery
    OR (thread.last_message_id = newest.id AND {is_contact}))
ORDER BY newest.id DESC LIMIT %(count)s
"""
_ALL = """
SELECT id FROM (
    (SELECT id FROM messaging_message
        WHERE words @@ %(query)s::tsquery AND {beyond} AND {is_standing} OFFSET 0)
    UNION
    (SELECT thread.last_message_id FROM threads_contact AS contact
        JOIN threads_thread AS thread ON thread.contact_id = contact.id
        WHERE {is_contact} AND thread.{standing} AND thread.last_message_id IS NOT NULL
        OFFSET 0)
) AS found WHERE {beyond} ORDER BY id DESC LIMIT %(count)s
"""


@dataclass(frozen=True)
class HitList(Listing):
    """Stand in for a list while all messages are searched."""

    search: Search | None = None

    @property
    def list_id(self) -> str:
        return f"{found_id(self.inbox)}-all"


@dataclass(frozen=True, slots=True)
class HitCursor:
    """Tell where the next page begins, for each kind of hit: its last key; None at the top."""

    message: int | None = None
    labelled: int | None = None
    line: int | None = None

    @classmethod
    def from_key(cls, key: str) -> HitCursor:
        """Read a key of the address, such as 123-0-45. Raises ValueError."""
        parts = [read_integer(part) for part in key.split("-")]
        if len(parts) not in {1, 3} or None in parts or not any(parts):
            raise ValueError("This is no place in the list.")
        return cls(*[part or None for part in parts])

    @property
    def key(self) -> str:
        return "-".join(str(part or 0) for part in (self.message, self.labelled, self.line))


TOP = HitCursor()


def hit_list(agent: Agent, inbox: Inbox | None, search: Search, after: HitCursor = TOP) -> HitList:
    """Return a page of messages and of lines of activity, newest first.

    `inbox` says in which list the search began; all inboxes of the agent are searched. Where there
    are messages enough, the last ones of threads whose label is called so take a part of the page,
    and so do lines: many threads have the same.
    """
    inbox_ids = _searched_inboxes(agent, search)
    count = PAGE_SIZE + 1
    found = _find_messages(inbox_ids, search, after.message) if inbox_ids else []
    labelled = find_labelled(inbox_ids, search, after.labelled, count)
    lines = find_lines(inbox_ids, search, after.line, count)
    shares = _share_page(len(found), len(labelled), len(lines))
    messages, others, done = (
        keys[:share] for keys, share in zip((found, [*labelled], lines), shares, strict=True)
    )
    place = f"{found_id(inbox)}-all"
    named = {key: labelled[key] for key in others if key not in messages}
    hits: list[list[Any]] = [
        _draw_messages(agent, search, place, dict.fromkeys(messages)),
        _draw_messages(agent, search, place, named),
        _draw_lines(agent, search, place, done),
    ]
    end = HitCursor(
        messages[-1] if messages else after.message,
        others[-1] if others else after.labelled,
        done[-1] if done else after.line,
    )
    is_more = sum(shares) < len(found) + len(labelled) + len(lines)
    rows: list[Any] = list(merge(*hits, key=lambda hit: hit.at, reverse=True))
    return HitList(
        agent=agent,
        inbox=inbox,
        rows=rows,
        next_query=f"{search.here}&after={end.key}" if is_more else None,
        seqs=encode_search_seqs(agent, inbox),
        filter=search.filter,
        search=search,
    )


def _share_page(messages: int, labelled: int, lines: int) -> tuple[int, int, int]:
    """Return how many hits of each kind a page shows, of those that there are."""
    others = [min(count, PAGE_SIZE // 5) for count in (labelled, lines)]
    shown = min(messages, PAGE_SIZE - sum(others))
    others[0] = min(labelled, PAGE_SIZE - shown - others[1])
    others[1] = min(lines, PAGE_SIZE - shown - others[0])
    return shown, others[0], others[1]


def _draw_messages(
    agent: Agent, search: Search, list_id: str, labels: Mapping[int, Label | None]
) -> list[Hit]:
    drawn = Message.objects.select_related("thread__contact", "inbox", "author")
    messages = drawn.visible_to(agent).in_bulk(labels) if labels else {}
    return [
        Hit(search, list_id, messages[key], messages[key].author_id == agent.pk, label)
        for key, label in labels.items()
        if key in messages
    ]


def _draw_lines(agent: Agent, search: Search, list_id: str, keys: list[int]) -> list[LineHit]:
    if not keys:
        return []
    visible = Activity.objects.filter(inbox__in=Inbox.objects.visible_to(agent))
    lines = visible.select_related("thread__contact", "inbox").defer("words").in_bulk(keys)
    agents = read_agents(lines.values())
    return [
        LineHit(search, list_id, draw_line(lines[key], agents, agent.pk))
        for key in keys
        if key in lines
    ]


def _searched_inboxes(agent: Agent, search: Search) -> list[int]:
    if not search.words:
        return []
    return list(Inbox.objects.visible_to(agent).values_list("pk", flat=True))


def _find_messages(inbox_ids: list[int], search: Search, before: int | None) -> list[int]:
    """Return keys of messages, newest first; one more than a page if there are."""
    is_contact, details = _contact_condition(inbox_ids, search.contact_words)
    details |= {
        "query": words.build_tsquery(inbox_ids, search.words),
        "walk": NEWEST_WALKED,
        "count": PAGE_SIZE + 1,
        "before": before,
        "inboxes": inbox_ids,
    }
    parts = {
        "beyond": "true" if before is None else "id < %(before)s",
        "is_contact": is_contact,
        "standing": search.standing,
        "is_standing": is_standing(search),
    }
    return run_until_full_page([one.format(**parts) for one in (_NEWEST, _ALL)], details)


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
