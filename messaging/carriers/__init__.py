"""List the carriers that this installation can speak to."""

from __future__ import annotations

from django.conf import settings

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
)
CARRIERS: dict[str, Carrier] = {adapter.name: adapter for adapter in ADAPTERS}
if getattr(settings, "DEMO", False):
    CARRIERS["simulator"] = Simulator()


class UnknownCarrier(LookupError):
    """No adapter of that name; the simulator exists in the demo only."""


def get_carrier(name: str) -> Carrier:
    """Return the adapter called `name`. Raise UnknownCarrier."""
    try:
        return CARRIERS[name]
    except KeyError:
        raise UnknownCarrier(name) from None
