"""Fold characters, so that texts which people take for the same compare as equal.

`static/js/shared/folding.js` folds alike; tests compare the two.
"""

from __future__ import annotations

import re
import unicodedata

# Letters that Unicode does not decompose, each with what people type instead.
_PAIRS = (
    "ı=i æ=ae œ=oe ø=o ł=l đ=d ð=d þ=th ħ=h ŧ=t ŋ=n ĸ=q ə=e ɛ=e ɔ=o ȷ=j "
    "ƀ=b ƃ=b ɓ=b ƈ=c ȼ=c ƌ=d ȡ=d ɖ=d ɗ=d ɇ=e ƒ=f ǥ=g ɠ=g ɦ=h ɨ=i ɉ=j ƙ=k ƚ=l ȴ=l ɫ=l "
    "ƞ=n ȵ=n ɲ=n ɵ=o ƥ=p ɋ=q ɍ=r ɽ=r ȿ=s ƫ=t ƭ=t ȶ=t ʈ=t ʉ=u ʋ=v ƴ=y ɏ=y ƶ=z ȥ=z ɀ=z"
)
_PLAIN_LETTERS = dict(pair.split("=") for pair in _PAIRS.split(" "))

# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt): nothing shows them.
_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{_IGNORABLE}]")
# These draw nothing either: white space, control characters, a Braille cell without dots, marks of
# annotations, a note without a head.
_BLANK = re.compile(f"[{_IGNORABLE}\\s\x00-\x1f\x7f-\x9f\u2800\ufff9-\ufffb\U0001d159]*")


class _Folded(dict[int, str]):
    """Fold characters as `str.translate` asks for them, each once."""

    def __missing__(self, code: int) -> str:
        decomposed = fold_case(unicodedata.normalize("NFKD", chr(code)))
        parts = _INVISIBLE.sub("", unicodedata.normalize("NFKD", decomposed))
        letters = (c for c in parts if unicodedata.category(c) not in {"Mn", "Me"})
        self[code] = "".join(_PLAIN_LETTERS.get(letter, letter) for letter in letters)
        return self[code]


_FOLDED = _Folded()


def fold_text(text: str) -> str:
    """Return the text without case, accents, strokes, ligatures and invisible characters.

    Each character is folded for itself, so that offsets can be traced back.
    """
    return text.translate(_FOLDED)


def fold_with_origins(text: str) -> tuple[str, list[int]]:
    """Return the folded text, and for each of its characters the offset that it comes from."""
    parts = [fold_text(character) for character in text]
    origins = [offset for offset, part in enumerate(parts) for _ in part]
    return "".join(parts), origins


def fold_case(text: str) -> str:
    """Return the text without case. The dotless i of Turkish stays another letter than i."""
    return "".join(c if c == "ı" else c.lower().upper().lower() for c in text)


def is_blank(text: str) -> bool:
    """Return True if nothing of the text can be seen."""
    return _BLANK.fullmatch(text) is not None
