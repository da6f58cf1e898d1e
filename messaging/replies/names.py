"""The names of saved replies: one word each, which people type after a slash."""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 40


class BadName(ValueError):
    """The typed words are no name. The message is for the agent."""


def clean_name(typed: str) -> str:
    """Return the name, without the slash before it. Raises BadName."""
    name = unicodedata.normalize("NFKC", typed).strip().removeprefix("/").strip()
    if not name:
        raise BadName("Give it a short name, such as arrival.")
    if len(name) > MAX_LENGTH:
        raise BadName(f"Use at most {MAX_LENGTH} characters for a name.")
    if not is_word(name):
        joined = re.sub(r"\s+", "-", name)
        hint = f", such as {joined}" if is_word(joined) else ": letters, digits, - and _"
        raise BadName(f"Use one word{hint}.")
    return name


def is_word(name: str) -> bool:
    """Return True for letters of any script, digits, - and _, one letter or digit at least."""
    kinds = [unicodedata.category(character)[0] for character in name]
    has_own = any(kind in "LN" for kind in kinds)
    return has_own and all(
        kind in "LMN" or character in "-_" for kind, character in zip(kinds, name, strict=True)
    )
