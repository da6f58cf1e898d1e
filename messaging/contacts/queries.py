"""The queries behind the list of contacts, each as fast at a million as at a thousand.

A list is walked along an index, in windows: of each window the rows that fulfil the rest are kept,
and of a number that several inboxes know, the contact that was texted last. Where few contacts are
opted out, blocked or labelled, these are read and sorted instead; so is what the index of words
finds, once the newest contacts were looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from messaging.contacts.filters import PHASES, Order, Phase, Place, Scope
from threads import words

WINDOW = 2_000  # Rows that are examined one by one for what the index does not hold
SMALLEST_WINDOW = 200  # of them, however many inboxes there are
MOST_EXAMINED = 8_000  # Rows of all inboxes together
FIRST_WINDOW = 300  # of them, where nothing but numbers of several inboxes is left out
MOST_SORTED = 1_000  # Contacts that are opted out, blocked or labelled, and sorted

_TEXTED = """
SELECT strand.* FROM unnest({strands}::bigint[]) AS at (key) CROSS JOIN LATERAL (
    SELECT thread.contact_id AS id, thread.last_at, thread.id AS thread_id, NULL::text AS low
    FROM {source} WHERE {driving} AND {at} IS NOT NULL AND {beyond}
    ORDER BY {at} DESC, {key} DESC LIMIT %(window)s) AS strand
ORDER BY last_at DESC, thread_id DESC LIMIT %(window)s
"""
# No index holds all conversations: one has those that are blocked, one the others.
_BOTH = """
SELECT both_of.* FROM (({blocked}) UNION ALL ({others})) AS both_of
ORDER BY last_at DESC, thread_id DESC LIMIT %(window)s
"""
_UNUSED = """
SELECT strand.* FROM unnest(%(inboxes)s::bigint[]) AS at (key) CROSS JOIN LATERAL (
    SELECT contact.id, NULL::timestamptz AS last_at, NULL::bigint AS thread_id, NULL::text AS low
    FROM threads_contact AS contact
    WHERE contact.inbox_id = at.key AND contact.is_unused AND {beyond}
    ORDER BY contact.id DESC LIMIT %(window)s) AS strand
ORDER BY id DESC LIMIT %(window)s
"""
_NAMED = """
SELECT strand.* FROM unnest(%(inboxes)s::bigint[]) AS at (key) CROSS JOIN LATERAL (
    SELECT contact.id, NULL::timestamptz AS last_at, NULL::bigint AS thread_id,
        lower(contact.name) AS low
    FROM threads_contact AS contact
    WHERE contact.inbox_id = at.key AND NOT (contact.name = '') AND {beyond}
    ORDER BY lower(contact.name), contact.id LIMIT %(window)s) AS strand
ORDER BY low, id LIMIT %(window)s
"""
_WALK = """
WITH examined AS MATERIALIZED ({walk}), found AS (
    SELECT examined.* FROM examined
    JOIN threads_contact AS contact ON contact.id = examined.id
    LEFT JOIN threads_thread AS thread ON thread.contact_id = contact.id
    WHERE {conditions} AND {is_first}
    ORDER BY {order} LIMIT %(count)s
)
(SELECT found.*, false FROM found)
UNION ALL
(SELECT last.*, true FROM (SELECT * FROM examined ORDER BY {reverse} LIMIT 1) AS last
 WHERE (SELECT count(*) FROM examined) = %(window)s)
