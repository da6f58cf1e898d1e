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

_ALONE = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # written without spaces: each one is a word
_WORD = re.compile(rf"[{_ALONE}]|[^\W{_ALONE}]+")


def fold(text: str) -> str:
    """Without case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))


def words_of(text: str) -> list[str]:
    """The folded words, each once, in the order of the text."""
    found = dict.fromkeys(word[:LONGEST] for word in _WORD.findall(fold(text)))
    return list(found)[:MOST]


def vector(inbox_id: int, words: Iterable[str]) -> str:
    """A tsvector literal. The inbox is one of its words, so that one index serves them all."""
    return " ".join(f"'{word}'" for word in (_inbox(inbox_id), *words))


def query(inbox_ids: Collection[int], words: Iterable[str]) -> str:
    """A tsquery literal: in one of the inboxes, every word as the beginning of one."""
    places = " | ".join(f"'{_inbox(key)}'" for key in sorted(inbox_ids))
    return " & ".join([f"({places})", *(f"'{word}':*" for word in words)])


def number_words(address: str) -> list[str]:
    """Every run of three digits, by which a part of a number is found."""
    digits = "".join(c for c in address if c in "0123456789")
    return list(dict.fromkeys(f"#{digits[i : i + 3]}" for i in range(len(digits) - 2)))


def _inbox(inbox_id: int) -> str:
    return f"~{inbox_id}"
