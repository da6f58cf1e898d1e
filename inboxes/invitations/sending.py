"""Send one-time links by e-mail, in the worker."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from inboxes import times
from inboxes.emails import Email, EmailNotSent, send_email, sends_email
from inboxes.invitations import jobs, tokens
from inboxes.models import OneTimeLink

log = logging.getLogger(__name__)

State = OneTimeLink.EmailState

# After each failure in a row; the last one repeats for as long as the link can be used.
PAUSES = [
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
]


FORGOTTEN_AFTER = timedelta(minutes=5)


def send_link(link_id: int) -> None:
    """Send a link to its address, unless it was sent, or is over."""
    link = OneTimeLink.objects.select_related("agent", "made_by").filter(pk=link_id).first()
    try:
        tokens.check_usable(link)
    except tokens.LinkIsOver:
        return
    if link is None or link.email_state not in {State.WAITING, State.RETRYING}:
        return
    if not (link.email_address and sends_email()):
        return
    email = _write_email(link, _give_token(link))
    try:
        send_email(email)
    except EmailNotSent as error:
        _record_failure(link, error)
    else:
        _record(link, State.SENT)


def wake_forgotten_emails() -> None:
    """Queue e-mails again that should have left: their jobs failed for good."""
    since = timezone.now() - FORGOTTEN_AFTER
    unsent = OneTimeLink.objects.waiting().filter(email_state__in=[State.WAITING, State.RETRYING])
    forgotten = unsent.filter(Q(email_at__lt=since) | Q(email_at=None, created_at__lt=since))
    for link_id in list(forgotten.values_list("pk", flat=True)):
        jobs.defer_link_email(link_id)


def _give_token(link: OneTimeLink) -> str:
    """Return the token for the e-mail; the link has its hash before anybody can follow it."""
    token = tokens.make_email_token(link)
    link.email_token_hash = tokens.hash_token(token)
    link.save(update_fields=["email_token_hash"])
    return token


def _write_email(link: OneTimeLink, token: str) -> Email:
    """Return the link's e-mail, with times as its reader writes them, as far as we know."""
    reader = link.agent
    with times.reading(reader.language if reader else "", reader.time_zone if reader else ""):
        until = times.format_full(link.expires_at)
    if link.is_invitation:
        subject = f"{link.maker} invites you to Partyline"
        template = "invitations/email/invitation"
    else:
        subject = "Choose a new password for Partyline"
        template = "invitations/email/reset"
    context = {"link": link, "url": tokens.link_url(token), "until": until}
    return Email(link.email_address, subject, template, context)


@transaction.atomic
def _record_failure(link: OneTimeLink, error: EmailNotSent) -> None:
    failures = link.email_failures + 1
    again = timezone.now() + PAUSES[min(failures, len(PAUSES)) - 1]
    if error.is_final or again >= link.expires_at:
        _record(link, State.FAILED, failures=failures, sentence=error.sentence)
        return
    _record(link, State.RETRYING, failures=failures, sentence=error.sentence, at=again)
    jobs.defer_link_email(link.pk, at=again)


def _record(
    link: OneTimeLink,
    state: OneTimeLink.EmailState,
    *,
    failures: int = 0,
    sentence: str = "",
    at: datetime | None = None,
) -> None:
    OneTimeLink.objects.filter(pk=link.pk).update(
        email_state=state,
        email_failures=failures,
        email_error=sentence,
        email_at=at or timezone.now(),
    )
