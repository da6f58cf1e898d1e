"""Choose and connect an account's numbers as the administration does."""

from __future__ import annotations

from inboxes.models import Agent
from messaging.accounts.connecting import Outcome, connect_numbers
from messaging.accounts.offered import list_offered_numbers, read_offered_numbers
from messaging.models import CarrierAccount, NumberConnection

THEIRS = "https://hooks.example.net/sms/v2?token=secret"


def choose(account: CarrierAccount, *addresses: str) -> dict[str, str]:
    """Return what a page shows of the numbers: the plans that a click agrees to."""
    assert read_offered_numbers(account=account) is None
    shown = list_offered_numbers(account).by_address
    return {address: shown[address].plan_token for address in addresses}


def connect(account: CarrierAccount, *addresses: str, agent: Agent | None = None) -> list[Outcome]:
    """Read the list, and connect these numbers of it."""
    chosen = choose(account, *addresses)
    return connect_numbers(account=account, chosen=chosen, agent=agent)


def connected(account: CarrierAccount, address: str) -> NumberConnection:
    """Connect a number and return its connection."""
    [outcome] = connect(account, address)
    assert outcome.is_good, outcome
    return NumberConnection.objects.get(address=address)
