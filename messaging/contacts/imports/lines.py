"""Read one line of a file of contacts: a contact's values, or the error that leaves it out."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from inboxes import times
from messaging.contacts.cells import read_harmless
from messaging.contacts.imports import numbers
from messaging.contacts.imports.columns import describe_mapping
from messaging.contacts.imports.csv_files import Row
from threads import addresses
from threads.folding import fold_text, is_blank

LONGEST = {"name": 120, "company": 120, "reference": 120, "email": 254, "note": 2_000}
LONGEST_CONSENT = 255
FIRST_YEAR = 1990  # of a consent: nobody texted before
_UNREADABLE = "\ufffd"

_YES_WORDS = (
    "yes, y, true, t, 1, x, on, ✓, ✔, ja, j, wahr, oui, o, vrai, si, s, sim, vero, verdadero, "
    "verdadeiro, waar, はい, 是, stop, stopped, unsubscribe, unsubscribed, out, optout, opt out, "
    "opted out, do not text, do not contact"
)
_NO_WORDS = (
    "no, n, false, f, 0, off, nein, falsch, non, faux, nao, falso, nee, onwaar, いいえ, 否, none, "
    "never, subscribed, opt in, opted in"
)
_YES, _NO = frozenset(_YES_WORDS.split(", ")), frozenset(["", *_NO_WORDS.split(", ")])
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y")
_DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y")
_MONTH_FIRST_REGIONS = frozenset({"US", "PH", "PR", "GU", "AS", "VI", "MP"})


class BadCell(Exception):
    """Raised for a cell that leaves its line out: which field, and why, behind its value."""

    def __init__(self, field_name: str, reason: str) -> None:
        super().__init__(field_name, reason)
        self.field_name, self.reason = field_name, reason


@dataclass(frozen=True, slots=True)
class Line:
    """Hold what a line says: values by field, or an error with the column that it is in.

    `known_only` is set where the number is none that anybody is known to have: the line is good if
    the inbox has a contact with it already.
    """

    number: int
    address: str = ""
    values: dict[str, str] = field(default_factory=dict)
    is_opt_out: bool = False
    column: str = ""
    error: str = ""
    cells: list[str] = field(default_factory=list)
    known_only: bool = False


@dataclass(frozen=True, slots=True)
class LineReader:
    """Read the lines of one file."""

    headers: Sequence[str]
    mapping: Mapping[str, int]
    region: str
    our_numbers: Collection[str]

    def read(self, row: Row) -> Line:
        cells = [read_harmless(cell) for cell in row.cells]
        wrong = row.problem or self._wrong_width(cells)
        if wrong:
            return Line(row.number, error=wrong, cells=cells)
        try:
            values = self._values(cells)
            is_opt_out = self._yes_or_no(cells)
        except BadCell as bad:
            return self._left_out(row.number, cells, bad)
        raw = self._cell(cells, "number")
        try:
            address = numbers.parse_cell(raw, self.region)
            if address in self.our_numbers:
                raise numbers.BadNumber("is one of our own numbers.")
        except numbers.BadNumber as bad:
            left_out = self._left_out(row.number, cells, BadCell("number", str(bad)))
            address, kind = addresses.normalise_address(raw) if raw else ("", "name")
            is_foreign = kind == "phone" and address not in self.our_numbers
            return Line(
                row.number, address, values, is_opt_out, left_out.column, left_out.error,
                cells, known_only=is_foreign,
            )  # fmt: skip
        return Line(row.number, address, values, is_opt_out)

    def _left_out(self, number: int, cells: list[str], bad: BadCell) -> Line:
        column = describe_mapping(self.mapping, self.headers)[bad.field_name]
        return Line(number, column=column, error=bad.reason, cells=cells)

    def _wrong_width(self, cells: Sequence[str]) -> str:
        """Say that a line has too many cells: a word with a separator in it moved the others."""
        further = [cell for cell in cells[len(self.headers) :] if cell.strip()]
        if not further:
            return ""
        return f"This line has {len(cells)} cells, but there are {len(self.headers)} columns."

    def _cell(self, cells: Sequence[str], name: str) -> str:
        index = self.mapping.get(name)
        cell = cells[index] if index is not None and index < len(cells) else ""
        if not cell:
            return ""
        if _UNREADABLE in cell:
            raise BadCell(name, "has letters that this encoding can't read. Choose another one.")
        text = clean_text(cell)
        return text if name == "note" else text.replace("\n", " ").replace("\t", " ")

    def _values(self, cells: Sequence[str]) -> dict[str, str]:
        """Return what is not empty."""
        names = [self._cell(cells, name) for name in ("name", "first_name", "last_name")]
        values = {"name": names[0] or " ".join(filter(None, names[1:]))}
        for name in ("company", "reference", "note", "email", "time_zone"):
            values[name] = self._cell(cells, name)
        for name, value in values.items():
            check_value(self._named(name), name, value)
        values |= self._consent(cells)
        return {name: value for name, value in values.items() if value}

    def _named(self, name: str) -> str:
        """Return the field whose column holds the value: the name may stand in two others."""
        return "first_name" if name == "name" and name not in self.mapping else name

    def _yes_or_no(self, cells: Sequence[str]) -> bool:
        folded = fold_text(self._cell(cells, "opt_out")).replace("-", " ").strip()
        if folded in _YES:
            return True
        if folded in _NO:
            return False
        reason = "is neither yes nor no. Nobody should be texted on a guess."
        raise BadCell("opt_out", reason)

    def _consent(self, cells: Sequence[str]) -> dict[str, str]:
        """Return the words of a consent, "yes" where there are none, and when it was given."""
        words, given = self._cell(cells, "consent"), self._cell(cells, "consent_at")
        folded = fold_text(words)
        if folded in _NO and not (given and "consent" not in self.mapping):
            return {}
        if len(words) > LONGEST_CONSENT:
            raise BadCell("consent", f"has more than {LONGEST_CONSENT} characters.")
        at = parse_moment(given, self.region) if given else None
        said = "yes" if folded in _YES or not words else words
        return {"consent": said, "consent_at": at.isoformat() if at else ""}


def check_value(named: str, name: str, value: str) -> None:
    """Raise BadCell for a value that a contact cannot have."""
    longest = LONGEST.get(name)
    if longest and len(value) > longest:
        raise BadCell(named, f"has {len(value)} characters; at most {longest} can be kept.")
    if value and is_blank(value):
        raise BadCell(named, "has no visible characters.")
    if name == "email" and value:
        try:
            validate_email(value)
        except ValidationError as error:
            raise BadCell(named, "isn't an e-mail address.") from error
    if name == "time_zone" and value and value not in times.zone_names():
        raise BadCell(named, "isn't a time zone. Write it like America/New_York.")


def clean_text(cell: str) -> str:
    """Return the text without control characters, but for the ends of lines."""
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    if text.isprintable():
        return text.strip()
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    return "".join(kept).strip()


def parse_moment(cell: str, region: str) -> datetime:
    """Return a date or a moment. One in the future is wrong, and so is one of another age."""
    try:
        moment = datetime.fromisoformat(cell)
        is_date = len(cell) <= 10
    except ValueError:
        moment, is_date = datetime.combine(_parse_date(cell, region), time()), True
    if is_date or timezone.is_naive(moment):
        # A day is kept as its noon, so that it is that day in most time zones.
        moment = datetime.combine(moment.date(), time(12) if is_date else moment.time())
        moment = moment.replace(tzinfo=UTC)
    if moment.year < FIRST_YEAR:
        raise BadCell("consent_at", f"is before {FIRST_YEAR}.")
    if moment > timezone.now() + timedelta(days=1):
        raise BadCell("consent_at", "is in the future.")
    return moment.astimezone(UTC).replace(microsecond=0)


def _parse_date(cell: str, region: str) -> date:
    in_region = _MONTH_FIRST if region in _MONTH_FIRST_REGIONS else _DAY_FIRST
    for pattern in (*_DATES, *in_region):
        try:
            return datetime.strptime(cell.split(" ")[0], pattern).date()  # noqa: DTZ007  a day
        except ValueError:
            continue
    raise BadCell("consent_at", "isn't a date. Write it like 2026-11-28.")
