"""Draw what the administration's lists and pages show: coloured words, names, what is copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from django.utils.html import format_html
from django.utils.safestring import SafeString

Tone = Literal["plain", "good", "bad"]


def badge(words: str, tone: Tone = "plain") -> SafeString:
    return format_html('<span class="badge {}">{}</span>', tone, words)


def copyable(words: str) -> SafeString:
    """Draw words with a button beside them that copies them; nothing for nothing."""
    if not words:
        return SafeString("")
    return format_html(
        '<span>{0}</span> <button type="button" class="copy" data-copy="{0}">Copy</button>'
        '<span class="visually-hidden" role="status" data-copy-status></span>',
        words,
    )


def name_some(names: Sequence[str], most: int = 3) -> str:
    """Return up to three names: "a, b and c", or "a, b, c and 2 more"."""
    shown, rest = list(names[:most]), len(names) - most
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
