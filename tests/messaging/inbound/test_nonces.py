"""Accept a signature that does not cover the body (Plivo's V2) for one body only."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import Settings

from inboxes.models import Inbox
from messaging.models import CarrierAccount, DeliveryReceipt, Message, Number, UsedNonce
from tests.cast import Cast
from tests.messaging.carrier_calls import FORM
from tests.messaging.carriers.fixtures.plivo import sign

TOKEN = "a-secret-of-the-tests"
OURS = "+12025550119"


@pytest.fixture(autouse=True)
def https(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://texts.example.com"


def make_account(name: str = "Ours") -> CarrierAccount:
    account = CarrierAccount(carrier="plivo", name=name)
    account.set_credentials({"auth_id": "MA", "auth_token": TOKEN})
    account.save()
    return account


def post_signed(
    account: CarrierAccount, nonce: str = "1", *, both: bool = False, **fields: str
) -> Any:
    """POST a request that is signed by V2, and by V3 as well if `both`."""
    url = account.webhook_url
    digest = hmac.new(TOKEN.encode(), (url + nonce).encode(), hashlib.sha256).digest()
    headers = {
        "X-Plivo-Signature-V2": base64.b64encode(digest).decode(),
        "X-Plivo-Signature-V2-Nonce": nonce,
    }
    fields_sent = {
        "MessageUUID": "m1",
        "From": "12025550177",
        "To": OURS[1:],
        "Text": "Hi",
        **fields,
    }
    body = urlencode(fields_sent)
    if both:
        headers |= sign(body.encode(), FORM, TOKEN, url).headers
    return Client().post(account.webhook_path, body, content_type=FORM, headers=headers)


def test_a_repeated_request_is_accepted_and_stored_once(cast: Cast) -> None:
    account = make_account()
    Number.objects.create(
        address=OURS, account=account, inbox=Inbox.objects.create(name="Workshop")
    )
    assert [post_signed(account).status_code for _ in range(3)] == [200] * 3
    assert Message.objects.filter(account=account).count() == 1
    account.refresh_from_db()
    assert account.rejected_count == 0


def test_another_body_under_the_same_signature_is_refused_and_counted(cast: Cast) -> None:
    account = make_account()
    assert post_signed(account, Status="sent").status_code == 200
    assert post_signed(account, Status="delivered").status_code == 403
    assert list(DeliveryReceipt.objects.values_list("state", flat=True)) == ["sent"]
    account.refresh_from_db()
    assert account.rejected_count == 1
    assert "nonce" in account.last_rejection
    assert post_signed(account, nonce="2", Status="delivered").status_code == 200


def test_the_older_of_two_signatures_is_refused_alone_with_another_body(cast: Cast) -> None:
    account = make_account()
    assert post_signed(account, both=True, Status="sent").status_code == 200
    assert post_signed(account, Status="delivered").status_code == 403
    assert list(DeliveryReceipt.objects.values_list("state", flat=True)) == ["sent"]


def test_accounts_do_not_use_up_each_others_nonces(cast: Cast) -> None:
    assert post_signed(make_account(), Status="sent").status_code == 200
    assert (
        post_signed(make_account("Another"), Status="delivered", MessageUUID="m2").status_code
        == 200
    )
    assert UsedNonce.objects.count() == 2


def test_an_overlong_nonce_is_refused(cast: Cast) -> None:
    assert post_signed(make_account(), nonce="9" * 500, Status="sent").status_code == 403
    assert not UsedNonce.objects.exists()