"""
_SORTED = """
SELECT contact.id, thread.last_at, thread.id, lower(contact.name)
FROM ({candidates}) AS candidate JOIN threads_contact AS contact ON contact.id = candidate.id
LEFT JOIN threads_thread AS thread ON thread.contact_id = contact.id
WHERE contact.inbox_id = ANY(%(inboxes)s) AND {conditions} AND {beyond} AND {is_first}
ORDER BY {order} LIMIT %(count)s
"""

_FULFILLING = """
SELECT contact.id FROM threads_contact AS contact
LEFT JOIN threads_thread AS thread ON thread.contact_id = contact.id
WHERE contact.id = ANY(%(examined)s) AND {conditions}
"""

# Of several inboxes' contacts with one number, only the one that was texted last is shown. By name
# it is the last one that has a name: it stands in the list where its name belongs.
_IS_FIRST = """NOT EXISTS (SELECT FROM threads_contact AS other
    LEFT JOIN threads_thread AS other_thread ON other_thread.contact_id = other.id
    WHERE other.inbox_id = ANY(%(inboxes)s) AND other.address = contact.address
    AND ({named_other}coalesce(other_thread.last_at, '-infinity'), other.id)
        > ({named}coalesce(thread.last_at, '-infinity'), contact.id)
    AND {conditions} OFFSET 0)"""

_IS_OPTED_OUT = """EXISTS (SELECT FROM messaging_optout AS opt_out
    WHERE opt_out.address = {contact}.address AND opt_out.ended_at IS NULL
    AND (opt_out.is_for_all OR opt_out.our_address = (
        SELECT number.address FROM messaging_number AS number
        WHERE number.inbox_id = {contact}.inbox_id)))"""

_ORDERS = {
    Phase.TEXTED: ("last_at DESC, thread_id DESC", "last_at, thread_id"),
    Phase.UNUSED: ("id DESC", "id"),
    Phase.NAMED: ("low, id", "low DESC, id DESC"),
}
_RECENT = "thread.last_at DESC NULLS LAST, thread.id DESC NULLS LAST, contact.id DESC"
_SORT = {
    Order.RECENT: _RECENT,
    Order.NAME: f"contact.name = '', CASE WHEN contact.name <> '' THEN lower(contact.name) END,"
    f" CASE WHEN contact.name <> '' THEN contact.id END, {_RECENT}",
}
_LABELLED = """SELECT labelled.id FROM unnest(%(found_labels)s::bigint[]) AS label (id)
CROSS JOIN LATERAL (
    SELECT thread.contact_id AS id FROM threads_threadlabel AS placed
    JOIN threads_thread AS thread ON thread.id = placed.thread_id
    WHERE placed.label_id = label.id AND {beyond}
    ORDER BY placed.last_at DESC, placed.thread_id DESC LIMIT {limit}) AS labelled"""


@dataclass(frozen=True, slots=True)
class Found:
    """Keys of contacts in the list's order, and where the next page begins if there is one.

    It `is_cut` if the page ends where no more contacts were examined, and not because it is full.
    """

    keys: Sequence[int]
    next_place: Place | None = None
    is_cut: bool = False


def find_contacts(
    scope: Scope, *, count: int, after: Place | None = None, few: Sequence[int] | None = None
) -> Found:
    """Return a page of the list.

    `few` are all contacts that are opted out, blocked or labelled, as the filter asks for, if
    these are few; they are keys of contacts, and the page may leave out some.
    """
    if not scope.inbox_ids:
        return Found([])
    details = _values(scope, after, count + 1) | {"few": list(few or ())}
    if few is not None:
        rows = _run(
            _sorted(scope, after, "SELECT DISTINCT unnest(%(few)s::bigint[]) AS id"), details
        )
        return _page(rows, scope, count)
    if scope.wanted.search is not None:
        return _search(scope, after, count, details)
    return _walk(scope, after, count, details)


def _search(scope: Scope, after: Place | None, count: int, details: dict[str, Any]) -> Found:
    """Look at the contacts that come first, and ask the index where they don't fill the page."""
    phase = after.phase if after else PHASES[scope.wanted.order][0]
    details |= {"window": _window(scope)}
    walk = _run(_walked(scope, phase, after), details)
    found = [row for row in walk if not row[-1]]
    if len(found) > count:
        return _page(found, scope, count)
    is_recent = scope.wanted.order == Order.RECENT
    is_placed = is_recent and after is not None and after.phase == Phase.TEXTED
    labelled = _LABELLED.format(
        beyond="(placed.last_at, placed.thread_id) < (%(at)s, %(key)s)" if is_placed else "true",
        limit="%(labelled)s" if is_recent and _is_alone(scope) else "ALL",
    )
    candidates = (
        "(SELECT found.id FROM threads_contact AS found"
        " WHERE found.words @@ %(query)s::tsquery OFFSET 0)"
    )
    if scope.found_label_ids:
        candidates += f" UNION ({labelled})"
    rows = _run(_sorted(scope, after, candidates), details)
    return _page(rows, scope, count)


def _is_alone(scope: Scope) -> bool:
    """Return True if nothing but the search leaves contacts out."""
    wanted = scope.wanted
    is_filtered = wanted.label is not None or wanted.is_opted_out or wanted.is_blocked
    return len(scope.inbox_ids) == 1 and not is_filtered


