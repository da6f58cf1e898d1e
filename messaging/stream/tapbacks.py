"""Recognise tapbacks: texts that a phone sends where it could not send a reaction.

An iPhone words its reaction in the phone's language and quotes the message; it cuts long ones and
ends them with "…". Google Messages frames the sign and the quote with characters that nobody sees,
whatever the language. `docs/tapbacks.md` says which wordings are known, and from where.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from threads.folding import fold_text

Thing = Literal["picture", "file"]

LONGEST = 2_000  # characters; no phone quotes more

LOVED, LIKED, DISLIKED, LAUGHED, EMPHASIZED, QUESTIONED = "❤️", "👍", "👎", "😂", "‼️", "❓"

_WORDS = {
    LOVED: "Loved",
    LIKED: "Liked",
    DISLIKED: "Disliked",
    LAUGHED: "Laughed at",
    EMPHASIZED: "Emphasized",
    QUESTIONED: "Questioned",
}


@dataclass(frozen=True, slots=True)
class Tapback:
    """Hold what a tapback says: the sign, and the message's words or what it is instead."""

    sign: str
    quote: str = ""
    thing: Thing | None = None
    is_removed: bool = False
    is_cut: bool = False  # The quote is only the beginning of the message


# In these, Q is the quote or a thing, E a sign.
_ADDED: dict[str, str] = {
    # English
    "Loved Q": LOVED,
    "Liked Q": LIKED,
    "Disliked Q": DISLIKED,
    "Laughed at Q": LAUGHED,
    "Emphasized Q": EMPHASIZED,
    "Emphasised Q": EMPHASIZED,
    "Questioned Q": QUESTIONED,
    "Reacted E to Q": "",
    "E to Q": "",
    # Spanish
    "Le encantó Q": LOVED,
    "Le encanta Q": LOVED,
    "Le gustó Q": LIKED,
    "Le gusta Q": LIKED,
    "Le dio risa Q": LAUGHED,
    "Exclamó por Q": EMPHASIZED,
    "Dudó sobre Q": QUESTIONED,
    "Reaccionó con E a Q": "",
    # French
    "A adoré Q": LOVED,
    "A aimé Q": LIKED,
    "N'a pas aimé Q": DISLIKED,
    "A ri de Q": LAUGHED,
    "A souligné Q": EMPHASIZED,
    "A réagi E à Q": "",
    "A réagi avec E à Q": "",
    "E à Q": "",
    "A attribué la mention « Adore » à Q": LOVED,
    "A attribué la mention « J'adore » à Q": LOVED,
    "A attribué la mention « Aime » à Q": LIKED,
    "A attribué la mention « J'aime » à Q": LIKED,
    "A attribué la mention « N'aime pas » à Q": DISLIKED,
    "A attribué la mention « Je n'aime pas » à Q": DISLIKED,
    "A attribué la mention « Rires » à Q": LAUGHED,
    "A attribué la mention « E » à Q": "",
    # Norwegian
    "Satte et hjerte ved Q": LOVED,
    "Likte Q": LIKED,
    "Mislikte Q": DISLIKED,
    "Lo av Q": LAUGHED,
    "Satte utropstegn ved Q": EMPHASIZED,
    "Satte spørsmålstegn ved Q": QUESTIONED,
    "Reagerte med E på Q": "",
    # Bulgarian
    "Реакция E към Q": "",
    # Italian
    "Ha aggiunto un cuoricino a Q": LOVED,
    "Ha reagito con E a Q": "",
    # German
    "Gefällt Q": LIKED,
    "Q ein Herz hinzugefügt": LOVED,
}
_REMOVED: dict[str, str] = {
    # English
    "Removed a heart from Q": LOVED,
    "Removed a like from Q": LIKED,
    "Removed a dislike from Q": DISLIKED,
    "Removed a laugh from Q": LAUGHED,
    "Removed an exclamation from Q": EMPHASIZED,
    "Removed a question mark from Q": QUESTIONED,
    "Removed E from Q": "",
    # French
    "A retiré la réaction E à Q": "",
    "A retiré la réaction E de Q": "",
    "A retiré la mention « Adore » de Q": LOVED,
    "A retiré la mention « J'aime » de Q": LIKED,
    # Norwegian
    "Fjernet et hjerte fra Q": LOVED,
    "Liker ikke lenger Q": LIKED,
    "Misliker ikke lenger Q": DISLIKED,
    "Fjernet latter fra Q": LAUGHED,
    "Fjernet et utropstegn fra Q": EMPHASIZED,
    "Fjernet et spørsmålstegn fra Q": QUESTIONED,
    "Fjernet E fra Q": "",
    # Bulgarian
    "Премахнато E от Q": "",
}
_THINGS: dict[str, Thing] = {
    **dict.fromkeys(["an image", "a picture", "a photo", "a GIF"], "picture"),
    **dict.fromkeys(["una imagen", "une image"], "picture"),
    **dict.fromkeys(["an attachment", "a movie", "a video", "an audio message"], "file"),
}

