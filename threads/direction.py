"""Parts of plain text, as in titles: letters that run the other way stay within them."""

from __future__ import annotations

import re
import unicodedata

# They turn all that follows them round: embeddings, overrides and isolates, with their ends.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT = {"R", "AL", "AN"}
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


def isolate_direction(text: str) -> str:
    """Return a part of a line of plain text that leaves the direction of the line alone.

    In markup `<bdi>` does the same.
    """
    calm = _TURNING.sub("", text)
    if any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in calm):
        return f"{_FIRST_STRONG_ISOLATE}{calm}{_POP_ISOLATE}"
    return calm
