"""Count the segments into which carriers split a text, and for each of which they charge.

The page counts with `static/js/composer/segments.js`; a test checks that the two agree on every
text. Internal messages have no segments.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)

# Characters that take two septets, the first of which is an escape.
EXTENSION = frozenset("^{}[]~\\|€\f")

# The count is shown once the first segment has no more room than this.
NEARLY_FULL = 20

# Characters that are easily mistaken for a plain one or not seen at all.
NAMES = {
    "\t": "a tab",
    "`": "backtick `",
    "\u00a0": "a no-break space",
    "\u200b": "an invisible space",
    "\u2013": "long dash \u2013",
    "\u2014": "long dash \u2014",
    "\u2018": "curly quote \u2018",
    "\u2019": "curly quote \u2019",
    "\u201c": "curly quote \u201c",
    "\u201d": "curly quote \u201d",
    "\u201e": "curly quote \u201e",
    "\u2026": "ellipsis \u2026",
    "\u202f": "a no-break space",
}
_INVISIBLE = re.compile(r"Z.|M.|Cc|Cf")


@dataclass(frozen=True, slots=True)
class Segments:
    """Hold how many segments a text takes.

    `room` is what is left in the last segment and `capacity` what all of them hold, in septets, or
    in UTF-16 units if the text is Unicode. `forced_by` is the first character that GSM-7 lacks, or
    empty.
    """

    count: int
    room: int
    capacity: int
    forced_by: str

    @property
    def is_worth_showing(self) -> bool:
        return self.count > 1 or (
            self.count == 1 and (bool(self.forced_by) or self.room <= NEARLY_FULL)
        )

    @property
    def size(self) -> str:
        plural = "" if self.count == 1 else "s"
        return f"{self.capacity - self.room}/{self.capacity} · {self.count} segment{plural}"

    @property
    def reason(self) -> str:
        """Return what stands before "characters"; `explanation` names the character in full."""
        if not self.forced_by:
            return ""
        is_seen = not _INVISIBLE.fullmatch(unicodedata.category(self.forced_by))
        name = self.forced_by if is_seen else _name_character(self.forced_by)
        return f"{name} shortens segments to 70"

    @property
    def explanation(self) -> str:
        if not self.forced_by:
            return "A text holds 160 characters, or 153 in each segment of a longer one."
        name = _name_character(self.forced_by)
        return f"With {name}, a segment holds 70 characters instead of 160."


def count_segments(text: str) -> Segments:
    """Count the text's segments; an empty text has none."""
    forced_by = next((char for char in text if char not in GSM_7 and char not in EXTENSION), "")
    if forced_by:
        return _split_into_segments(
            [2 if char > "\uffff" else 1 for char in text], 70, 67, forced_by
        )
    return _split_into_segments([2 if char in EXTENSION else 1 for char in text], 160, 153, "")


def _split_into_segments(
    widths: Sequence[int], single: int, part: int, forced_by: str
) -> Segments:
    """Fill segments one by one, never splitting a character that takes two units."""
    total = sum(widths)
    if total <= single:
        return Segments(1 if total else 0, single - total, single, forced_by)
    count, room = 1, part
    for width in widths:
        if width > room:
            count, room = count + 1, part
        room -= width
    return Segments(count, room, part * count, forced_by)


def _name_character(character: str) -> str:
    if character in NAMES:
        return NAMES[character]
    if _INVISIBLE.fullmatch(unicodedata.category(character)):
        return f"invisible U+{ord(character):04X}"
    return character
