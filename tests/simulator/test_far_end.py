"""The demo's far end: the endpoint that the sender calls like any carrier's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from django.test import Client

from messaging.carriers import results
from messaging.carriers.simulator import Simulator
from messaging.models import CarrierAccount, DeliveryReceipt, Number
from messaging.simulator.models import FarEnd, Text

SECRET = "a-simulated-secret"
URL = "/simulator/carrier/messages/"

Send = Callable[[], results.SendResult]


@pytest.fixture
def send(number: Number, account: CarrierAccount, served: str) -> Iterator[Send]:
    """Send one text as the worker does, over HTTP."""
    callback = f"{account.webhook_url}5f0c3e0a-9f3e-4c52-8f5c-0a4f7a7c9f10/"
    outgoing = results.Outgoing("t", number.address, "+12025550177", "Yes, it’s here 📦", callback)
    with httpx.Client(timeout=0.5, trust_env=False) as http:
        yield lambda: Simulator().send(outgoing, {"secret": SECRET}, http)


def tell(answer: str, receipts: str = FarEnd.Receipts.NONE) -> None:
    FarEnd.objects.update_or_create(pk=1, defaults={"answer": answer, "receipts": receipts})


def receipts_within(seconds: float, count: int) -> list[str]:
    """Return the states told so far, in the order in which they came."""
    deadline = time.monotonic() + seconds
    while True:
        states = list(DeliveryReceipt.objects.order_by("pk").values_list("state", flat=True))
        if len(states) >= count or time.monotonic() > deadline:
            return states
        time.sleep(0.05)


def test_a_taken_text_lies_on_the_handset(send: Send) -> None:
    tell(FarEnd.Answer.ACCEPT)
    result = send()
    text = Text.objects.get()
    assert result == results.Accepted(text.carrier_message_id)
    assert (text.sender, text.recipient, text.body) == (
        "+12025550110",
        "+12025550177",
        "Yes, it’s here 📦",
    )


@pytest.mark.parametrize(
    ("receipts", "states"),
    [
        (FarEnd.Receipts.DELIVERED, ["sent", "delivered"]),
        (FarEnd.Receipts.REVERSED, ["delivered", "sent"]),
        (FarEnd.Receipts.FAILED, ["sent", "failed"]),
    ],
)
def test_receipts_come_as_it_was_told(send: Send, receipts: str, states: list[str]) -> None:
    tell(FarEnd.Answer.ACCEPT, receipts)
    send()
    assert receipts_within(8, 2) == states


def test_it_can_keep_silent_about_a_text(send: Send) -> None:
    tell(FarEnd.Answer.ACCEPT, FarEnd.Receipts.NONE)
    send()
    assert receipts_within(1.5, 1) == []


@pytest.mark.parametrize(
    ("answer", "result", "is_taken"),
    [
        (FarEnd.Answer.THROTTLE, results.RateLimited, False),
        (FarEnd.Answer.ERROR, results.OutcomeUnknown, False),
        (FarEnd.Answer.REJECT, results.Rejected, False),
        (FarEnd.Answer.OPT_OUT, results.OptedOut, False),
        (FarEnd.Answer.TIMEOUT, results.OutcomeUnknown, True),
        # This server is not Daphne, so the line cannot be reset; it is held until the timeout.
        (FarEnd.Answer.RESET, results.OutcomeUnknown, True),
    ],
)
def test_it_misbehaves_as_it_was_told(
    send: Send, answer: str, result: type[results.SendResult], is_taken: bool
) -> None:
    tell(answer)
    assert isinstance(send(), result)
    assert Text.objects.exists() == is_taken
    time.sleep(1.6 if is_taken else 0)  # let the held answer go before the tables are emptied


def test_only_the_accounts_secret_opens_it(client: Client, account: CarrierAccount) -> None:
    told = {"from": "1", "to": "2", "text": "x", "callback_url": ""}
    for header in ("", "Bearer ", "Bearer wrong", f"Basic {SECRET}", SECRET):
        response = client.post(
            URL, told, content_type="application/json", headers={"authorization": header}
        )
        assert response.status_code == 401
    assert not Text.objects.exists()


def test_an_account_without_a_secret_opens_nothing(
    client: Client, account: CarrierAccount
) -> None:
    account.set_credentials({"secret": ""})
    account.save()
    headers = {"authorization": "Bearer "}
    assert client.post(URL, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"from": 1, "to": "2", "text": "x", "callback_url": ""}',
        b'{"from": "%s", "to": "2", "text": "x", "callback_url": ""}' % (b"1" * 65),
    ],
)
def test_nonsense_is_refused(client: Client, account: CarrierAccount, body: bytes) -> None:
    response = client.post(
        URL, body, content_type="application/json", headers={"authorization": f"Bearer {SECRET}"}
    )
    assert response.status_code == 400
    assert not Text.objects.exists()


def test_receipts_go_nowhere_but_to_our_own_webhooks(
    number: Number, account: CarrierAccount, served: str
) -> None:
    from messaging.simulator.outside import is_ours

    assert is_ours(f"{served}/webhooks/simulator/x/")
    for other in ("", "http://10.0.0.1/", f"{served}.example.com/webhooks/simulator/x/", served):
        assert not is_ours(other)


def test_it_is_posted_to_and_nothing_else(client: Client, account: CarrierAccount) -> None:
    assert client.get(URL).status_code == 405
