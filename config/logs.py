"""Logs carry ids, not what people wrote."""

import logging
import re

# PostgreSQL repeats whole rows in these lines of an error ("Failing row contains (…)").
_DATA_LINES = re.compile(r"^(DETAIL|CONTEXT|LINE \d+):.*(?:\n\s+.*)*", re.MULTILINE)


# Who has these addresses can fetch a picture, or call in a carrier's name but for the signature.
_SECRET_PATHS = re.compile(r"(/webhooks/[a-z]+/|/media/)[^\s\"']+")


class DiscreetFormatter(logging.Formatter):
    """Drops the lines of a database error that quote stored data, and what is secret in a path."""

    def format(self, record: logging.LogRecord) -> str:
        text = _DATA_LINES.sub(r"\1: (left out)", super().format(record))
        return _SECRET_PATHS.sub(r"\1-", text)
