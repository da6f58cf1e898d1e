"""Tell whether two addresses or names are the same. The database compares too loosely for that:
in capitals, in which an `i` without its dot is like one with it."""

from __future__ import annotations

import unicodedata


def is_same_address(one: str, other: str) -> bool:
    """Return True for two spellings of one e-mail address. A look-alike is somebody else's."""
    return one.isascii() == other.isascii() and fold(one) == fold(other)


def fold(text: str) -> str:
    """Return what two spellings of one name have in common."""
    return unicodedata.normalize("NFKC", text).casefold()
