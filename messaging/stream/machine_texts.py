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
    r"|\bno-reply\b|\bnoreply@"  # not "I got no reply from you"
    r"|\b(?:mailbox|number|inbox) is (?:not monitored|unmonitored)\b"
    r"|\b(?:this is|from|to) an unmonitored (?:mailbox|number|inbox)\b"
    r"|\bout of (?:the )?office\b"
    r"|\b(?:i.?m|i am) driving\b.{0,80}\b(?:right now|can(?:no|.?)t (?:text|talk|reply|answer)"
    r"|(?:will|i.?ll) (?:reply|answer|respond|see your)|notifications?)\b"
    r"|\bdo not disturb while driving\b"
    r"|\bautomatische (?:antwort|nachricht)\b"
    r"|\breponse automatique\b"
    r"|\brespuesta automatica\b"
    r"|\brisposta automatica\b"
    r"|\bresposta automatica\b"
)

# "Is this number unmonitored?" A person asks what a machine would say.
_QUESTION = re.compile(r"\b(?:is|was|are) (?:this|that|it|these)\b[^.!?\n]*\?")


def seems_automatic(body: str) -> bool:
    """Return True if the text says that no person has written it, or that nobody reads answers."""
    text = _QUESTION.sub("", fold_text(body[:_LOOKED_AT]))
    return _SIGNS.search(text) is not None
