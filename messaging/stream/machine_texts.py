"""Recognise texts that a machine seems to have written, which get no automatic answer.

It only has to be right about plain cases: a contact gets one answer in a closed period anyway.
"""

from __future__ import annotations

import re

from threads.folding import fold_text

# What machines say of themselves stands near the beginning or the end.
_LOOKED_AT = 1_000

_SIGNS = re.compile(
    r"\bauto(?:matic|mated)?[ -]?(?:reply|response|responder|answer|message|text)\b"
    r"|\b(?:reply|response|message|text|answer) (?:is|was) (?:sent )?automat"
    r"|\b(?:do not|don.?t|please do not|cannot|can.?t) (?:reply|respond) to this\b"
    r"|\bno[ -]?reply\b"
    r"|\b(?:mailbox|number|inbox) is not monitored\b"
    r"|\bunmonitored\b"
    r"|\bout of (?:the )?office\b"
    r"|\b(?:i.?m|i am) driving\b"
    r"|\bdo not disturb while driving\b"
    r"|\bautomatische (?:antwort|nachricht)\b"
    r"|\breponse automatique\b"
    r"|\brespuesta automatica\b"
    r"|\brisposta automatica\b"
    r"|\bresposta automatica\b"
)


def seems_automatic(body: str) -> bool:
    """Return True if the text says that no person has written it, or that nobody reads answers."""
    return _SIGNS.search(fold_text(body[:_LOOKED_AT])) is not None
