"""Find unattended inboxes: nobody reads what comes to their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from inboxes.badges import name_some
from inboxes.models import Inbox
from messaging.administration.troubles import MANY, Trouble


def find_troubles(now: datetime) -> Iterator[Trouble]:
    with_number = Inbox.objects.filter(number__isnull=False)
    inboxes = list(with_number.unattended().order_by("name", "pk")[:MANY])
    if not inboxes:
        return
    is_one = len(inboxes) == 1
    changing = reverse("admin:inboxes_inbox_change", args=[inboxes[0].pk])
    listing = reverse("admin:inboxes_inbox_changelist")
    yield Trouble(
        "unattended",
        len(inboxes),
        "Texts that nobody reads",
        f"{name_some([inbox.name for inbox in inboxes])} "
        f"{'has' if is_one else 'have'} a number, but nobody who may sign in.",
        changing if is_one else f"{listing}?attended=no",
        "See the inbox" if is_one else "See the inboxes",
    )
