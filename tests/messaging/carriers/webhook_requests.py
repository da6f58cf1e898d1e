"""Make an account at any carrier under the contract, and post webhooks to it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.test import Client

from messaging.carriers import events
from messaging.models import CarrierAccount, Number
from tests.cast import FRONT_DESK, Cast
from tests.messaging.carriers.fixtures.base import PAYLOADS, CarrierFixture


def move_front_desk(cast: Cast, fixture: CarrierFixture) -> Cast:
    """Return the cast with an account at the carrier, to which Front Desk's number has moved."""
    account = CarrierAccount(carrier=fixture.name, name=fixture.carrier.label)
    account.set_credentials(dict(fixture.credentials))
    account.save()
    Number.objects.filter(address=FRONT_DESK).update(account=account)
    return replace(cast, account=account)


def payload(fixture: CarrierFixture, name: str) -> Any:
    return json.loads((PAYLOADS / fixture.name / f"{name}.json").read_bytes())


def sign_request(
    account: CarrierAccount, fixture: CarrierFixture, event: object, secret: str
) -> events.RawRequest:
    url = settings.PUBLIC_URL + account.webhook_path
    return fixture.sign(json.dumps(event).encode(), "application/json", secret, url)


def post_signed(
    account: CarrierAccount, fixture: CarrierFixture, event: object, *, secret: str = ""
) -> Any:
    """POST the JSON to the account's webhook, signed as the vendor does it."""
    stored = fixture.credentials[fixture.secret]
    request = sign_request(account, fixture, event, secret or stored)
    return Client().post(
        request.path, request.body, content_type="application/json", headers=request.headers
    )


def post_body(
    account: CarrierAccount, fixture: CarrierFixture, body: bytes, content_type: str
) -> Any:
    """POST a body of any type to the account's webhook, signed as the vendor does it."""
    url = settings.PUBLIC_URL + account.webhook_path
    request = fixture.sign(body, content_type, fixture.credentials[fixture.secret], url)
    headers = {key: value for key, value in request.headers.items() if key != "content-type"}
    return Client().post(request.path, body, content_type=content_type, headers=headers)


def post_unsigned(account: CarrierAccount, event: object) -> Any:
    return Client().post(account.webhook_path, event, content_type="application/json")
