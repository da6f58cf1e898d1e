"""A conversation opened at one of its messages: the page of history that holds it."""

from __future__ import annotations

from django.urls import reverse

from inboxes.models import Agent
from messaging.history import (
    PAGE_SIZE,
    Entry,
    HistoryPage,
    history_page,
    with_attachments,
)
from messaging.models import Message
from threads.models import Thread

BEFORE = 10
"""Messages shown ahead of the one that is opened."""

LONGEST = 200
"""Messages up to the newest that one page may hold. What lies further back stands apart from
the newest ones, with a way to them."""


def page_at(thread: Thread, agent: Agent, at: int) -> HistoryPage:
    """The newest page if it holds the message, else one from shortly before it to the newest.

    A message that is not there (any more) opens the newest page.
    """
    newest = history_page(thread, agent)
    messages = Message.objects.filter(thread=thread)
    is_shown = any(entry.message.pk == at for entry in newest.entries)
    if is_shown or not messages.filter(pk=at).exists():
        return newest
    first = messages.filter(pk__lte=at).order_by("-pk").values_list("pk", flat=True)
    start = list(first[: BEFORE + 1])[-1]
    found = list(messages.filter(pk__gte=start).for_history().order_by("pk")[: LONGEST + 1])
    is_apart = len(found) > LONGEST
    shown = found[:PAGE_SIZE] if is_apart else found
    older_url = None
    if messages.filter(pk__lt=start).exists():
        older_url = reverse("messaging:conversation", args=[thread.pk]) + f"?before={start}"
    entries = [Entry.of(message, agent) for message in with_attachments(shown)]
    return HistoryPage(entries=entries, older_url=older_url, is_apart=is_apart)