_QUOTE = r'[“"„«]\s*(?P<quote>.+?)(?:\s*[”"“»]|(?<=…)|(?<=\.\.\.))'
# Hair spaces around the quote; around the sign zero-width spaces, or non-joiners to take it back.
_FRAMED = re.compile(
    "[^\u200a\u200b\u200c]*\u200a?[^\u200a\u200b\u200c]*"
    "(?P<mark>[\u200b\u200c])(?P<sign>[^\u200a\u200b\u200c]{1,32})(?P=mark)"
    "[^\u200a\u200b\u200c]*\u200a(?P<quote>.+?)\u200a[^\u200a]{0,3}\u200a?",
    re.DOTALL,
)
_SPACES = re.compile("[\u00a0\u202f\u2007\u2009]")
_ELLIPSIS = re.compile(r"\s*(?:…|\.\.\.)$")


def _compile_wording(wording: str) -> re.Pattern[str]:
    """Return a pattern for a whole text. Some phones begin with a small letter."""
    things = "|".join(map(re.escape, _THINGS))
    places = {"Q": f"(?:{_QUOTE}|(?P<thing>{things}))", "E": r"(?P<sign>\S{1,32})"}
    pattern = re.sub(r"\b[QE]\b", lambda place: places[place[0]], re.escape(wording))
    first = wording[0]
    if wording[:2] not in {"Q ", "E "}:
        pattern = f"[{first}{first.lower()}]{pattern[1:]}"
    return re.compile(pattern, re.DOTALL)


_PATTERNS = [
    (_compile_wording(wording), sign, is_removed)
    for wordings, is_removed in ((_ADDED, False), (_REMOVED, True))
    for wording, sign in wordings.items()
]


def read_tapback(body: str) -> Tapback | None:
    """Return what the whole text says if it is a tapback, or None.

    A text without the quotes of a phone is none: somebody wrote it.
    """
    if len(body) > LONGEST:
        return None
    if framed := _FRAMED.fullmatch(body):
        return _found(framed, "", is_removed=framed["mark"] == "\u200c")
    text = _SPACES.sub(" ", body).replace("’", "'").strip()
    for pattern, sign, is_removed in _PATTERNS:
        match = pattern.fullmatch(text)
        found = match and _found(match, sign, is_removed=is_removed)
        if found:
            return found
    return None


def _found(match: re.Match[str], sign: str, *, is_removed: bool) -> Tapback | None:
    said = match.groupdict()
    sign = sign or _read_sign(said["sign"])
    if not sign:
        return None
    quote = said["quote"] or ""
    whole = _ELLIPSIS.sub("", quote)
    return Tapback(
        sign=sign,
        quote=whole.strip(),
        thing=_THINGS.get(said.get("thing") or ""),
        is_removed=is_removed,
        is_cut=whole != quote,
    )


def _read_sign(written: str) -> str:
    """Return the emoji, or "" for words such as those of "Reacted well to"."""
    sign = written.strip()
    is_emoji = any(unicodedata.category(one) == "So" for one in sign) or sign[:1] in "‼⁉"
    if not sign or not is_emoji or any(one.isalpha() for one in sign):
        return ""
    # As the signs of the six that every phone has, however their colour is asked for.
    plain = sign.removesuffix("\ufe0f")
    return next((known for known in _WORDS if known.removesuffix("\ufe0f") == plain), sign)


def describe_sign(sign: str) -> str:
    """Return "Liked" and the like for the six reactions that have a name, else the sign."""
    return _WORDS.get(sign, sign)


def comparison_key(text: str) -> str:
    """Return what of a text is compared with a quote: folded letters and digits.

    Carriers replace quotes, dashes and dots, and lose spaces. Of a text without letters and
    digits, the characters that can be seen are compared.
    """
    folded = fold_text(text)
    letters = "".join(one for one in folded if one.isalnum())
    return letters or "".join(folded.split())
