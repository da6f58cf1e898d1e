"""The search box above a list."""

from __future__ import annotations

from typing import Any

from django import template

from inboxes.models import Inbox
from messaging.conversations.lists import list_url, search_url
from threads.search import MAX_QUERY_LENGTH, parse_search

register = template.Library()


@register.inclusion_tag("messaging/list/_search.html", takes_context=True)
def search_box(context: template.Context) -> dict[str, Any]:
    """Draw the box with its two scopes.

    From the messages view it searches the agent's own conversations; for an agent without a line
    of their own it searches all messages.
    """
    request, listing = context["request"], context["listing"]
    inbox, is_in_blocked = listing.inbox, listing.filter.shows_blocked
    has_two_scopes = inbox is not None or Inbox.objects.filter(owner=request.user).exists()
    nearby, everywhere = list_url(inbox), search_url(inbox)
    is_everywhere = request.path == everywhere or bool(request.GET.get("all"))
    if not has_two_scopes:
        is_everywhere = True
    return {
        "scope": _scope(inbox, is_everywhere=is_everywhere, is_in_blocked=is_in_blocked),
        "is_in_blocked": is_in_blocked,
        "text": request.GET.get("q", ""),
        "here": everywhere if is_everywhere else nearby,
        "other": nearby if is_everywhere else everywhere,
        "is_everywhere": is_everywhere,
        "has_two_scopes": has_two_scopes,
        "longest": MAX_QUERY_LENGTH,
    }


@register.simple_tag
def all_messages_url(inbox: Inbox | None) -> str:
    """Return the address at which all messages are searched, from within that list."""
    return search_url(inbox)


def _scope(inbox: Inbox | None, *, is_everywhere: bool, is_in_blocked: bool) -> str:
    """Return in words what is searched."""
    if is_in_blocked:
        return f"Searches {'every' if is_everywhere else 'the last'} message of blocked contacts."
    if is_everywhere:
        return "Searches every message you can see, names, numbers, labels, and activity."
    if inbox is not None:
        return "Searches the last message of each thread only."
    return "Searches the last message of each of your own conversations only."


@register.simple_tag(takes_context=True)
def back_url(context: template.Context, conversation: Any) -> str:
    """Return the address of the list behind a conversation, with the search that led to it."""
    is_top = conversation.inbox.is_personal or conversation.is_over_all
    inbox: Inbox | None = None if is_top else conversation.inbox
    search = parse_search(context["request"].GET) if "request" in context else None
    nearby, everywhere = list_url(inbox), search_url(inbox)
    if search is None:
        is_narrowed = not conversation.inbox.is_personal or conversation.is_over_all
        return f"{nearby}{conversation.list_query if is_narrowed else ''}"
    return (everywhere if search.is_everywhere else nearby) + search.here
