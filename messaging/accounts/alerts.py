"""Tell administrators by e-mail that new texts to a number don't come here, once a change."""

from __future__ import annotations

import logging

from django.conf import settings
from django.urls import reverse

from inboxes.emails import Email, EmailNotSent, send_email, sends_email
from inboxes.models import Agent
from messaging.models import Number, NumberConnection
from messaging.stream import jobs

log = logging.getLogger(__name__)


def tell_administrators(connection: NumberConnection) -> int:
    """Queue an e-mail to each administrator with an address; return how many. Call in the
    transaction of what happened."""
    if not sends_email():
        return 0
    told = Agent.objects.filter(is_active=True, is_staff=True).exclude(email="")
    keys = list(told.values_list("pk", flat=True))
    for agent_id in keys:
        jobs.defer_number_alert(connection.pk, agent_id)
    return len(keys)


def send_alert(connection_id: int, agent_id: int) -> None:
    """Send one administrator the e-mail, unless the texts come here again by now.

    Raise EmailNotSent where it may be tried again.
    """
    connection = NumberConnection.objects.not_receiving().filter(pk=connection_id).first()
    agent = Agent.objects.filter(pk=agent_id, is_active=True, is_staff=True).first()
    if connection is None or agent is None or not agent.email:
        return
    number = Number.objects.select_related("inbox").filter(address=connection.address).first()
    page = (
        reverse("admin:messaging_number_change", args=[number.pk])
        if number
        else reverse("admin:messaging_carrieraccount_numbers", args=[connection.account_id])
    )
    email = Email(
        to=agent.email,
        subject=f"New texts to {connection.display} don't reach Partyline",
        template="messaging/accounts/email/not_receiving",
        context={
            "agent": agent,
            "number": connection.display,
            "inbox": number.inbox if number else None,
            "carrier": connection.account.adapter.label,
            "is_gone": connection.state == NumberConnection.State.GONE,
            "url": settings.PUBLIC_URL + page,
        },
    )
    try:
        send_email(email)
    except EmailNotSent as error:
        log.warning("Alert of connection %s: %s", connection_id, error.sentence)
        if not error.is_final:
            raise
