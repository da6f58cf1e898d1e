"""Hold the statements that write many rows of an import at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from django.db import connection

from messaging.models import ContactImportLine

# The rows go in as one JSON document, which both sides handle faster than thousands of parameters.
_INSERT_LINES = """
INSERT INTO messaging_contactimportline
    (contact_import_id, line, outcome, address, values, is_opt_out, changes, "column", error)
SELECT %(import)s, line, outcome, address, values, is_opt_out, changes, "column", error
FROM json_to_recordset(%(rows)s::json) AS given (
    line integer, outcome text, address text, values jsonb, is_opt_out boolean, changes jsonb,
    "column" text, error text)
"""

UPDATE_CONTACTS = """
UPDATE threads_contact AS contact
SET name = given.name, company = given.company, email = given.email, reference = given.reference,
    note = given.note, time_zone = given.time_zone, words = given.words::tsvector
FROM unnest(%(pk)s::bigint[], %(name)s::text[], %(company)s::text[], %(email)s::text[],
            %(reference)s::text[], %(note)s::text[], %(time_zone)s::text[], %(words)s::text[])
    AS given (pk, name, company, email, reference, note, time_zone, words)
WHERE contact.id = given.pk
"""

SAVE_LINES = """
UPDATE messaging_contactimportline AS line
SET outcome = given.outcome, changes = given.changes::jsonb, before = given.before::jsonb
FROM unnest(%(pk)s::bigint[], %(outcome)s::text[], %(changes)s::text[], %(before)s::text[])
    AS given (pk, outcome, changes, before)
WHERE line.id = given.pk
"""


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


def insert_lines(import_id: int, lines: Sequence[PlannedLine]) -> None:
    rows = [{name: getattr(line, name) for name in _LINE_COLUMNS} for line in lines]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_LINES, {"import": import_id, "rows": json.dumps(rows)})


_LINE_COLUMNS = tuple(each.name for each in fields(PlannedLine))


def line_columns(lines: Sequence[ContactImportLine]) -> dict[str, list[Any]]:
    return {
        "pk": [line.pk for line in lines],
        "outcome": [line.outcome for line in lines],
        "changes": [json.dumps(line.changes) for line in lines],
        "before": [json.dumps(line.before) for line in lines],
    }
