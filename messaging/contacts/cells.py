"""Make cells harmless for a spreadsheet, and read them back exactly.

A spreadsheet runs a cell that begins like a formula. An apostrophe in front keeps it a word.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from threads import addresses

# Those of other scripts count for some spreadsheets too.
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"


def make_harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _looks_like_formula(cell) else cell


def read_harmless(cell: str) -> str:
    """Return what `make_harmless` was given."""
    is_marked = cell.startswith("'") and _looks_like_formula(cell)
    return cell[1:] if is_marked else cell


def _looks_like_formula(cell: str) -> bool:
    return cell.lstrip("'").startswith(_STARTS_FORMULA)


def format_number(address: str) -> str:
    """Return an address that stays text in a spreadsheet: no formula, no rounded number."""
    shown = addresses.format_address(address)
    if not shown.startswith("+"):
        return shown
    code, _, rest = shown.partition(" ")
    return f"({code}) {rest}"


def write_rows(rows: Iterable[Sequence[str]], *, separator: str = ",") -> str:
    """Return the rows as lines of a CSV file, each cell harmless."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator)
    writer.writerows([make_harmless(cell) for cell in row] for row in rows)
    return written.getvalue()
