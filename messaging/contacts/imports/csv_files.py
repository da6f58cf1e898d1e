"""Read a file of contacts, whatever wrote it: its encoding, its separator and its lines.

A file is read as a stream. What cannot be a table of contacts is refused with a sentence: a
workbook, a picture, a line without end.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import IO

from messaging.contacts.imports import encodings

CHUNK = 64 * 1024
LONGEST_LINE = 200_000  # bytes or characters
MOST_COLUMNS = 200
SAMPLE = 64 * 1024  # bytes
SAMPLE_ROWS = 50

SEPARATORS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}

# How files begin that people take for tables, or by mistake.
_KINDS = {
    b"PK\x03\x04": "This is a spreadsheet workbook, not a CSV file.",
    b"\xd0\xcf\x11\xe0": "This is an old spreadsheet workbook, not a CSV file.",
    b"%PDF": "This is a PDF document, not a CSV file.",
    b"\x89PNG": "This is a picture, not a CSV file.",
    b"\xff\xd8\xff": "This is a picture, not a CSV file.",
    b"BEGIN:VCARD": "This is a contact card, not a CSV file.",
}
_CURE = "In the program that has your contacts, save or export them as CSV."
_NOT_TEXT = f"This file isn't text, so it can't be a table of contacts. {_CURE}"
_EMPTY = "This file is empty."
_MARK = "\ufeff"


class Unreadable(Exception):
    """Raised when a file is no table of contacts; the text is the sentence for the agent."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Hold how a file is written."""

    encoding: str
    separator: str
    has_header: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what one look at all bytes of a file tells."""

    encoding: str
    line_count: int  # of lines in the file; a row may have several
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Row:
    """Hold a row by its number in a spreadsheet, from 1; `problem` says why it has no cells."""

    number: int
    cells: list[str]
    problem: str = ""

    @property
    def is_blank(self) -> bool:
        return not self.problem and not any(cell.strip() for cell in self.cells)


class _Look:
    """Look at the bytes of a file, chunk by chunk."""

    def __init__(self) -> None:
        self.digest, self.size, self.line_count = hashlib.sha256(), 0, 0
        self.encoding: str | None = None
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._is_utf8 = True
        self._odd_lines = bytearray()
        self._rest = b""

    def take(self, chunk: bytes) -> None:
        if not self.size:
            self._refuse_other_kinds(chunk)
            self.encoding = encodings.guess_by_first_bytes(chunk)
        self.size += len(chunk)
        self.digest.update(chunk)
        self._check_letters(chunk)
        self._count_lines(chunk)

    def _refuse_other_kinds(self, beginning: bytes) -> None:
        for mark, sentence in _KINDS.items():
            if beginning.startswith(mark):
                raise Unreadable(f"{sentence} {_CURE}")

    def _check_letters(self, chunk: bytes) -> None:
        if self.encoding in {"utf-16-le", "utf-16-be"}:
            return
        if b"\0" in chunk:
            raise Unreadable(_NOT_TEXT)
        if self._is_utf8:
            try:
                self._utf8.decode(chunk)
            except UnicodeDecodeError:
                self._is_utf8 = False

    def _count_lines(self, chunk: bytes) -> None:
        lines = (self._rest + chunk).splitlines(keepends=True)
        self._rest = lines.pop() if lines and lines[-1][-1:] not in {b"\n", b"\r"} else b""
        for number, line in enumerate([*lines, self._rest], start=self.line_count + 1):
            if len(line) > LONGEST_LINE:
                raise Unreadable(_too_long(number))
        self.line_count += len(lines)
        for line in lines:
            self._keep(line)

    def _keep(self, line: bytes) -> None:
        if not line.isascii() and len(self._odd_lines) < SAMPLE:
            self._odd_lines += line

    def end(self) -> Facts:
        if not self.size:
            raise Unreadable(_EMPTY)
        self.line_count += bool(self._rest)
        self._keep(self._rest)
        if self.encoding is None:
            is_whole = self._is_utf8 and not self._utf8.getstate()[0]
            odd = bytes(self._odd_lines)
            self.encoding = "utf-8" if is_whole else encodings.guess_by_letters(odd)
        return Facts(self.encoding, self.line_count, self.size, self.digest.hexdigest())


def look_at(file: IO[bytes]) -> Facts:
    """Read all bytes once; guess the encoding. Raises Unreadable."""
    look = _Look()
    file.seek(0)
    while chunk := file.read(CHUNK):
        look.take(chunk)
    return look.end()


def guess_separator(file: IO[bytes], encoding: str) -> str:
    """Return the separator with which the first rows have as many cells as the very first."""
    beginning = _beginning(file, encoding)
    told = _told_separator(beginning[:1])
    if told:
        return told
    scores = {separator: _fit(beginning, separator) for separator in SEPARATORS}
    return max(scores, key=lambda separator: scores[separator])


def _fit(lines: list[str], separator: str) -> tuple[float, int]:
    try:
        rows = [row for row in csv.reader(lines, delimiter=separator) if row]
    except csv.Error:
        return 0.0, 0
    width = len(rows[0]) if rows else 0
    if width < 2:
        return 0.0, 0
    return round(sum(len(row) == width for row in rows) / len(rows), 1), width


def _beginning(file: IO[bytes], encoding: str) -> list[str]:
    file.seek(0)
    text = file.read(CHUNK).decode(encoding, "replace").removeprefix(_MARK)
    lines = text.splitlines(keepends=True)
    return lines[: min(SAMPLE_ROWS, max(len(lines) - 1, 1))]


def _told_separator(lines: list[str]) -> str:
    """Return the separator that Excel's own first line `sep=;` tells."""
    line = lines[0].strip("\r\n") if lines else ""
    is_told = len(line) == 5 and line.lower().startswith("sep=") and line[4] in SEPARATORS
    return line[4] if is_told else ""


