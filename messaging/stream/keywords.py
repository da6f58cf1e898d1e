"""What a text may say to the house instead of to a person: out, in again, help."""

from __future__ import annotations

from typing import Literal

Keyword = Literal["opt_out", "opt_in", "help"]

_OPT_OUT = "STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT"
_KEYWORDS: dict[str, Keyword] = {
    "stop all": "opt_out",
    **dict.fromkeys(_OPT_OUT.lower().split(), "opt_out"),
    # YES means it after an opt-out only: elsewhere there is nothing that it could end.
    **dict.fromkeys(["start", "unstop", "yes"], "opt_in"),
    **dict.fromkeys(["help", "info"], "help"),
}


def find_keyword(body: str) -> Keyword | None:
    """What the whole trimmed text says, in any case; None for words to a person."""
    return _KEYWORDS.get(body.strip().lower())
