"""Tell administrators by e-mail that new texts to numbers don't come here: one e-mail for what a
look at an account found."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from django.conf import settings
from django.db.models import Value
from django.db.models.functions import Concat, Length, Trim
from django.urls import reverse

from inboxes.emails import Email, EmailNotSent, send_email, sends_email
from inboxes.encryption import UndecryptableError
from inboxes.models import Agent
from messaging.models import ConnectionEvent, Number, NumberConnection
from messaging.stream import jobs

log = logging.getLogger(__name__)

NAMED = 20  # More numbers than these are counted
WORDS_LIMIT = 255  # Of a line in the history

WHY = {
    "gone": "The {carrier} account doesn't have {it} any more.",
    "moved": "{It} set to an earlier address of Partyline: PUBLIC_URL has changed since.",
    "changed": "Somebody changed at {carrier} where {its} texts go.",
}
ONE = {"it": "this number", "It": "It is", "its": "its"}
SEVERAL = {"it": "these numbers", "It": "They are", "its": "their"}


def tell_administrators(connection: NumberConnection, since: datetime) -> None:
    """Queue an e-mail to each administrator with an address. Call in the transaction of what
    happened."""
    if not sends_email():
        return
    told = Agent.objects.filter(is_active=True, is_staff=True).exclude(email="")
    for agent_id in told.values_list("pk", flat=True):
        jobs.defer_number_alert(account_id=connection.account_id, agent_id=agent_id, since=since)


def send_alert(account_id: int, agent_id: int, since: datetime) -> None:
    """Send one administrator the e-mail on those of the account's numbers that changed since, and
    whose texts don't come here yet.

    Raise EmailNotSent where it may be tried again.
    """
    changed = NumberConnection.objects.not_receiving().filter(
        account=account_id, changed_at__gte=since
    )
    connections = [*changed.select_related("account").order_by("address")]
    agent = Agent.objects.filter(pk=agent_id, is_active=True, is_staff=True).first()
    if not connections or agent is None or not agent.email:
        return
    try:
        send_email(_write(agent, connections))
    except EmailNotSent as error:
        log.warning("Alert of account %s: %s", account_id, error.sentence)
        if not error.is_final:
            raise
    else:
        _note_told(agent, connections, since)


def _write(agent: Agent, connections: Sequence[NumberConnection]) -> Email:
    count, first = len(connections), connections[0]
    named = connections[:NAMED]
    numbers = Number.objects.select_related("inbox").filter(
        address__in=[one.address for one in named]
    )
    by_address = {number.address: number for number in numbers}
    page = reverse("admin:messaging_carrieraccount_numbers", args=[first.account_id])
    if count == 1 and by_address:
        page = reverse("admin:messaging_number_change", args=[by_address[first.address].pk])
    which = first.display if count == 1 else f"{count} numbers"
    return Email(
        to=agent.email,
        subject=f"New texts to {which} don't reach Partyline",
        template="messaging/accounts/email/not_receiving",
        context={
            "agent": agent,
            "which": which,
            "is_one": count == 1,
            "numbers": [
                {
                    "display": one.display,
                    "inbox": getattr(by_address.get(one.address), "inbox", ""),
                }
                for one in named
            ],
            "rest": count - len(named),
            "reasons": _say_why(connections),
            "url": settings.PUBLIC_URL + page,
        },
    )


def _say_why(connections: Sequence[NumberConnection]) -> list[str]:
    """Return a sentence for each reason; with several, each begins with how many it is of."""
    carrier = connections[0].account.adapter.label
    reasons = sorted(map(_reason, connections))
    counted = [(reason, len([*same])) for reason, same in groupby(reasons)]
    sentences = []
    for reason, count in counted:
        said = WHY[reason].format(carrier=carrier, **(ONE if count == 1 else SEVERAL))
        sentences.append(said if len(counted) == 1 else f"{count} of them: {said}")
    return sentences


def _reason(connection: NumberConnection) -> str:
    if connection.state == NumberConnection.State.GONE:
        return "gone"
    try:
        route = connection.get_route()
    except UndecryptableError:
        return "changed"
    is_ours = route is not None and route.url.endswith(connection.account.webhook_path)
    return "moved" if is_ours else "changed"


def _note_told(agent: Agent, connections: Sequence[NumberConnection], since: datetime) -> None:
    """Add to the lines in the numbers' history who was told."""
    told = f" {agent.display_name} was told by e-mail."
    kinds = (ConnectionEvent.Kind.CHANGED, ConnectionEvent.Kind.GONE)
    lines = ConnectionEvent.objects.filter(
        connection__in=connections, kind__in=kinds, at__gte=since
    )
    with_room = lines.annotate(size=Length("words")).filter(size__lte=WORDS_LIMIT - len(told))
    with_room.update(words=Trim(Concat("words", Value(told))))
