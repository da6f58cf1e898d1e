"""Hold the statements that write many rows of an import at once.

The rows go in as one JSON document, which both sides handle faster than thousands of parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from django.db import connection

from threads.models import Contact

_INSERT_LINES = """
INSERT INTO messaging_contactimportline
    (contact_import_id, line, outcome, address, values, is_opt_out, changes, "column", error)
SELECT %(import)s, line, outcome, address, values, is_opt_out, changes, "column", error
FROM json_to_recordset(%(rows)s::json) AS given (
    line integer, outcome text, address text, values jsonb, is_opt_out boolean, changes jsonb,
    "column" text, error text)
"""

_SAVE_LINES = """
UPDATE messaging_contactimportline AS line
SET outcome = given.outcome, changes = given.changes, before = given.before
FROM json_to_recordset(%(rows)s::json)
    AS given (pk bigint, outcome text, changes jsonb, before jsonb)
WHERE line.id = given.pk
"""

_SETTLE_LINES = """
UPDATE messaging_contactimportline AS line
SET outcome = given.outcome, changes = given.changes
FROM json_to_recordset(%(rows)s::json) AS given (pk bigint, outcome text, changes jsonb)
WHERE line.id = given.pk
"""

_ADD_CONTACTS = """
INSERT INTO threads_contact
    (inbox_id, address, raw_address, kind, name, company, email, reference, note, time_zone,
     is_unused, words, created_at)
SELECT %(inbox)s, address, raw_address, kind, name, company, email, reference, note, time_zone,
       true, words::tsvector, %(at)s
FROM json_to_recordset(%(rows)s::json) AS given (
    address text, raw_address text, kind text, name text, company text, email text,
    reference text, note text, time_zone text, words text)
RETURNING address, id
"""

_UPDATE_CONTACTS = """
UPDATE threads_contact AS contact
SET name = given.name, company = given.company, email = given.email, reference = given.reference,
    note = given.note, time_zone = given.time_zone, words = given.words::tsvector
FROM json_to_recordset(%(rows)s::json) AS given (
    pk bigint, name text, company text, email text, reference text, note text, time_zone text,
    words text)
WHERE contact.id = given.pk
"""

_ADD_CONSENTS = """
INSERT INTO threads_consent (contact_id, how, words, given_at, recorded_at, recorded_by_id)
SELECT contact, 'import', words, coalesce(given_at, %(at)s), %(at)s, %(agent)s
FROM json_to_recordset(%(rows)s::json)
    AS given (contact bigint, words text, given_at timestamptz)
RETURNING contact_id, id
"""

_CONTACT_COLUMNS = (
    "pk", "address", "raw_address", "kind", "name", "company", "email", "reference", "note",
    "time_zone", "words",
)  # fmt: skip


@dataclass(slots=True)
class PlannedLine:
    """Hold what a line of the preview says; the names are those of ContactImportLine."""

    line: int
    outcome: str = ""
    address: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    is_opt_out: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    column: str = ""
    error: str = ""


_LINE_COLUMNS = tuple(each.name for each in fields(PlannedLine))


def insert_lines(import_id: int, lines: Sequence[PlannedLine]) -> None:
    rows = [{name: getattr(line, name) for name in _LINE_COLUMNS} for line in lines]
    _run(_INSERT_LINES, rows, {"import": import_id})


def save_lines(rows: Sequence[dict[str, Any]]) -> None:
    """Write `outcome`, `changes` and `before` of lines, by `pk`."""
    _run(_SAVE_LINES, rows, {})


def settle_lines(rows: Sequence[dict[str, Any]]) -> None:
    """Write `outcome` and `changes` of lines that were not done yet, by `pk`."""
    _run(_SETTLE_LINES, rows, {})


def contact_row(contact: Contact) -> dict[str, Any]:
    return {name: getattr(contact, name) for name in _CONTACT_COLUMNS}


def add_contacts(inbox_id: int, rows: Sequence[dict[str, Any]], at: datetime) -> dict[str, int]:
    """Add contacts without a thread; return their keys by address."""
    return dict(_run(_ADD_CONTACTS, rows, {"inbox": inbox_id, "at": at}))


def update_contacts(rows: Sequence[dict[str, Any]]) -> None:
    """Write all values and the words of contacts, by `pk`."""
    _run(_UPDATE_CONTACTS, rows, {})


def add_consents(
    rows: Sequence[dict[str, Any]], *, agent_id: int, at: datetime
) -> Iterable[tuple[int, int]]:
    """Record consents, given `at` where nothing else is known; return contacts' and own keys."""
    return _run(_ADD_CONSENTS, rows, {"agent": agent_id, "at": at})


def _run(
    statement: str, rows: Sequence[dict[str, Any]], details: dict[str, Any]
) -> list[tuple[Any, ...]]:
    if not rows:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, {**details, "rows": json.dumps(rows)})
        return cursor.fetchall() if cursor.description else []
