"""Look at connected numbers once an hour: do their texts still come here?

One list call tells of all numbers of an account. A reading that is older than a change of ours is
dropped. Nothing is changed at the carrier here, except where somebody clicks to set it back.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from inboxes.models import Agent
from messaging.accounts import connecting, history, readings, schedule, troubles
from messaging.accounts.connecting import Outcome
from messaging.accounts.directories import open_directory
from messaging.carriers.numbers import Directory, NotThere, OfferedNumber, Trouble
from messaging.models import CarrierAccount, ConnectionEvent, NumberConnection
from messaging.models.connections import CONNECTING_TIME, NumberConnectionQuerySet

log = logging.getLogger(__name__)

State = NumberConnection.State
Kind = ConnectionEvent.Kind

# What is due so soon is looked at together with what is due now.
TOGETHER = timedelta(minutes=10)
ROUND_SECONDS = 120.0

Readings = dict[str, OfferedNumber | NotThere]


def check_due_numbers() -> int:
    """Look at the accounts with due numbers, within a round's time; return how many numbers."""
    until = time.monotonic() + ROUND_SECONDS
    count = 0
    for account in _due_accounts(timezone.now()):
        if time.monotonic() > until:
            break
        try:
            count += check_account(account=account)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # the other accounts still get their turn
            log.exception("The numbers of account %s could not be checked.", account.pk)
            _due(account, timezone.now()).update(
                next_check_at=timezone.now() + schedule.SOON, trouble=readings.BROKEN_OFF
            )
    return count


def _due_accounts(now: datetime) -> list[CarrierAccount]:
    """Return the accounts with numbers that are due, the longest first."""
    due = (
        NumberConnection.objects.watched()
        .filter(next_check_at__lte=now, account__is_active=True)
        .exclude(claimed_at__gt=now - CONNECTING_TIME)
        .select_related("account")
        .order_by("next_check_at")
    )
    return [*{one.account_id: one.account for one in due}.values()]


def _due(account: CarrierAccount, now: datetime) -> NumberConnectionQuerySet:
    return (
        NumberConnection.objects.watched()
        .filter(account=account, next_check_at__lte=now + TOGETHER)
        .exclude(claimed_at__gt=now - CONNECTING_TIME)
        .select_related("account")
        .order_by(F("checked_at").asc(nulls_first=True), "pk")
    )


def check_account(*, account: CarrierAccount) -> int:
    """Look at the account's due numbers; return how many there were."""
    connections = [*_due(account, timezone.now())]
    wanted = {one.address: one.carrier_id for one in connections}
    with open_directory(account, seconds=ROUND_SECONDS) as directory:
        read = directory.read_numbers(wanted) if isinstance(directory, Directory) else directory
    now = timezone.now()
    for connection in connections:
        told = read.get(connection.address) if isinstance(read, dict) else read
        if told is not None:  # else it stays due
            record_reading(connection=connection, read=told, at=now)
    if not isinstance(read, dict):
        log.warning(
            "The numbers of account %s were not checked: %s", account.pk, troubles.in_logs(read)
        )
    return len(connections)


def check_number(*, connection: NumberConnection) -> NumberConnection:
    """Look at one number now, and at its registration. Raise NotPossible."""
    with open_directory(connection.account) as directory:
        read = (
            directory.read_number(
                connection.address, connection.carrier_id, with_registration=True
            )
            if isinstance(directory, Directory)
            else directory
        )
    return record_reading(
        connection=connection, read=read, at=timezone.now(), with_registration=True
    )


@transaction.atomic
def record_reading(
    *,
    connection: NumberConnection,
    read: OfferedNumber | NotThere | Trouble,
    at: datetime,
    with_registration: bool = False,
) -> NumberConnection:
    """Record a reading, unless we changed the number since it was begun."""
    row = NumberConnection.objects.select_for_update().get(pk=connection.pk)
    if row.revision != connection.revision or row.is_claimed(at):
        return row
    trouble: Trouble | None = None
    if isinstance(read, OfferedNumber | NotThere):
        readings.record(
            row,
            read,
            at,
            webhook_url=connection.account.webhook_url,
            with_registration=with_registration,
        )
    else:
        trouble = read
        readings.note_trouble(row, read, at)
    row.next_check_at = schedule.next_check(row, at, trouble)
    row.save()
    return row


def set_back(*, connection: NumberConnection, agent: Agent | None) -> Outcome:
    """Set a number to our webhook again, or finish connecting one.

    Texts that were missed meanwhile are fetched where the carrier keeps a log. Raise NotPossible.
    """
    outcome = connecting.connect_again(connection=connection, agent=agent, kind=Kind.SET_BACK)
    if outcome.is_good:
        readings.fetch_missed(connection)
    return outcome


@transaction.atomic
def stop_watching(*, connection: NumberConnection, agent: Agent | None) -> NumberConnection:
    """Leave the number as it is and look at it no more: the change was intended."""
    row = NumberConnection.objects.select_for_update().get(pk=connection.pk)
    if row.state in (State.UNWATCHED, State.DISCONNECTED):
        return row
    now = timezone.now()
    row.state, row.next_check_at, row.trouble = State.UNWATCHED, None, ""
    row.revision += 1
    row.save()
    history.note_event(row, Kind.STOPPED, at=now, agent=agent)
    readings.ring(row)
    return row
