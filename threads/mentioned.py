"""Mentions in a text, marked; the text itself is escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

Place = tuple[int, int, int]
"""Where a member is mentioned: start and end in characters, the @ included, and who."""


def marked(
    text: str,
    places: Iterable[Place],
    agent_id: int | None,
    plain: Callable[[str], SafeString] = escape,
) -> SafeString:
    """A mark around each mention, and a stronger one for the agent who looks."""
    parts: list[SafeString] = []
    position = 0
    for start, end, mentioned in places:
        parts.append(plain(text[position:start]))
        strength = " me" if mentioned == agent_id else ""
        parts.append(format_html('<mark class="mention{}">{}</mark>', strength, text[start:end]))
        position = end
    parts.append(plain(text[position:]))
    return mark_safe("".join(parts))  # noqa: S308  each part was escaped
