"""Find e-mail that could not be sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.urls import NoReverseMatch, reverse

from inboxes.models import OneTimeLink
from messaging.administration.troubles import MANY, Trouble
from messaging.models import EmailPreference

NOT_SENT = (OneTimeLink.EmailState.RETRYING, OneTimeLink.EmailState.FAILED)


def find_troubles(now: datetime) -> Iterator[Trouble]:
    yield from _unsent_links()
    yield from _unsent_news()


def _unsent_links() -> Iterator[Trouble]:
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


def _unsent_news() -> Iterator[Trouble]:
    """Find agents who are not told by e-mail what they missed, though they asked for it."""
    failing = EmailPreference.objects.filter(agent__is_active=True).exclude(error="")
    errors = list(failing.order_by("-sent_at").values_list("error", flat=True)[: MANY + 1])
    if errors:
        yield Trouble(
            "missed_mail",
            len(errors),
            "Agents aren't told by e-mail what they missed",
            f"“{errors[0]}” Their notifications are in Partyline all the same.",
            reverse("admin:inboxes_agent_changelist"),
            "See the agents",
        )


def _invitations_url() -> str:
    try:
        return reverse("admin:inboxes_onetimelink_changelist")
    except NoReverseMatch:
        return reverse("admin:index")
