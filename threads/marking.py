"""Where the words that were looked for stand in a text, and the piece of it that shows them."""

from __future__ import annotations

import re
from collections.abc import Collection

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from threads.words import DIGITS, words_of

# A letter with the accents that may follow it as characters of their own; or any other character
# of a word.
_TOKEN = re.compile(r"(?:\w[\u0300-\u036f]*)+")

SHOWN_BEFORE = 14
"""Characters ahead of the first mark: a list's row shows one short line."""

LONGEST = 160

Span = tuple[int, int]


def spans(text: str, words: Collection[str]) -> list[Span]:
    """The words of the text that begin with one of those, which are folded."""
    if not words:
        return []
    return [
        token.span()
        for token in _TOKEN.finditer(text)
        if any(own.startswith(word) for own in words_of(token.group()) for word in words)
    ]


def number_span(text: str, digits: str) -> Span | None:
    """The run of digits in a number, however it is spaced."""
    places = [index for index, character in enumerate(text) if character in DIGITS]
    start = "".join(text[place] for place in places).find(digits)
    if not digits or start < 0:
        return None
    return places[start], places[start + len(digits) - 1] + 1


def marked(text: str, found: list[Span]) -> SafeString:
    """Escaped, with a mark around each span."""
    parts: list[SafeString] = []
    position = 0
    for start, end in found:
        parts.append(format_html("{}<mark>{}</mark>", text[position:start], text[start:end]))
        position = end
    parts.append(format_html("{}", text[position:]))
    return mark_safe("".join(parts))  # noqa: S308  each part was escaped


def piece(body: str, words: Collection[str], longest: int = LONGEST) -> SafeString:
    """One line of the body, from shortly before its first mark."""
    line = " ".join(body.split())
    found = spans(line, words)
    start = _beginning(line, found[0][0]) if found else 0
    shown = line[start : start + longest]
    inside = [(a - start, min(b - start, len(shown))) for a, b in found if a - start < len(shown)]
    ahead = "… " if start else ""
    behind = " …" if start + longest < len(line) else ""
    return format_html("{}{}{}", ahead, marked(shown, inside), behind)


def _beginning(line: str, first: int) -> int:
    """The border of a word some characters before the first mark, or the line's own beginning."""
    if first <= SHOWN_BEFORE:
        return 0
    space = line.find(" ", first - SHOWN_BEFORE, first)
    return space + 1 if space >= 0 else first
