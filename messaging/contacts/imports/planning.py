"""Plan what a batch of an import's lines does to the inbox's contacts.

This is most of the work of a batch. It needs no lock, so that the inbox's counter is held only
for the statements that follow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from messaging.contacts.describing import ContactValues, new_contact
from messaging.contacts.imports import reading, statements
from messaging.contacts.imports.merging import (
    AGREES,
    OPTS_OUT,
    OVERRIDDEN,
    SAME_AS,
    KnownContact,
    find_known,
    without_overridden,
)
from messaging.models import ContactImport, ContactImportLine
from threads.models import Contact

Outcome = ContactImportLine.Outcome

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(slots=True)
class WaitingLine:
    """Hold a line that is to be done; the names are those of ContactImportLine."""

    pk: int
    line: int
    address: str
    values: dict[str, str]
    is_opt_out: bool
    outcome: str
    changes: dict[str, object]


@dataclass(slots=True)
class Work:
    """Hold what a batch does with one contact: all its lines with that number together."""

    contact: KnownContact
    before: dict[str, str]
    address: str
    lines: list[WaitingLine] = field(default_factory=list)
    consents: list[tuple[str, str]] = field(default_factory=list)
    opts_out: bool = False
    undo: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold all works, and the rows of the contacts that they add and change."""

    works: list[Work]
    added: list[dict[str, Any]]
    changed: list[dict[str, Any]]


def waiting_lines(one: ContactImport, behind: int, count: int) -> list[WaitingLine]:
    """Return lines that are to be done, in their order; those that would change nothing too: the
    contact may have changed since."""
    waiting = one.lines.filter(before__isnull=True, line__gt=behind)
    rows = waiting.exclude(outcome=Outcome.ERROR).order_by("line")
    return [WaitingLine(*row) for row in rows.values_list(*WaitingLine.__slots__)[:count]]


def make_plan(one: ContactImport, lines: Sequence[WaitingLine]) -> Plan:
    """Merge the lines into what the inbox knows now, which may be more than at the preview.

    Tells in the lines what they do. Doing it anew forgets what was planned before.
    """
    known = find_known(
        inbox_id=one.inbox_id,
        our_address=reading.our_number(one.inbox_id),
        addresses={line.address for line in lines},
    )
    works: dict[str, Work] = {}
    for line in lines:
        contact = known.setdefault(line.address, KnownContact())
        work = works.get(line.address)
        if work is None:
            work = works[line.address] = Work(contact, dict(contact.values), line.address)
        is_new = contact.pk is None and not work.lines and SAME_AS not in line.changes
        changes = contact.merge(without_overridden(line.values, line.changes), line.is_opt_out)
        work.lines.append(line)
        work.opts_out |= bool(changes.get(OPTS_OUT))
        if changes.get(AGREES):
            work.consents.append((line.values["consent"], line.values.get("consent_at", "")))
        _tell(line, changes, is_new)
    return Plan(
        list(works.values()),
        [_added_row(one.inbox_id, work) for work in works.values() if work.contact.pk is None],
        [_changed_row(one.inbox_id, work) for work in works.values() if _is_changed(work)],
    )


def _tell(line: WaitingLine, changes: dict[str, object], is_new: bool) -> None:
    """Write what the line did, where that is not what the preview said."""
    if is_new:
        line.outcome = Outcome.NEW
    else:
        line.outcome = Outcome.MERGE if changes else Outcome.SAME
    told = {kind: line.changes[kind] for kind in (SAME_AS, OVERRIDDEN) if kind in line.changes}
    line.changes = changes | told


def _added_row(inbox_id: int, work: Work) -> dict[str, Any]:
    work.undo |= {"is_added": True, "new": work.contact.values}
    values = ContactValues(**work.contact.values)
    is_number = _E164.fullmatch(work.address) is not None
    return statements.contact_row(new_contact(inbox_id, work.address, values, is_number=is_number))


def _is_changed(work: Work) -> bool:
    return work.contact.pk is not None and work.before != work.contact.values


def _changed_row(inbox_id: int, work: Work) -> dict[str, Any]:
    after = work.contact.values
    new = {name: value for name, value in after.items() if work.before.get(name) != value}
    old = {name: work.before.get(name, "") for name in new}
    work.undo |= {"contact": work.contact.pk, "new": new, "old": old}
    return described_row(inbox_id, work.contact.pk or 0, work.address, ContactValues(**after))


def described_row(inbox_id: int, pk: int, address: str, values: ContactValues) -> dict[str, Any]:
    """Return what `statements.update_contacts` needs to write the values of a contact."""
    contact = Contact(pk=pk, inbox_id=inbox_id, address=address)
    values.write_to(contact)
    return statements.contact_row(contact)
