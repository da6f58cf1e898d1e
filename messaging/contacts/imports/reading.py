"""Read the lines of an import's file into rows, batch by batch, with what each will do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, F, Q

from messaging.contacts.imports import statements
from messaging.contacts.imports.csv_files import Dialect, Row, Unreadable, read_rows
from messaging.contacts.imports.lines import Line, LineReader
from messaging.contacts.imports.merging import OPTS_OUT, SAME_AS, KnownContact, find_known
from messaging.contacts.imports.repeats import settle_repeats
from messaging.contacts.imports.statements import PlannedLine
from messaging.models import ContactImport, ContactImportLine, Number

State = ContactImport.State
Outcome = ContactImportLine.Outcome

BATCH = 500  # lines
OFTEN = 5  # lines with one number: they are not read again for each further one
MOST_LINES = 200_000
TOO_MANY = (
    f"This file has more than {MOST_LINES:,} lines. Split it, and import its parts one after the "
    "other."
)
NO_LINES = "This file has names of columns, but no contacts below them."
GONE = "The file isn't here any more. Upload it again."


def our_number(inbox_id: int) -> str:
    """Return the inbox's number; empty if it has none."""
    return Number.objects.filter(inbox=inbox_id).values_list("address", flat=True).first() or ""


def read_lines(one: ContactImport) -> Iterator[None]:
    """Read on behind the last line that was read; yield after each batch, which is committed.

    Stops where somebody else went on, or cancelled. Raises Unreadable.
    """
    reader = LineReader(
        one.headers,
        one.mapping,
        one.region,
        frozenset(Number.objects.values_list("address", flat=True)),
    )
    plan = _Plan(one, our_number(one.inbox_id))
    position = one.done_count
    try:
        file = default_storage.open(one.stored_name)
    except FileNotFoundError as error:
        raise Unreadable(GONE) from error
    with file, closing(_rows(file.file, one)) as all_rows:
        rows = (row for row in all_rows if row.number > position)
        while batch := list(islice(rows, BATCH)):
            lines = [reader.read(row) for row in batch if not row.is_blank]
            if not _write(one, lines, plan, position, batch[-1].number):
                return
            position = batch[-1].number
            yield
    finish(one.pk)


def _rows(file: object, one: ContactImport) -> Generator[Row, None, None]:
    dialect = Dialect(one.encoding, one.separator, one.has_header)
    rows = read_rows(file, dialect)  # type: ignore[arg-type]  # a storage gives what it has
    is_first = one.has_header
    for row in rows:
        if is_first and not row.is_blank:
            is_first = False
        else:
            yield row


@transaction.atomic
def _write(
    one: ContactImport, lines: Sequence[Line], plan: _Plan, before: int, after: int
) -> bool:
    """Write a batch; return False if the import isn't where this reader left it."""
    locked = ContactImport.objects.select_for_update(of=("self",))
    still = locked.filter(pk=one.pk, state=State.READING, done_count=before, mapping=one.mapping)
    if not still.exists():
        return False
    statements.insert_lines(one.pk, plan.make(lines))
    ContactImport.objects.filter(pk=one.pk).update(
        done_count=after, line_count=F("line_count") + len(lines)
    )
    if one.line_count + len(lines) > MOST_LINES:
        raise Unreadable(TOO_MANY)
    one.line_count += len(lines)
    return True


@dataclass(slots=True)
class _Plan:
    """Say what each line will do: to the inbox's contacts, and to what earlier lines did."""

    one: ContactImport
    our_address: str
    often: dict[str, KnownContact] = field(default_factory=dict)  # as the lines so far leave them

    def make(self, lines: Sequence[Line]) -> list[PlannedLine]:
        counts = Counter(line.address for line in lines if line.address)
        known = {address: self.often[address] for address in counts if address in self.often}
        others = counts.keys() - known.keys()
        known |= find_known(
            inbox_id=self.one.inbox_id, our_address=self.our_address, addresses=others
        )
        earlier = self.one.lines.filter(address__in=others).exclude(outcome=Outcome.ERROR)
        rows = earlier.order_by("line").values_list("line", "address", "values", "is_opt_out")
        for number, address, values, is_opt_out in rows:
            _meet(known, address, number).merge(values, is_opt_out)
            counts[address] += 1
        planned = [_plan_line(line, known) for line in lines]
        for address, count in counts.items():
            if count >= OFTEN and address in known:
                self.often[address] = known[address]
        return planned


def _meet(known: dict[str, KnownContact], address: str, number: int) -> KnownContact:
    contact = known.setdefault(address, KnownContact())
    contact.line = contact.line or number
    return contact


def _plan_line(line: Line, known: dict[str, KnownContact]) -> PlannedLine:
    row = PlannedLine(line.number)
    contact = known.get(line.address)
    is_known = contact is not None and contact.pk is not None
    if line.error and not (line.known_only and is_known):
        row.outcome, row.column, row.error = Outcome.ERROR, line.column, line.error
        row.values = {"cells": line.cells}
        return row
    earlier_line = contact.line if contact else None
    contact = _meet(known, line.address, line.number)
    row.address, row.values, row.is_opt_out = line.address, line.values, line.is_opt_out
    row.changes = contact.merge(line.values, line.is_opt_out)
    if contact.pk is None and earlier_line is None:
        row.outcome = Outcome.NEW
    else:
        row.outcome = Outcome.MERGE if row.changes else Outcome.SAME
    if earlier_line is not None:
        row.changes[SAME_AS] = earlier_line
    return row


@transaction.atomic
def finish(import_id: int) -> None:
    """Count what the lines will do, once all are read. Raises Unreadable if there are none."""
    locked = ContactImport.objects.select_for_update(of=("self",))
    one = locked.filter(pk=import_id, state=State.READING).first()
    if one is None:
        return
    if not one.line_count:
        raise Unreadable(NO_LINES)
    settle_repeats(one, our_number(one.inbox_id))
    count_outcomes(one)
    one.state, one.done_count = State.READY, 0
    one.save()


def count_outcomes(one: ContactImport) -> None:
    """Set the counts of an import by its lines.

    Several lines with one number count as one contact: one that is new, merges or stays the same.
    """
    changing = Q(outcome__in=[Outcome.NEW, Outcome.MERGE])
    counts = one.lines.aggregate(
        new=Count("pk", filter=Q(outcome=Outcome.NEW)),
        first=Count("pk", filter=~Q(outcome=Outcome.ERROR) & ~Q(changes__has_key=SAME_AS)),
        errors=Count("pk", filter=Q(outcome=Outcome.ERROR)),
        opt_outs=Count("pk", filter=Q(**{f"changes__{OPTS_OUT}": True})),
        contacts=Count("address", filter=changing, distinct=True),
    )
    one.contact_count, one.new_count = counts["contacts"], counts["new"]
    one.merged_count = one.contact_count - one.new_count
    one.same_count, one.error_count = counts["first"] - one.contact_count, counts["errors"]
    one.opt_out_count = counts["opt_outs"]
