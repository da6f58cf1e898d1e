"""What is searched: the words of a text, folded, as PostgreSQL's tsvector and tsquery.

The server's own parser is not used: folding must be the same for what is kept and what is asked,
and the embedded server carries no dictionaries.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

LONGEST = 64
"""Characters of a word that count."""

MOST = 2_000
"""Words of one text that count."""

DIGITS = "0123456789"

_ALONE = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # written without spaces: each one is a word
_WORD = re.compile(rf"[{_ALONE}]|[^\W{_ALONE}]+")


def fold(text: str) -> str:
    """Return the text without case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))


def words_of(text: str) -> list[str]:
    """The folded words, each once, in the order of the text."""
    found = dict.fromkeys(word[:LONGEST] for word in _WORD.findall(fold(text)))
    return list(found)[:MOST]


def vector(inbox_id: int, words: Iterable[str]) -> str:
    """A tsvector literal. The inbox is part of every word, so that one index serves them all and
    no search touches the words of an inbox that it does not ask for."""
    return " ".join(_in(inbox_id, word) for word in words)


def query(
    inbox_ids: Collection[int], words: Collection[str], *, with_numbers: bool = False
) -> str:
    """A tsquery literal: in one of the inboxes, every word as the beginning of one; `with_numbers`
    three digits and more also as a run within a number, to be checked again on the row itself.

    Empty, which finds nothing, without words or inboxes.
    """
    each = [
        " & ".join(_term(key, word, with_numbers) for word in words) for key in sorted(inbox_ids)
    ]
    return " | ".join(f"({term})" for term in each if term)


def is_run(word: str) -> bool:
    """Whether it may be a part of a number."""
    return len(word) >= 3 and all(c in DIGITS for c in word)


def number_words(address: str) -> list[str]:
    """Every run of three digits, by which a part of a number is found."""
    digits = "".join(c for c in address if c in DIGITS)
    return list(dict.fromkeys(f"#{digits[i : i + 3]}" for i in range(len(digits) - 2)))


def _term(inbox_id: int, word: str, with_numbers: bool) -> str:
    term = f"{_in(inbox_id, word)}:*"
    if not (with_numbers and is_run(word)):
        return term
    runs = " & ".join(_in(inbox_id, run) for run in number_words(word))
    return f"({term} | ({runs}))"


def _in(inbox_id: int, word: str) -> str:
    return f"'{inbox_id}~{word}'"
