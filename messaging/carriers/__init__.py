"""List the carriers that Partyline can speak to.

The simulator is one of them: with it, an installation is tried out without a carrier. Which
accounts it may have is decided where they are made (`messaging/setup/` and the demo's seed).
"""

from __future__ import annotations

from messaging.carriers.bandwidth import Bandwidth
from messaging.carriers.base import Carrier
from messaging.carriers.plivo import Plivo
from messaging.carriers.signalwire import SignalWire
from messaging.carriers.simulator import Simulator
from messaging.carriers.telnyx import Telnyx
from messaging.carriers.twilio import Twilio
from messaging.carriers.vonage import Vonage

__all__ = ["CARRIERS", "Carrier", "UnknownCarrier", "get_carrier"]

ADAPTERS: tuple[Carrier, ...] = (
    Twilio(),
    SignalWire(),
    Plivo(),
    Telnyx(),
    Bandwidth(),
    Vonage(),
    Simulator(),
)
CARRIERS: dict[str, Carrier] = {adapter.name: adapter for adapter in ADAPTERS}


class UnknownCarrier(LookupError):
    """No adapter of that name: a later version may have known it."""


def get_carrier(name: str) -> Carrier:
    """Return the adapter called `name`. Raise UnknownCarrier."""
    try:
        return CARRIERS[name]
    except KeyError:
        raise UnknownCarrier(name) from None
