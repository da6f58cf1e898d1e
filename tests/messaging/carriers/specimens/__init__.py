"""Every carrier that the contract is tried on, one file each."""

from __future__ import annotations

from tests.messaging.carriers.specimens.bandwidth import BANDWIDTH
from tests.messaging.carriers.specimens.base import Specimen
from tests.messaging.carriers.specimens.plivo import PLIVO
from tests.messaging.carriers.specimens.signalwire import SIGNALWIRE
from tests.messaging.carriers.specimens.simulator import SIMULATOR
from tests.messaging.carriers.specimens.telnyx import TELNYX
from tests.messaging.carriers.specimens.twilio import TWILIO
from tests.messaging.carriers.specimens.vonage import VONAGE

__all__ = ["SPECIMENS"]

SPECIMENS: dict[str, Specimen] = {
    specimen.name: specimen
    for specimen in (
        TWILIO,
        SIGNALWIRE,
        PLIVO,
        TELNYX,
        BANDWIDTH,
        VONAGE,
        SIMULATOR,
    )
}
