"""Words for the search index: folded, and written as PostgreSQL's tsvector and tsquery.

PostgreSQL's own text parser is not used: stored texts and queries have to be folded alike, and the
embedded server has no dictionaries.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from threads.folding import fold_text

MAX_WORD_LENGTH = 64  # further characters of a word are not indexed
MAX_WORDS = 2_000  # further words of one text are not indexed
DIGITS = "0123456789"

DETAIL_MARK = "="  # before words of a contact that only the list of contacts is searched by

_SINGLE_CHARACTERS = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # no spaces between words
WORD = re.compile(rf"[{_SINGLE_CHARACTERS}]|[^\W{_SINGLE_CHARACTERS}]+")


def split_words(text: str) -> list[str]:
    """Return the folded words of a text, each once, in the order of the text."""
    found = dict.fromkeys(word[:MAX_WORD_LENGTH] for word in WORD.findall(fold_text(text)))
    return list(found)[:MAX_WORDS]


def build_tsvector(inbox_id: int, words: Iterable[str]) -> str:
    """Return a tsvector literal.

    The inbox is part of every word, so that one index serves all inboxes and a search reads
    nothing of the inboxes that it does not ask for.
    """
    return " ".join(_word_in_inbox(inbox_id, word) for word in words)


def build_contact_vector(inbox_id: int, address: str, name: str, details: Iterable[str]) -> str:
    """Return a contact's words: those of the name, the pieces of the number, and the details.

    Details, such as the company, are marked: the search in messages doesn't find them.
    """
    marked = (DETAIL_MARK + word for text in details for word in split_words(text))
    found = dict.fromkeys([*split_words(name), *digit_triples(address), *marked])
    return build_tsvector(inbox_id, found)


def build_tsquery(
    inbox_ids: Collection[int],
    words: Collection[str],
    *,
    with_numbers: bool = False,
    with_details: bool = False,
) -> str:
    """Return a tsquery literal: in one of the inboxes, every word as the beginning of a word.

    With `with_numbers`, three digits or more also match inside a number; such a match can be a
    false one and has to be checked against the row. With `with_details`, a contact's details
    match, too. Without words or inboxes the query is empty and finds nothing.
    """
    each = [
        " & ".join(
            _build_term(key, word, with_numbers=with_numbers, with_details=with_details)
            for word in words
        )
        for key in sorted(inbox_ids)
    ]
    return " | ".join(f"({term})" for term in each if term)


def is_digit_run(word: str) -> bool:
    """Return True for three digits or more, which may be part of a number."""
    return len(word) >= 3 and all(c in DIGITS for c in word)


def digit_triples(address: str) -> list[str]:
    """Return every three consecutive digits as a word, by which a part of a number is found."""
    digits = "".join(c for c in address if c in DIGITS)
    return list(dict.fromkeys(f"#{digits[i : i + 3]}" for i in range(len(digits) - 2)))


def _build_term(inbox_id: int, word: str, *, with_numbers: bool, with_details: bool) -> str:
    terms = [f"{_word_in_inbox(inbox_id, word)}:*"]
    if with_details:
        terms.append(f"{_word_in_inbox(inbox_id, DETAIL_MARK + word)}:*")
    if with_numbers and is_digit_run(word):
        runs = " & ".join(_word_in_inbox(inbox_id, run) for run in digit_triples(word))
        terms.append(f"({runs})")
    return f"({' | '.join(terms)})" if len(terms) > 1 else terms[0]


def _word_in_inbox(inbox_id: int, word: str) -> str:
    return f"'{inbox_id}~{word}'"
