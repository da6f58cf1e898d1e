"""Hold the statements that write many rows of an import at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from messaging.models import ContactImportLine

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


def line_columns(lines: Sequence[ContactImportLine]) -> dict[str, list[Any]]:
    return {
        "pk": [line.pk for line in lines],
        "outcome": [line.outcome for line in lines],
        "changes": [json.dumps(line.changes) for line in lines],
        "before": [json.dumps(line.before) for line in lines],
    }
