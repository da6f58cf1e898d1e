"""Choose numbers of a carrier account: connect them there, and give each an inbox here.

The carrier is called between transactions. A number gets its inbox only once the carrier has taken
our address for it. What broke off is found again: a connected number without an inbox gets one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inboxes.models import Agent
from messaging.accounts.connecting import connect_numbers
from messaging.accounts.offered import OfferedRow, list_offered_numbers
from messaging.models import CarrierAccount
from messaging.setup import actions


@dataclass
class Choice:
    """Say what became of the numbers that were chosen."""

    connected: list[str] = field(default_factory=list)
    # By address, why not.
    troubles: dict[str, str] = field(default_factory=dict)


def choose_numbers(*, account: CarrierAccount, plans: Mapping[str, str], agent: Agent) -> Choice:
    """Connect numbers and route them. `plans` holds by address the plan that was shown.

    Raises NotPossible where the carrier's API can't.
    """
    choice = Choice()
    if plans:
        for outcome in connect_numbers(account=account, chosen=plans, agent=agent):
            if not outcome.is_good:
                choice.troubles[outcome.address] = outcome.words
    offered = list_offered_numbers(account)
    choice.connected = [row.address for row in offered.rows if is_to_be_routed(row)]
    names = {row.address: row.offered.place for row in offered.rows}
    actions.route_numbers(account=account, addresses=choice.connected, names=names)
    return choice


def is_to_be_routed(row: OfferedRow) -> bool:
    return row.is_connected and row.number is None
