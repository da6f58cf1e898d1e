from __future__ import annotations

from messaging.carriers.signalwire import SignalWire
from tests.messaging.carriers.specimens.twilio import in_twilios_dialect

PROJECT = "ea108133-d6b3-407c-9536-9fad8a929a6a"

SIGNALWIRE = in_twilios_dialect(
    SignalWire(),
    credentials={
        "space": "okafor",
        "project_id": PROJECT,
        "api_token": "PT-a-token",
        "signing_key": "a-secret-of-the-tests",
    },
    secret="signing_key",
    account_path=f"/api/laml/2010-04-01/Accounts/{PROJECT}",
    message_id="0a059168-ead0-41af-9d1f-343dae832527",
    account=PROJECT,
)
