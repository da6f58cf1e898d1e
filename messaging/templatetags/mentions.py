"""The words of a message, with the members whom it mentions marked."""

from __future__ import annotations

from django import template
from django.template.defaultfilters import linebreaksbr
from django.utils.safestring import SafeString

from messaging.history import Entry
from threads.mentioned import marked as mark

register = template.Library()


@register.filter
def marked(entry: Entry) -> SafeString:
    """Escaped text; a mark around each mention, and a stronger one for the person who looks."""
    return mark(entry.message.body, entry.message.mentions, entry.called_id, _plain)


def _plain(text: str) -> SafeString:
    return linebreaksbr(text, autoescape=True)