def _walk(scope: Scope, after: Place | None, count: int, details: dict[str, Any]) -> Found:
    """Walk one phase after the other, until the page is full or a window ends."""
    phases = PHASES[scope.wanted.order]
    found: list[tuple[Any, ...]] = []
    for phase in phases[phases.index(after.phase) if after else 0 :]:
        place = after if after and after.phase == phase else None
        left = count + 1 - len(found)
        rows, end = _walk_phase(scope, phase, place, details | {"count": left})
        found += rows
        if len(rows) < left and end is not None:
            return Found([row[0] for row in found], end, is_cut=True)
        if len(found) > count:
            break
    return _page(found, scope, count)


def _walk_phase(
    scope: Scope, phase: Phase, place: Place | None, details: dict[str, Any]
) -> tuple[list[tuple[Any, ...]], Place | None]:
    """Return what was found, and where the window ended if it did."""
    statement = _walked(scope, phase, place)
    if not scope.wanted.is_narrowed:
        rows, end = _read(statement, phase, details | {"window": FIRST_WINDOW})
        if len(rows) >= details["count"] or end is None:
            return rows, end
    return _read(statement, phase, details | {"window": _window(scope)})


def _read(
    statement: str, phase: Phase, details: dict[str, Any]
) -> tuple[list[tuple[Any, ...]], Place | None]:
    rows = _run(statement, details)
    ends = [_place(row, phase) for row in rows if row[-1]]
    return [row for row in rows if not row[-1]], ends[0] if ends else None


