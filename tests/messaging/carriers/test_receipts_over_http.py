"""Receipts of the far end reach the webhooks: signed for the public address, delivered to ours."""

from __future__ import annotations

import httpx
import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from messaging.carriers import results
from messaging.models import CarrierAccount, DeliveryReceipt
from tests.far_end_client import FarEnd, far_end

__all__ = ["far_end"]

CREDENTIALS = {
    "twilio": {"account_sid": "AC0", "auth_token": "the-secret"},
    "simulator": {"secret": "the-secret"},
}


@pytest.fixture(params=["twilio", "simulator"])
def account(
    request: pytest.FixtureRequest, transactional_db: None, settings: Settings, far_end: FarEnd
) -> CarrierAccount:
    settings.PUBLIC_URL = "https://texts.example.com"
    settings.TWILIO_API_URL = far_end.url
    settings.SIMULATOR_API_URL = far_end.url
    account = CarrierAccount(carrier=request.param, name="Ours")
    account.set_credentials(CREDENTIALS[request.param])
    account.save()
    return account


def send_text(account: CarrierAccount) -> str:
    """Send one text and return the carrier's id of it."""
    callback = f"{account.webhook_url}5f0c3e0a-9f3e-4c52-8f5c-0a4f7a7c9f10/"
    outgoing = results.Outgoing("t", "+12025550110", "+12025550177", "Hello 📦", callback)
    with httpx.Client(timeout=5, trust_env=False) as http:
        result = account.adapter.send(outgoing, account.get_credentials(), http)
    assert isinstance(result, results.Accepted)
    return result.carrier_message_id


def stored_receipts() -> list[tuple[str, str, str]]:
    rows = DeliveryReceipt.objects.order_by("pk")
    return list(rows.values_list("carrier_message_id", "state", "error_class"))


def test_repeated_receipts_are_stored_once(
    account: CarrierAccount, far_end: FarEnd, live_server: LiveServer
) -> None:
    far_end.set_receipts(secret="the-secret", deliver_to=live_server.url)
    message_id = send_text(account)
    code = {"twilio": "30003", "simulator": "transient"}[account.carrier]
    for state in ("delivered", "sent", "delivered"):
        assert far_end.report(message_id, state) in (200, 204)
    assert far_end.report(message_id, "failed", code) in (200, 204)
    assert stored_receipts() == [
        (message_id, "delivered", ""),
        (message_id, "sent", ""),
        (message_id, "failed", "transient"),
    ]


def test_automatic_receipts_arrive_in_their_order(
    account: CarrierAccount, far_end: FarEnd, live_server: LiveServer
) -> None:
    plan = [(0.0, "delivered"), (0.1, "sent"), (0.0, "sent")]
    far_end.set_receipts(secret="the-secret", deliver_to=live_server.url, automatic=plan)
    message_id = send_text(account)
    receipts = far_end.wait_for(3, "receipt")
    assert [entry["state"] for entry in receipts] == ["delivered", "sent", "sent"]
    assert {entry["status"] for entry in receipts} <= {200, 204}
    assert stored_receipts() == [(message_id, "delivered", ""), (message_id, "sent", "")]


def test_a_receipt_signed_with_another_secret_is_refused_and_counted(
    account: CarrierAccount, far_end: FarEnd, live_server: LiveServer
) -> None:
    far_end.set_receipts(secret="not-the-secret", deliver_to=live_server.url)
    assert far_end.report(send_text(account), "delivered") == 403
    assert stored_receipts() == []
    account.refresh_from_db()
    assert account.rejected_count == 1
    assert "signature" in account.last_rejection
