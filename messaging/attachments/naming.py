"""The name that a file came with: shown to people, never used to find or run anything."""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 100


def clean_name(raw: str) -> str:
    """Remove folders, invisible characters and those that change the direction of letters.

    Returns "" if nothing is left.
    """
    last = re.split(r"[/\\]", raw)[-1]
    seen = "".join(letter for letter in last if not unicodedata.category(letter).startswith("C"))
    name = " ".join(seen.split()).strip(" .")
    if len(name) <= MAX_LENGTH:
        return name
    stem, dot, ending = name.rpartition(".")
    if dot and len(ending) <= 8:
        return f"{stem[: MAX_LENGTH - len(ending) - 2]}….{ending}"
    return f"{name[: MAX_LENGTH - 1]}…"
