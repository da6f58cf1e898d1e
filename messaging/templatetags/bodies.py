"""Draw the body of a message, with links to open and mentions highlighted."""

from __future__ import annotations

from django import template
from django.template.defaultfilters import linebreaksbr
from django.utils.safestring import SafeString

from messaging.conversations.entries import FOLDED_TO, Entry
from threads.highlighting import draw_links
from threads.links import MAX_URL_LENGTH, find_links

register = template.Library()


@register.filter
def drawn_body(entry: Entry) -> SafeString:
    """Return the body as far as it is shown; highlight mentions, the viewer's own more."""
    body, mentions = entry.message.body, entry.message.mentions
    if not entry.is_folded:
        links = find_links(body)
    else:
        # A link that is cut would open something else.
        links = find_links(body[: FOLDED_TO + MAX_URL_LENGTH])
        body = body[:FOLDED_TO].rstrip()
        mentions = [mention for mention in mentions if mention[1] <= len(body)]
        links = tuple(link for link in links if link.end <= len(body))
        body += "…"
    return draw_links(body, links, mentions, entry.mentioned_agent_id, _escape_lines)


def _escape_lines(text: str) -> SafeString:
    return linebreaksbr(text, autoescape=True)
