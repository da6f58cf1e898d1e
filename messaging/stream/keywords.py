"""Recognise keywords: texts that opt a contact out or in, or ask for help."""

from __future__ import annotations

from typing import Literal

Keyword = Literal["opt_out", "opt_in", "help"]

_OPT_OUT = "STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT"
_KEYWORDS: dict[str, Keyword] = {
    "stop all": "opt_out",
    **dict.fromkeys(_OPT_OUT.lower().split(), "opt_out"),
    # YES only has an effect after an opt-out; otherwise there is nothing that it could end.
    **dict.fromkeys(["start", "unstop", "yes"], "opt_in"),
    **dict.fromkeys(["help", "info"], "help"),
}


def find_keyword(body: str) -> Keyword | None:
    """Return the keyword that the whole trimmed text is, in upper or lower case, or None."""
    return _KEYWORDS.get(body.strip().lower())
