"""Find values in a text that were filled in for somebody else, before its recipient was changed.

`static/js/composer/stale-values.js` finds the same ones in a page.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable


class SaysOthersValues(Exception):
    """The text holds values that its placeholders no longer have, and its author was not asked."""

    def __init__(self, values: list[str]) -> None:
        super().__init__(values)
        self.values = values


def find_stale(text: str, filled: Iterable[str], current: Collection[str]) -> list[str]:
    """Return the values that still stand in the text and are none of the current ones.

    The longest come first; a part of one that was found is no further one.
    """
    found = []
    for value in sorted({*filled} - {*current, ""}, key=lambda one: (-len(one), one)):
        rest = text
        for other in current:
            if value in other:
                rest = _pattern(other).sub(" ", rest)
        if _pattern(value).search(rest):
            found.append(value)
            text = _pattern(value).sub(" ", text)
    return found


def _pattern(value: str) -> re.Pattern[str]:
    """Match the value as words of its own, where its script tells words apart."""
    whole = re.escape(value)
    return re.compile(rf"(?<!\w){whole}(?!\w)" if value.lower() != value.upper() else whole)
