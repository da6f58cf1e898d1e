"""An account at any carrier under the contract, and its webhooks over the whole way in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.test import Client

from messaging.carriers import events
from messaging.models import CarrierAccount, Number
from tests.cast import FRONT_DESK, Cast
from tests.messaging.carriers.specimens.base import PAYLOADS, Specimen


def moved(cast: Cast, specimen: Specimen) -> Cast:
    """The cast with an account there, to which Front Desk's number moved."""
    account = CarrierAccount(carrier=specimen.name, name=specimen.carrier.label)
    account.set_credentials(dict(specimen.credentials))
    account.save()
    Number.objects.filter(address=FRONT_DESK).update(account=account)
    return replace(cast, account=account)


def payload(specimen: Specimen, name: str) -> Any:
    return json.loads((PAYLOADS / specimen.name / f"{name}.json").read_bytes())


def signed(
    account: CarrierAccount, specimen: Specimen, told: object, secret: str
) -> events.RawRequest:
    url = settings.PUBLIC_URL + account.webhook_path
    return specimen.sign(json.dumps(told).encode(), "application/json", secret, url)


def knock(account: CarrierAccount, specimen: Specimen, told: object, *, secret: str = "") -> Any:
    """POST the JSON to the account's webhook, signed as the vendor does it."""
    stored = specimen.credentials[specimen.secret]
    request = signed(account, specimen, told, secret or stored)
    return Client().post(
        request.path, request.body, content_type="application/json", headers=request.headers
    )


def knock_unsigned(account: CarrierAccount, told: object) -> Any:
    return Client().post(account.webhook_path, told, content_type="application/json")
