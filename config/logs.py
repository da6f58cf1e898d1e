"""Logs carry ids, not what people wrote."""

import logging
import re

# PostgreSQL repeats whole rows in these lines of an error ("Failing row contains (…)").
_DATA_LINES = re.compile(r"^(DETAIL|CONTEXT|LINE \d+):.*(?:\n\s+.*)*", re.MULTILINE)


class DiscreetFormatter(logging.Formatter):
    """Drops the lines of a database error that quote stored data."""

    def format(self, record: logging.LogRecord) -> str:
        return _DATA_LINES.sub(r"\1: (left out)", super().format(record))
