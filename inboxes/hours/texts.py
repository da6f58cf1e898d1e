"""The texts that an inbox sends by itself, and the words in braces that they may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

CLOSED_PLACEHOLDERS = ("inbox", "contact", "first name", "number", "opens")
GREETING_PLACEHOLDERS = CLOSED_PLACEHOLDERS[:-1]

# What words in braces may stand for, to say how long a text becomes.
SAMPLE = {
    "inbox": "Front Desk",
    "contact": "Maria Alvarez",
    "first name": "Maria",
    "number": "(202) 555-0110",
    "opens": "Wednesday at 10:30 AM",
}

_IN_BRACES = re.compile(r"\{([^{}\n]{1,40})\}")
_PLACEHOLDER = re.compile(rf"\{{({'|'.join(CLOSED_PLACEHOLDERS)})\}}", re.IGNORECASE | re.ASCII)
# Stands for a placeholder without a value until what belongs to it is gone too.
_HOLE = "\0"
_AT_THE_BEGINNING = re.compile(rf"^\s*{_HOLE}[\s,;:.!?–—-]*")
_ELSEWHERE = re.compile(rf",?[^\S\n]*{_HOLE}")


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """Put the values, by the placeholders' names, into a text that nobody reads before it leaves.

    A placeholder without a value goes, with the space or comma before it: "Hi {first name}, we…"
    becomes "Hi, we…". Placeholders inside a value stay as they are.
    """
    filled = _PLACEHOLDER.sub(lambda found: values.get(found[1].lower()) or _HOLE, text)
    if _HOLE not in filled:
        return filled
    rest = _AT_THE_BEGINNING.sub("", filled)
    if rest != filled:
        rest = rest[:1].upper() + rest[1:]
    return _ELSEWHERE.sub("", rest).strip()


def find_unknown(text: str, known: Sequence[str]) -> list[str]:
    """Return the words in braces that would leave as they are written, each once."""
    found = (word[0] for word in _IN_BRACES.finditer(text) if word[1].lower() not in known)
    return list(dict.fromkeys(found))


def list_placeholders(names: Sequence[str]) -> str:
    """Return "{inbox}, {contact} and {number}"."""
    *first, last = (f"{{{name}}}" for name in names)
    return f"{', '.join(first)} and {last}"
