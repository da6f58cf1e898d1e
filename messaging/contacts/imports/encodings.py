"""Guess in which encoding a file of names was written."""

from __future__ import annotations

import codecs
import unicodedata

import charset_normalizer

# What an agent may choose instead of the guess: Python's name of the codec, and ours.
ENCODINGS = {
    "utf-8": "Unicode (UTF-8)",
    "utf-16-le": "Unicode (UTF-16)",
    "utf-16-be": "Unicode (UTF-16, big-endian)",
    "cp1252": "Western (Windows-1252)",
    "mac_roman": "Western (Mac)",
    "cp1250": "Central European (Windows-1250)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1251": "Cyrillic (Windows-1251)",
    "koi8_r": "Cyrillic (KOI8-R)",
    "cp1253": "Greek (Windows-1253)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)",
    "cp932": "Japanese (Shift-JIS)",
    "euc_jp": "Japanese (EUC)",
    "gb18030": "Chinese, simplified (GB 18030)",
    "big5": "Chinese, traditional (Big5)",
    "cp949": "Korean (Windows-949)",
}
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
WESTERN = "cp1252"

# The first that fits best wins.
_LATIN = (WESTERN, "cp1250", "mac_roman")
_OTHERS = (
    "cp932",
    "euc_jp",
    "gb18030",
    "big5",
    "cp949",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1255",
    "cp1256",
)
_INSIDE_WORDS = "’‘–·"
# Nearly all letters of a Korean file are Hangul; Chinese read as Korean is a mixture.
_ENOUGH_HANGUL = 0.9


def guess_by_first_bytes(beginning: bytes) -> str | None:
    """Return the encoding that a byte order mark or the zero bytes of UTF-16 tell."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if beginning.startswith(mark):
            return encoding
    pairs = beginning[: len(beginning) // 2 * 2]
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = pairs[offset::2].count(0), pairs[1 - offset :: 2].count(0)
        if zeros * 2 > len(pairs[::2]) and not others:
            return encoding
    return None


def guess_by_letters(sample: bytes) -> str:
    """Return the encoding of lines that are not UTF-8, by the letters that they would hold.

    Letters with accents stand alone among those of ASCII; letters of other scripts stand together.
    """
    high = [index for index, byte in enumerate(sample) if byte > 0x7F]
    places = set(high)
    alone = sum(1 for index in high if not {index - 1, index + 1} & places)
    if alone * 3 > len(high):
        return _best([(name, 0.0) for name in _LATIN], sample)
    found = charset_normalizer.from_bytes(
        sample, cp_isolation=list(_OTHERS), preemptive_behaviour=False, enable_fallback=False
    )
    return _best([(match.encoding, match.chaos) for match in found], sample)


def _best(candidates: list[tuple[str, float]], sample: bytes) -> str:
    scores = [(_oddity(name, sample) + chaos, name) for name, chaos in candidates]
    return min(scores, key=lambda scored: scored[0])[1] if scores else WESTERN


def _oddity(encoding: str, sample: bytes) -> float:
    """Return the share of letters beyond ASCII that no word would have in their place."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return 10.0
    beyond = [index for index, letter in enumerate(text) if ord(letter) > 0x7F]
    if encoding == "cp949":
        hangul = sum(1 for index in beyond if "\uac00" <= text[index] <= "\ud7a3")
        return 0.0 if hangul >= _ENOUGH_HANGUL * len(beyond) else 1.0
    odd = sum(1 for index in beyond if _is_odd(text, index))
    return odd / max(len(beyond), 1)


def _is_odd(text: str, index: int) -> bool:
    """Return True for a sign inside a word, or a capital letter before small ones."""
    before, after = text[index - 1 : index], text[index + 1 : index + 2]
    if not before.isalpha():
        return False
    kind = unicodedata.category(text[index])
    is_sign = kind[0] not in "LM" and text[index] not in _INSIDE_WORDS
    is_capital = kind == "Lu" and (before.islower() or after.islower())
    return is_capital or (is_sign and (kind[0] != "P" or after.isalpha()))
