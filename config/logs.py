"""A log formatter that keeps personal data and secrets out of the logs."""

import logging
import re

# PostgreSQL repeats whole rows in these lines of an error ("Failing row contains (…)").
_DATA_LINES = re.compile(r"^(DETAIL|CONTEXT|LINE \d+):.*(?:\n\s+.*)*", re.MULTILINE)
# Anybody with such a URL can fetch a picture, get in as a colleague, or needs only a signature to
# pose as a carrier. Links are pasted by people, with spaces and signs around them.
_SECRET_PATHS = re.compile(
    r"(/webhooks/+(?:[^/\s\"']+/+)?(?=[\w-]{32}(?![\w-]))|/media/"
    r"|/(?:invitation|e-mails/+stop|account/+new-phone)/+[\s.,;\"'<>]*)[^\s\"']+",
    re.IGNORECASE,
)
# The same at the beginning of a path or behind a host, in any spelling (`webhook_paths`); the
# carrier's name is kept. What has a folder before it is a file.
_SLASH = "(?:/|%2F)+"
_WEBHOOK_PATHS = re.compile(
    rf"""(
        (?: ://[^/\s"']* | (?<![\w.~/-]) (?:[\w-][\w.-]*(?::\d+)?)? )
        {_SLASH} webhooks {_SLASH}
    )
    (?: ([a-z]{{1,20}}{_SLASH}) | [^/\n]*?{_SLASH} )?
    [\s.,;"'<>]* [^\s"']+""",
    re.IGNORECASE | re.VERBOSE,
)
# The one-time key of a new installation.
_SETUP_KEYS = re.compile(r"(key(?:=|%3D))[\w%-]{20,}", re.IGNORECASE)
_NUMBERS = re.compile(r"(\+|%2B)\d{7,15}\b", re.IGNORECASE)
# Errors quote what they cannot parse: "invalid literal for int() with base 10: 'my secret'". The
# lines of a traceback that name files and show code are indented; they are kept.
_TRACEBACK = "Traceback (most recent call last)"
_ERROR_LINES = re.compile(r"^(?:\s*[|+] )?(?![\s|+]).*", re.MULTILINE)
_QUOTED = re.compile(r"(\b(?:constraint|relation|column|table|attribute) \"\w+\")|([\"']).*\2")


class RedactingFormatter(logging.Formatter):
    """Leaves out quotations in errors, telephone numbers, and secret parts of URLs."""

    def format(self, record: logging.LogRecord) -> str:
        text = _DATA_LINES.sub(r"\1: (left out)", super().format(record))
        if _TRACEBACK in text or record.exc_info:
            text = _ERROR_LINES.sub(_without_quotes, text)
        text = _NUMBERS.sub(r"\1-", _SETUP_KEYS.sub(r"\1-", text))
        return _SECRET_PATHS.sub(r"\1-", _WEBHOOK_PATHS.sub(r"\1\2-", text))


def _without_quotes(line: re.Match[str]) -> str:
    return _QUOTED.sub(lambda quoted: quoted[1] or f"{quoted[2]}-{quoted[2]}", line[0])
