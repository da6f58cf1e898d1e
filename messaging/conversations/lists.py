"""Lists on the page: their addresses, and the list beside a conversation."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.urls import reverse

from inboxes.models import Agent, Inbox
from messaging.conversations.message_search import HitList, hit_list
from messaging.conversations.thread_search import found_list
from threads.filters import EVERYTHING, ThreadFilter
from threads.lists import Listing, list_for_inbox, list_of, top_list
from threads.remembered_views import recall_view, without_lost_labels
from threads.search import parse_search


def list_url(inbox: Inbox | None) -> str:
    """Return the address of an inbox's list; without an inbox, of the messages view."""
    return reverse("messaging:inbox", args=[inbox.pk]) if inbox else reverse("messaging:messages")


def search_url(inbox: Inbox | None) -> str:
    """Return the address at which all messages are searched, from within that list."""
    if inbox is None:
        return reverse("messaging:search")
    return reverse("messaging:search_from", args=[inbox.pk])


def next_url(listing: Listing) -> str | None:
    """Return the address of the list's next page, if there is one."""
    if listing.next_query is None:
        return None
    find_url = search_url if isinstance(listing, HitList) else list_url
    return find_url(listing.inbox) + listing.next_query


def listing_context(listing: Listing) -> dict[str, Any]:
    """Return what `messaging/list/_listing.html` and `_rows.html` are drawn from."""
    return {
        "listing": listing,
        "rows": listing.rows,
        "next_url": next_url(listing),
        "whole_url": list_url(listing.inbox),
    }


def remembered_list(agent: Agent, inbox: Inbox | None) -> Listing:
    """Return the list with the inbox's threads, or else the top list, as the agent chose it."""
    shown_in = None if inbox is None or inbox.is_personal else inbox
    return list_of(agent, shown_in, shown=recall_view(agent, shown_in) or EVERYTHING)


def list_beside(
    agent: Agent,
    inbox: Inbox,
    shown: ThreadFilter = EVERYTHING,
    data: QueryDict | None = None,
    *,
    is_over_all: bool = False,
) -> Listing:
    """Return the list beside a conversation of the inbox.

    That is what was found, if the query string in `data` holds a search, else the list to which
    the conversation belongs.
    """
    search = parse_search(data) if data is not None else None
    if search is None and is_over_all:
        return top_list(agent, shown=without_lost_labels(shown, agent, None))
    if search is None:
        return list_for_inbox(agent, inbox, without_lost_labels(shown, agent, inbox))
    searched = None if inbox.is_personal else inbox
    if search.is_everywhere:
        return hit_list(agent, searched, search)
    return found_list(agent, searched, search)
