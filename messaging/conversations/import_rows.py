"""Rows of the preview of an import, and of its errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from messaging.contacts.cells import BYTE_ORDER_MARK, write_rows
from messaging.contacts.imports.merging import describe_changes
from messaging.models import ContactImport, ContactImportLine
from threads import addresses

Outcome = ContactImportLine.Outcome

FEW = 4  # good lines in a preview
MOST_ERRORS = 5  # in a preview; the download has all of them
PAGE_SIZE = 100  # lines

BATCH = 1_000  # lines of a download


@dataclass(frozen=True, slots=True)
class LineRow:
    """Draw one line of a file: what it says, and what happens."""

    one: ContactImport
    line: ContactImportLine

    @property
    def number(self) -> int:
        return self.line.line

    @property
    def is_error(self) -> bool:
        return self.line.outcome == Outcome.ERROR

    @property
    def name(self) -> str:
        if not self.is_error:
            return str(self.line.values.get("name", ""))
        names = [self._cell(field) for field in ("name", "first_name", "last_name")]
        return " ".join(filter(None, names))

    @property
    def phone(self) -> str:
        if not self.is_error:
            return addresses.format_address(self.line.address)
        return self._cell("number")

    @property
    def company(self) -> str:
        return self._cell("company") if self.is_error else self.line.values.get("company", "")

    @property
    def opt_out(self) -> str:
        if "opt_out" not in self.one.mapping:
            return ""
        if self.is_error:
            return self._cell("opt_out") or "No"
        return "Yes" if self.line.is_opt_out else "No"

    @property
    def wrong(self) -> str:
        """Return the field whose cell leaves the line out."""
        headers = self.one.headers
        index = headers.index(self.line.column) if self.line.column in headers else None
        return next((field for field, place in self.one.mapping.items() if place == index), "")

    @property
    def wrong_value(self) -> str:
        """Return what stands in that cell."""
        return self._cell(self.wrong)

    @property
    def has_value(self) -> bool:
        return bool(self.wrong_value)

    @property
    def what_happens(self) -> str:
        if self.is_error:
            return "Left out"
        is_same = self.line.outcome == Outcome.SAME
        return describe_changes(
            {} if is_same else self.line.changes,
            is_new=self.line.outcome == Outcome.NEW,
            is_done=self.one.state == ContactImport.State.FINISHED,
        )

    @property
    def tag(self) -> str:
        """Return the class of the tag that says what happens."""
        if self.is_error:
            return "tag bad"
        return "tag good" if self.line.outcome == Outcome.NEW else "tag"

    def _cell(self, field: str) -> str:
        index = self.one.mapping.get(field)
        cells = self.line.values.get("cells", [])
        return cells[index].strip() if index is not None and index < len(cells) else ""


def list_errors(one: ContactImport) -> list[LineRow]:
    rows = one.lines.filter(outcome=Outcome.ERROR).order_by("line")[:MOST_ERRORS]
    return [LineRow(one, line) for line in rows]


def list_preview(one: ContactImport, errors: Sequence[LineRow]) -> list[LineRow]:
    """Return some lines of each kind, in their order, the given errors among them."""
    good = one.lines.order_by("line")
    picked = {line.line: line for line in good.exclude(outcome=Outcome.ERROR)[:FEW]}
    for kind in (Outcome.NEW, Outcome.MERGE, Outcome.SAME):
        if kind not in {line.outcome for line in picked.values()}:
            picked |= {line.line: line for line in good.filter(outcome=kind)[:1]}
    picked |= {row.number: row.line for row in errors}
    return [LineRow(one, picked[number]) for number in sorted(picked)]


def list_page(one: ContactImport, after: int) -> tuple[list[LineRow], int | None]:
    """Return a page of lines, and behind which one the next page begins, if there is one."""
    lines = list(one.lines.filter(line__gt=after).order_by("line")[: PAGE_SIZE + 1])
    further = lines[PAGE_SIZE - 1].line if len(lines) > PAGE_SIZE else None
    return [LineRow(one, line) for line in lines[:PAGE_SIZE]], further


def write_errors(one: ContactImport) -> Iterator[str]:
    """Yield a CSV file of the lines with an error, as they came, each with the reason.

    It can be corrected and uploaded: the columns are the same, and two more.
    """
    names = [*one.headers, "Line", "Why it was left out"]
    yield BYTE_ORDER_MARK + write_rows([names], separator=one.separator)
    last = 0
    errors = one.lines.filter(outcome=Outcome.ERROR).order_by("line")
    while lines := list(errors.filter(line__gt=last)[:BATCH]):
        rows = (LineRow(one, line) for line in lines)
        yield write_rows(_error_cells(rows), separator=one.separator)
        last = lines[-1].line


def _error_cells(rows: Iterable[LineRow]) -> Iterator[list[str]]:
    for row in rows:
        width = len(row.one.headers)
        cells = row.line.values.get("cells", [])
        filled = [*cells, *[""] * (width - len(cells))]
        why = row.line.error
        if row.line.column:
            why = f"{row.line.column} {why}"
        yield [*filled[:width], str(row.number), why]