def _window(scope: Scope) -> int:
    return max(SMALLEST_WINDOW, min(WINDOW, MOST_EXAMINED // len(scope.inbox_ids)))


def _walked(scope: Scope, phase: Phase, after: Place | None) -> str:
    order, reverse = _ORDERS[phase]
    conditions = _conditions(scope, "contact", "thread")
    if scope.wanted.order == Order.NAME and phase != Phase.NAMED:
        conditions = f"contact.name = '' AND {conditions}"
    return _WALK.format(
        walk=_strands(scope, phase, after),
        conditions=conditions,
        is_first=_is_first(scope),
        order=", ".join(f"examined.{part}" for part in order.split(", ")),
        reverse=reverse,
    )


def _strands(scope: Scope, phase: Phase, after: Place | None) -> str:
    """Return the walk of one phase. Labels and blocked conversations have indexes of their own."""
    if phase == Phase.NAMED:
        beyond = "(lower(contact.name), contact.id) > (%(name)s, %(key)s)" if after else "true"
        return _NAMED.format(beyond=beyond)
    if phase == Phase.UNUSED:
        return _UNUSED.format(beyond="contact.id < %(key)s" if after else "true")
    parts = {
        "strands": "%(inboxes)s",
        "source": "threads_thread AS thread",
        "driving": "thread.inbox_id = at.key",
        "at": "thread.last_at",
        "key": "thread.id",
    }
    if scope.label_ids:
        parts |= {
            "strands": "%(labels)s",
            "source": "threads_threadlabel AS placed JOIN threads_thread AS thread"
            " ON thread.id = placed.thread_id",
            "driving": "placed.label_id = at.key AND thread.inbox_id = ANY(%(inboxes)s)",
            "at": "placed.last_at",
            "key": "placed.thread_id",
        }
    parts["beyond"] = "({at}, {key}) < (%(at)s, %(key)s)".format(**parts) if after else "true"
    if scope.label_ids:
        return _TEXTED.format(**parts)
    driving = parts.pop("driving")
    blocked = _TEXTED.format(driving=f"{driving} AND thread.status = 'blocked'", **parts)
    if scope.wanted.is_blocked:
        return blocked
    others = _TEXTED.format(driving=f"{driving} AND thread.status <> 'blocked'", **parts)
    return _BOTH.format(blocked=blocked, others=others)


def _sorted(scope: Scope, after: Place | None, candidates: str) -> str:
    return _SORTED.format(
        candidates=candidates,
        conditions=_conditions(scope, "contact", "thread"),
        beyond=_beyond(scope.wanted.order, after),
        is_first=_is_first(scope),
        order=_SORT[scope.wanted.order],
    )


def _beyond(order: Order, after: Place | None) -> str:
    if after is None:
        return "true"
    unnamed = "contact.name = '' AND " if order == Order.NAME else ""
    match after.phase:
        case Phase.NAMED:
            return "(contact.name = '' OR (lower(contact.name), contact.id) > (%(name)s, %(key)s))"
        case Phase.TEXTED:
            return (
                f"{unnamed}(thread.id IS NULL OR (thread.last_at, thread.id) < (%(at)s, %(key)s))"
            )
        case Phase.UNUSED:
            return f"{unnamed}thread.id IS NULL AND contact.id < %(key)s"


def fulfilling(scope: Scope, keys: Sequence[int]) -> set[int]:
    """Return those of the contacts that fulfil the filter."""
    details = _values(scope, None, 0) | {"examined": list(keys)}
    conditions = _conditions(scope, "contact", "thread")
    return {row[0] for row in _run(_FULFILLING.format(conditions=conditions), details)}


def _conditions(scope: Scope, contact: str, thread: str) -> str:
    """Return what a contact has to fulfil; both are aliases of tables."""
    wanted, parts = scope.wanted, []
    if scope.wanted.label is not None:
        parts.append(f"{thread}.label_ids && %(labels)s::bigint[]")
    if wanted.is_blocked:
        parts.append(f"{contact}.blocked_at IS NOT NULL")
    if wanted.search is not None:
        called = (
            f" OR {thread}.label_ids && %(found_labels)s::bigint[]"
            if scope.found_label_ids
            else ""
        )
        parts.append(f"(({_says(scope, contact)}){called})")
    if wanted.is_opted_out:
        parts.append(_IS_OPTED_OUT.format(contact=contact))
    return " AND ".join(f"({part})" for part in parts) or "true"


def _says(scope: Scope, contact: str) -> str:
    """Return SQL for what the search finds: the index knows pieces of numbers, not their order."""
    parts = [f"{contact}.words @@ %(asked)s::tsquery"]
    for index, _ in enumerate(_digit_runs(scope)):
        parts.append(
            f"(regexp_replace({contact}.address, '[^0-9]', '', 'g') LIKE %(run{index})s"
            f" OR {contact}.words @@ %(word{index})s::tsquery)"
        )
    return f"({' AND '.join(parts)}) OR {contact}.words @@ %(plain)s::tsquery"


def _is_first(scope: Scope) -> str:
    if len(scope.inbox_ids) < 2:
        return "true"
    is_by_name = scope.wanted.order == Order.NAME
    return _IS_FIRST.format(
        named="contact.name <> '', " if is_by_name else "",
        named_other="other.name <> '', " if is_by_name else "",
        conditions=_conditions(scope, "other", "other_thread"),
    )


def _digit_runs(scope: Scope) -> list[str]:
    search = scope.wanted.search
    return [word for word in search.contact_words if words.is_digit_run(word)] if search else []


def _values(scope: Scope, after: Place | None, count: int) -> dict[str, Any]:
    search = scope.wanted.search
    details: dict[str, Any] = {
        "inboxes": list(scope.inbox_ids),
        "labels": list(scope.label_ids),
        "found_labels": list(scope.found_label_ids),
        "count": count,
        "at": after and after.at,
        "key": after and after.key,
        "name": after and after.name,
    }
    if search is not None:
        # Digits may be a number, in any notation, or stand in a name or a reference.
        asked = words.build_tsquery(
            scope.inbox_ids, search.contact_words, with_numbers=True, with_details=True
        )
        plain = words.build_tsquery(scope.inbox_ids, search.words, with_details=True)
        details |= {"asked": asked, "plain": plain, "labelled": max(WINDOW, count)}
        details["query"] = " | ".join(filter(None, [asked, plain]))
        for index, run in enumerate(_digit_runs(scope)):
            details[f"run{index}"] = f"%{run}%"
            details[f"word{index}"] = words.build_tsquery(
                scope.inbox_ids, [run], with_details=True
            )
    return details


def _run(statement: str, details: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, details)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _page(rows: Sequence[tuple[Any, ...]], scope: Scope, count: int) -> Found:
    shown = rows[:count]
    is_more = len(rows) > count
    last = _place(shown[-1], _phase(shown[-1], scope.wanted.order)) if is_more else None
    return Found([row[0] for row in shown], last)


def _phase(row: tuple[Any, ...], order: Order) -> Phase:
    """Return in which phase a row stands, which has its key, time, thread and name."""
    if order == Order.NAME and row[3]:
        return Phase.NAMED
    return Phase.TEXTED if row[2] else Phase.UNUSED


def _place(row: tuple[Any, ...], phase: Phase) -> Place:
    key, at, thread_id, name = row[:4]
    match phase:
        case Phase.TEXTED:
            return Place(phase, thread_id, at=at)
        case Phase.NAMED:
            return Place(phase, key, name=name)
        case Phase.UNUSED:
            return Place(phase, key)
