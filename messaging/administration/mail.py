"""Find e-mail that could not be sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.urls import NoReverseMatch, reverse

from inboxes.models import OneTimeLink
from messaging.administration.troubles import MANY, Trouble

NOT_SENT = (OneTimeLink.EmailState.RETRYING, OneTimeLink.EmailState.FAILED)


def find_troubles(now: datetime) -> Iterator[Trouble]:
    waiting = OneTimeLink.objects.waiting().filter(email_state__in=NOT_SENT)
    links = list(waiting.order_by("-pk")[:MANY])
    if not links:
        return
    yield Trouble(
        "mail",
        len(links),
        "E-mail can't be sent",
        f"“{links[0].email_error or 'No answer'}” The links can be handed over in another way.",
        _invitations_url(),
        "See the invitations",
    )


def _invitations_url() -> str:
    try:
        return reverse("admin:inboxes_onetimelink_changelist")
    except NoReverseMatch:
        return reverse("admin:index")
