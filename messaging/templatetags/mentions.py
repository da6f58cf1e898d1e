"""Draw the body of a message, with mentions highlighted."""

from __future__ import annotations

from django import template
from django.template.defaultfilters import linebreaksbr
from django.utils.safestring import SafeString

from messaging.conversations.history import FOLDED_TO, Entry
from threads.highlighting import highlight_mentions

register = template.Library()


@register.filter
def highlighted_body(entry: Entry) -> SafeString:
    """Escape the body as far as it is shown; highlight mentions, the viewer's own more."""
    body, mentions = entry.message.body, entry.message.mentions
    if entry.is_folded:
        body = f"{body[:FOLDED_TO].rstrip()}…"
        mentions = [mention for mention in mentions if mention[1] < len(body)]
    return highlight_mentions(body, mentions, entry.mentioned_agent_id, _escape_lines)


def _escape_lines(text: str) -> SafeString:
    return linebreaksbr(text, autoescape=True)
