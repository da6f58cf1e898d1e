"""Tell agents of wrong codes: somebody has their password, or it was a mistake of their own."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django import app

from inboxes.emails import Email, EmailNotSent, send_email, sends_email
from inboxes.models import Agent
from inboxes.sign_in import throttle

log = logging.getLogger(__name__)

WARN = "warn_of_wrong_codes"


def count_wrong_codes(agent: Agent) -> int:
    """Return how many wrong codes the last 24 hours had, once they are worth telling; else 0."""
    count = throttle.count_in_a_day(throttle.codes_of(agent.pk))
    return count if count >= settings.SIGN_IN_WRONG_CODES_TOLD else 0


def warn(agent: Agent) -> None:
    """Queue an e-mail to the agent if there were many wrong codes, at most once a day."""
    if not (sends_email() and agent.email and count_wrong_codes(agent)):
        return
    now = timezone.now()
    told = Q(told_of_wrong_codes_at=None) | Q(told_of_wrong_codes_at__lte=now - throttle.A_DAY)
    with transaction.atomic():
        if Agent.objects.filter(told, pk=agent.pk).update(told_of_wrong_codes_at=now):
            app.configure_task(WARN).defer(agent_id=agent.pk)


def send_warning(agent_id: int) -> None:
    """Send the e-mail. Raise EmailNotSent where it may be tried again."""
    agent = Agent.objects.filter(pk=agent_id, is_active=True).exclude(email="").first()
    if agent is None or not sends_email():
        return
    email = Email(
        to=agent.email,
        subject="Wrong codes were entered for you at Partyline",
        template="account/email/wrong_codes",
        context={"agent": agent, "url": settings.PUBLIC_URL + reverse("account_change_password")},
    )
    try:
        send_email(email)
    except EmailNotSent as error:
        log.warning("Warning of wrong codes to agent %s: %s", agent_id, error.sentence)
        if not error.is_final:
            raise
