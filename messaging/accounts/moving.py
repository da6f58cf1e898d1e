"""Let a number of ours move to another account of ours, as when it was ported to another carrier.

What was set for it in the account that had it is left as it is there, and forgotten: another
carrier can't undo it.
"""

from __future__ import annotations

from datetime import datetime

from inboxes.models import Agent
from messaging.accounts import history
from messaging.accounts.adding import replay_quarantine
from messaging.models import CarrierAccount, ConnectionEvent, Number, NumberConnection
from messaging.stream.replies import follow_number

State = NumberConnection.State

# As far as we know, the account of such a connection still has the number.
HELD = (State.OURS, State.CHANGED, State.CONNECTING)
HELD_WORDS = "It is connected with the account {account}. Give it back there first."
MOVED_WORDS = "The number is in the account {account} now."


def find_holder(
    connection: NumberConnection | None, number: Number | None, account: CarrierAccount
) -> CarrierAccount | None:
    """Return the other account that has to give the number back before this one can have it.

    None for a number that belongs to this one already, since somebody chose so by hand.
    """
    if connection is None or connection.account_id == account.pk:
        return None
    is_here = number is not None and number.account_id == account.pk
    return None if is_here or connection.state not in HELD else connection.account


def why_not(connection: NumberConnection, account: CarrierAccount) -> str:
    """Say why the account can't have the number; empty if it can."""
    number = Number.objects.filter(address=connection.address).first()
    holder = find_holder(connection, number, account)
    return HELD_WORDS.format(account=holder) if holder else ""


def note_move(
    row: NumberConnection,
    before: CarrierAccount,
    state_before: str,
    *,
    at: datetime,
    agent: Agent | None,
) -> None:
    """Write down that what was set in the account before is left; on a locked row."""
    if row.account_id != before.pk and state_before != State.DISCONNECTED:
        words = MOVED_WORDS.format(account=row.account)
        kind = ConnectionEvent.Kind.LEFT
        history.note_event(row, kind, at=at, agent=agent, words=words)


def follow_account(row: NumberConnection) -> None:
    """Let the number belong to the account by which its texts come now.

    Those that came before wait in quarantine, and are replayed.
    """
    number = Number.objects.filter(address=row.address).exclude(account=row.account_id).first()
    if number is None:
        return
    Number.objects.filter(pk=number.pk).update(account=row.account_id)
    follow_number(inbox_id=number.inbox_id, our_addresses=[])
    replay_quarantine(row.account)