def read_rows(file: IO[bytes], dialect: Dialect) -> Generator[Row, None, None]:
    """Yield all rows, that with the names of the columns too. Raises Unreadable."""
    file.seek(0)
    text = io.TextIOWrapper(
        file, encoding=dialect.encoding, errors="replace", newline="", write_through=False
    )
    try:
        yield from _parse(_lines(text), dialect.separator)
    finally:
        text.detach()


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    while line := text.readline(LONGEST_LINE + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(_MARK)
            if _told_separator([line]):
                continue
        if len(line) > LONGEST_LINE:
            raise Unreadable(_too_long(number))
        if "\0" in line:
            raise Unreadable(_NOT_TEXT)
        yield line


def _parse(lines: Iterator[str], separator: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=separator, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "field larger" in str(error) or "end of data" in str(error):
                raise Unreadable(_unclosed(number)) from error
            yield Row(number, [], "A quotation mark in this line stands where none can be.")
            continue
        if len(cells) > MOST_COLUMNS:
            raise Unreadable(
                f"Line {number} has {len(cells)} columns. A file may have {MOST_COLUMNS} of them."
            )
        yield Row(number, cells)


def _too_long(number: int) -> str:
    return (
        f"Line {number} has more than {LONGEST_LINE:,} characters, so this can't be a table of "
        f"contacts. {_CURE}"
    )


def _unclosed(number: int) -> str:
    return (
        f"Line {number} begins a quotation mark that never ends. Close it in the file, and upload "
        "it again."
    )


def read_head(file: IO[bytes], dialect: Dialect, count: int) -> list[Row]:
    """Return the first rows that are not blank. Raises Unreadable."""
    found = []
    with closing(read_rows(file, dialect)) as rows:
        for row in rows:
            if not row.is_blank:
                found.append(row)
            if len(found) == count:
                break
    if not found:
        raise Unreadable(_EMPTY)
    return found
