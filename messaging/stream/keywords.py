"""Recognise what a whole text asks for: no more texts, texts again, or help.

The words are those of 47 CFR 64.1200(a)(10), of the carriers, and what people write instead of
them. Texts are compared folded, so that case, accents, full-width letters, invisible characters
and punctuation make no difference.
"""

from __future__ import annotations

import re

from messaging.carriers.events import Keyword
from threads.folding import fold_text

# Longer texts hold no keyword, and a wish stands among so many characters.
LONGEST_KEYWORD = 60
SEARCHED_FOR_WISHES = 2_000

# Only as the whole text: with "please" before them they may be about an appointment.
_PLAIN_OPT_OUT = "cancel end quit revoke remove stopall unsub"
# These may also be asked for politely, as in "please stop".
_OPT_OUT = """
    stop
    stop all
    stop text
    stop texts
    stop texting
    stop texting me
    stop sms
    stop messages
    stop messaging
    stop messaging me
    stop sending
    stop sending texts
    stop sending messages
    stop sending me texts
    stop sending me messages
    stop sending me text messages
    stop contacting me
    stop all texts
    stop all messages
    end texts
    cancel texts
    quit texting me
    no more texts
    no more messages
    do not text
    do not text me
    do not contact me
    do not message me
    dont text
    dont text me
    dont contact me
    dont message me
    unsubscribe
    unsubscribe me
    unsubscribed
    optout
    opt out
    opt me out
    opting out
    i opt out
    remove me
    remove me from your list
    remove me from this list
    remove my number
    delete my number
    take me off your list
    take me off this list
    arret
    arrete
    arreter
    desabonner
    desabonnement
"""
# YES only has an effect after an opt-out; otherwise there is nothing that it could end.
_OPT_IN = "start unstop yes"
_HELP = "help info aide"

_POLITE_OPT_OUT = frozenset(map(str.strip, _OPT_OUT.strip().splitlines()))
_KEYWORDS: dict[str, Keyword] = {
    **dict.fromkeys(_POLITE_OPT_OUT, "opt_out"),
    **dict.fromkeys(_PLAIN_OPT_OUT.split(), "opt_out"),
    **dict.fromkeys(_OPT_IN.split(), "opt_in"),
    **dict.fromkeys(_HELP.split(), "help"),
}
_POLITE = re.compile(
    r"^(?:(?:please|pls|plz|svp) )+|(?: (?:please|pls|plz|svp|thanks|thank you|now))+$"
)
# These mean the same with "now"; "don't text me now" may come from somebody who is driving.
_SAME_NOW = {"stop", "unsubscribe", "optout", "opt"}
_REPEATED = re.compile(r"\b(\w+)(?: \1\b)+")

_WISH = re.compile(
    r"\b(?:stop|stopall|unsubscribe|unsub|opt ?out|opt me out|opting out)\b"
    r"|\b(?:arret|arreter|desabonner)\b"
    r"|\b(?:do not|dont|never|no longer|not to|quit) (?:ever )?"
    r"(?:text|texting|message|messaging|contact|contacting|write|sms)\b"
    r"|\b(?:do not|dont) send (?:me |us )?(?:any )?(?:more )?(?:texts?|messages?|sms)\b"
    r"|\bno more (?:texts?|messages?|sms)\b"
    r"|\b(?:end|cancel) (?:all |the |these |your )?texts\b"
    r"|\b(?:remove|delete) (?:me|my (?:number|name|phone))\b"
    r"|\btake (?:me|my number|my name) off\b"
    r"|\brevok(?:e|ing) (?:my )?consent\b"
)


def fold_keyword(text: str) -> str:
    """Return the text as keywords are compared: folded words with one space between them.

    Apostrophes vanish, and whatever else is neither letter nor digit separates words.
    """
    letters = fold_text(text).replace("'", "").replace("’", "")
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())


def find_keyword(body: str) -> Keyword | None:
    """Return the keyword that the whole text is, however it is spelt, or None."""
    if len(body) > LONGEST_KEYWORD * 4:
        return None
    words = fold_keyword(body)
    if len(words) > LONGEST_KEYWORD:
        return None
    words = _REPEATED.sub(r"\1", words)
    if (plain := _KEYWORDS.get(words)) is not None:
        return plain
    asked = _POLITE.sub("", words)
    is_same = "now" not in words.split() or asked.split(" ")[0] in _SAME_NOW
    return "opt_out" if asked in _POLITE_OPT_OUT and is_same else None


def holds_wish_to_opt_out(body: str) -> bool:
    """Return True if a longer text may ask for no more texts; a person has to decide that."""
    return _WISH.search(fold_keyword(body[:SEARCHED_FOR_WISHES])) is not None
