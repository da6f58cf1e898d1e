"""Give numbers back: set at their carrier what was there before they were connected."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from inboxes.encryption import UndecryptableError
from inboxes.models import Agent
from messaging.accounts import claims, history, readings, steps, troubles
from messaging.accounts.connecting import BUSY, Outcome
from messaging.accounts.directories import open_directory
from messaging.accounts.troubles import NotPossible
from messaging.carriers.numbers import Directory, Step, Trouble
from messaging.models import ConnectionEvent, NumberConnection

State = NumberConnection.State
Kind = ConnectionEvent.Kind

UNDECRYPTABLE = (
    "What was set before can't be decrypted with FIELD_KEYS, so it can't be put back. Restore the "
    "key, or leave the number as it is."
)


def describe_undoing(connection: NumberConnection) -> list[Step]:
    """Return what giving the number back changes, without asking the carrier.

    Empty if nothing was changed for it, or if other connected numbers rest on that.
    """
    try:
        made = connection.get_steps()
    except UndecryptableError:
        return []
    return [one.reversed() for one in made if one.resource_id and not _heir(connection, one)]


def disconnect_number(
    *, connection: NumberConnection, agent: Agent | None, put_back: bool = True
) -> Outcome:
    """Stop using the number; with `put_back`, set at the carrier what was there before us.

    A field that is not ours any more is left alone. So is what other connected numbers rest on,
    which then remember what was there before. Without it, or where the carrier's API can't, the
    number is left as it is.
    """
    address = connection.address
    claim = claims.claim_number(connection.account, address, connection.carrier_id)
    if claim is None:
        return Outcome(address, "busy", BUSY)
    try:
        return _disconnect(claim, agent, put_back=put_back)
    except claims.ClaimLost:
        return Outcome(address, "busy", BUSY, claim.connection)


def _disconnect(claim: claims.Claim, agent: Agent | None, *, put_back: bool) -> Outcome:
    connection = claim.connection
    undone: list[Step] = []
    if put_back:
        try:
            made = connection.get_steps()
        except UndecryptableError:
            claim.release()
            return Outcome(connection.address, "trouble", UNDECRYPTABLE, connection)
        trouble = _take_back(connection, _hand_over(connection, made), undone)
        if trouble is not None:
            claim.release(troubles.in_logs(trouble))
            words = troubles.explain(trouble, connection.account.adapter.label)
            return Outcome(connection.address, "trouble", words, connection, trouble)
    now = timezone.now()
    with claim.writing() as row:
        row.state = State.DISCONNECTED
        row.next_check_at, row.changed_at, row.connected_at = None, None, None
        row.set_steps([])
        row.set_route(None)
        kind = Kind.DISCONNECTED if undone else Kind.LEFT
        history.note_event(row, kind, at=now, agent=agent)
        readings.ring(row)
    claim.release()
    return Outcome(connection.address, "done", "", claim.connection)


def _take_back(
    connection: NumberConnection, made: list[Step], undone: list[Step]
) -> Trouble | None:
    if not made:
        return None
    try:
        with open_directory(connection.account) as directory:
            if not isinstance(directory, Directory):
                return directory
            return steps.take_back(directory, made, undone.append)
    except NotPossible:
        return None


@transaction.atomic
def _hand_over(connection: NumberConnection, made: list[Step]) -> list[Step]:
    """Give steps that other numbers rest on to one of them; return the others."""
    kept = []
    for step in made:
        heir = _heir(connection, step)
        if heir is None:
            kept.append(step)
            continue
        row = NumberConnection.objects.select_for_update().get(pk=heir.pk)
        row.set_steps(steps.merge([step], row.get_steps()))
        row.save(update_fields=["encrypted_steps"])
    return kept


def _heir(connection: NumberConnection, step: Step) -> NumberConnection | None:
    """Return another connected number whose texts the step's resource routes.

    One that left the account rests on nothing there.
    """
    if not step.resource_id or step.resource_id == connection.carrier_id:
        return None
    # It may be one of several that route a number's texts, with spaces between their ids.
    rests_on_it = (
        Q(handler_id=step.resource_id)
        | Q(handler_id__startswith=f"{step.resource_id} ")
        | Q(handler_id__endswith=f" {step.resource_id}")
    )
    return (
        NumberConnection.objects.watched()
        .filter(rests_on_it, account=connection.account_id)
        .exclude(pk=connection.pk)
        .exclude(state=State.GONE)
        .order_by("pk")
        .first()
    )
