"""How carriers cut a text into segments, each of which is paid for.

The page counts with `static/js/composer/segments.js`, which says the same of every text; a test
holds the two together. It is about texts to customers: internal messages have no segments.
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
EXTENSION = frozenset("^{}[]~\\|€\f")
"""These take two septets, the first of which only says that the second is one of them."""
NEARLY_FULL = 20
"""So few places left in the first segment are worth a word."""
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
"""What is taken for its plain sister, or not seen at all."""
_INVISIBLE = re.compile(r"Z.|M.|Cc|Cf")


@dataclass(frozen=True, slots=True)
class Segments:
    """`room`: places left in the last one; a place is a septet, or in Unicode a UTF-16 unit.
    `forced_by`: the first character that GSM-7 lacks, empty if there is none."""

    count: int
    room: int
    places: int
    forced_by: str

    @property
    def is_worth_saying(self) -> bool:
        return self.count > 1 or (
            self.count == 1 and (bool(self.forced_by) or self.room <= NEARLY_FULL)
        )

    @property
    def size(self) -> str:
        plural = "" if self.count == 1 else "s"
        return f"{self.places - self.room}/{self.places} · {self.count} segment{plural}"

    @property
    def reason(self) -> str:
        return f"{_name_character(self.forced_by)} makes it Unicode" if self.forced_by else ""

    @property
    def explanation(self) -> str:
        if not self.forced_by:
            return "A text holds 160 characters, or 153 in each segment of a longer one."
        return (
            f"A Unicode text holds 70 characters a segment instead of 160. "
            f"Here it is because of {_name_character(self.forced_by)}."
        )


def count_segments(text: str) -> Segments:
    """An empty text has no segment."""
    forced_by = next((one for one in text if one not in GSM_7 and one not in EXTENSION), "")
    if forced_by:
        return _split_into_segments(
            [2 if one > "\uffff" else 1 for one in text], 70, 67, forced_by
        )
    return _split_into_segments([2 if one in EXTENSION else 1 for one in text], 160, 153, "")


def _split_into_segments(widths: Sequence[int], alone: int, part: int, forced_by: str) -> Segments:
    """What takes two places stands in one segment, so that a place may stay empty at its end."""
    total = sum(widths)
    if total <= alone:
        return Segments(1 if total else 0, alone - total, alone, forced_by)
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
