"""The words of a message, with the members whom it mentions marked."""

from __future__ import annotations

from django import template
from django.template.defaultfilters import linebreaksbr
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from messaging.history import Entry

register = template.Library()


@register.filter
def marked(entry: Entry) -> SafeString:
    """Escaped text; a mark around each mention, and a stronger one for the person who looks."""
    body = entry.message.body
    parts: list[SafeString] = []
    position = 0
    for start, end, agent_id in entry.message.mentions:
        parts.append(_plain(body[position:start]))
        is_me = entry.is_called and agent_id == entry.called_id
        parts.append(
            format_html(
                '<mark class="mention{}">{}</mark>', " me" if is_me else "", body[start:end]
            )
        )
        position = end
    parts.append(_plain(body[position:]))
    return mark_safe("".join(parts))  # noqa: S308  each part was escaped


def _plain(text: str) -> SafeString:
    return linebreaksbr(text, autoescape=True)
