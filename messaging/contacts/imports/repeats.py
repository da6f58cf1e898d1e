"""Let the last line with a number win, where a file has several of them.

Each value of a contact is left to the last line that has it. What the lines of a number do is then
what all of them do together: a file that is imported again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from messaging.contacts.describing import VALUE_NAMES
from messaging.contacts.imports import statements
from messaging.contacts.imports.merging import (
    ADDS,
    OVERRIDDEN,
    REPLACES,
    SAME_AS,
    KnownContact,
    find_known,
)
from messaging.models import ContactImport, ContactImportLine

Outcome = ContactImportLine.Outcome

BATCH = 500  # lines


@dataclass(slots=True)
class _Number:
    """Hold what the lines with a number have been found to do, the last one first."""

    address: str = ""
    contact: KnownContact = field(default_factory=KnownContact)
    later: set[str] = field(default_factory=set)  # values that a later line has


def settle_repeats(one: ContactImport, our_address: str) -> None:
    """Say of all lines that share their number what remains of each."""
    repeated = one.lines.filter(changes__has_key=SAME_AS).values("address")
    ordered = one.lines.filter(address__in=repeated).order_by("address", "-line")
    lines = ordered.iterator(chunk_size=BATCH)
    number = _Number()
    while batch := list(islice(lines, BATCH)):
        known = find_known(
            inbox_id=one.inbox_id,
            our_address=our_address,
            addresses={line.address for line in batch} - {number.address},
        )
        rows = []
        for line in batch:
            if line.address != number.address:
                number = _Number(line.address, known.get(line.address) or KnownContact())
            if _settle(line, number):
                rows.append({"pk": line.pk, "outcome": line.outcome, "changes": line.changes})
        statements.settle_lines(rows)


def _settle(line: ContactImportLine, number: _Number) -> bool:
    """Set what the line does if lines above it leave it alone; return True if that is new."""
    before = line.outcome, line.changes
    line.changes = dict(_kept(line.changes))
    given = {name: line.values[name] for name in VALUE_NAMES if line.values.get(name)}
    now = number.contact.values
    counts = [name for name in given if name not in number.later]
    found = {
        ADDS: [name for name in counts if not now.get(name)],
        REPLACES: [name for name in counts if now.get(name, given[name]) != given[name]],
        OVERRIDDEN: [name for name in given if name in number.later],
    }
    line.changes |= {kind: names for kind, names in found.items() if names}
    number.later |= given.keys()
    if line.outcome != Outcome.NEW:
        does = line.changes.keys() - {SAME_AS, OVERRIDDEN}
        line.outcome = Outcome.MERGE if does else Outcome.SAME
    return before != (line.outcome, line.changes)


def _kept(changes: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what does not depend on the lines below: opt-outs, consents, the first line."""
    return ((kind, value) for kind, value in changes.items() if kind not in {ADDS, REPLACES})
