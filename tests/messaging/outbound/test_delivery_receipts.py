"""Settle attempts by signed receipts that the far end sends over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from messaging.carriers.twilio import Twilio
from messaging.models import DeliveryReceipt
from messaging.outbound.receipts import apply_receipt
from messaging.outbound.sending import retry_message
from tests.cast import SECRETS, Cast
from tests.far_end_client import FarEnd, far_end
from tests.messaging.stepped_worker import (
    assert_never_doubled,
    attempt_states,
    carrier,
    end_waits,
    message_states,
    run_jobs,
    texts_at,
)

__all__ = ["carrier", "far_end"]


@pytest.fixture
def reporting_far_end(carrier: FarEnd, live_server: Any) -> FarEnd:
    """Return a far end that sends receipts to the test's own server."""
    carrier.set_receipts(secret=SECRETS["auth_token"], deliver_to=live_server.url)
    return carrier


def run_after_call(monkeypatch: pytest.MonkeyPatch, function: Callable[[], Any]) -> None:
    """Run a function when the carrier has answered and nothing is recorded yet."""
    send = Twilio.send

    def send_then(self: Twilio, *arguments: Any) -> Any:
        result = send(self, *arguments)
        function()
        return result

    monkeypatch.setattr(Twilio, "send", send_then)


def test_a_text_stays_delivered_whatever_receipts_came_before_or_come_again(
    reporting_far_end: FarEnd, cast: Cast
) -> None:
    message = cast.answer(cast.thread(), "Hello")
    run_jobs()
    [entry] = reporting_far_end.ledger()
    said = ["delivered", "sent", "queued", "delivered", "sending", "sent"]
    assert [reporting_far_end.report(entry["id"], state) for state in said] == [200] * 6
    assert message_states(message) == ["delivered"]
    assert DeliveryReceipt.objects.count() == 4
    assert attempt_states(message) == ["delivered"]


def test_a_receipt_with_a_forged_signature_changes_nothing(
    reporting_far_end: FarEnd, cast: Cast, live_server: Any
) -> None:
    message = cast.answer(cast.thread(), "Hello")
    run_jobs()
    reporting_far_end.set_receipts(secret="not-ours", deliver_to=live_server.url)
    assert reporting_far_end.report(reporting_far_end.ledger()[0]["id"], "delivered") == 403
    assert message_states(message) == ["sent"]


def test_receipts_that_overtake_our_own_commit_are_not_lost(
    reporting_far_end: FarEnd, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = cast.answer(cast.thread(), "Hello")

    def send_receipts() -> None:
        text = reporting_far_end.ledger()[0]["id"]
        assert [reporting_far_end.report(text, state) for state in ("delivered", "sent")] == [
            200,
            200,
        ]

    run_after_call(monkeypatch, send_receipts)
    run_jobs()
    assert message_states(message) == ["delivered"]
    assert attempt_states(message) == ["delivered"]
    assert message.attempts.get().carrier_message_id == reporting_far_end.ledger()[0]["id"]
    assert not DeliveryReceipt.objects.filter(attempt=None).exists()


def test_receipts_without_our_token_wait_parked_until_the_answer_names_the_text(
    reporting_far_end: FarEnd, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def apply_without_token(*, attempt_token: str | None, **rest: Any) -> None:
        apply_receipt(attempt_token=None, **rest)

    monkeypatch.setattr("messaging.inbound.receiving.apply_receipt", apply_without_token)
    message = cast.answer(cast.thread(), "Hello")
    parked: list[int] = []

    def send_receipts() -> None:
        reporting_far_end.report(reporting_far_end.ledger()[0]["id"], "delivered")
        parked.append(DeliveryReceipt.objects.filter(attempt=None).count())

    run_after_call(monkeypatch, send_receipts)
    run_jobs()
    assert parked == [1]
    assert message_states(message) == ["delivered"]


def test_a_late_receipt_settles_a_text_that_timed_out_and_it_is_not_sent_again(
    reporting_far_end: FarEnd, cast: Cast
) -> None:
    pairs = {}
    for number, said in enumerate(["queued", "sending", "sent", "delivered", "failed"]):
        thread = cast.thread(sender=f"+1202555050{number}")
        reporting_far_end.plan({"kind": "timeout", "seconds": 2}, to=thread.contact.address)
        pairs[said] = [cast.answer(thread, f"{word} {said}") for word in ("First", "Second")]
    run_jobs(concurrency=5)
    texts = {entry["body"]: entry["id"] for entry in reporting_far_end.ledger()}
    for said, (first, second) in pairs.items():
        assert message_states(first, second) == ["unknown", "sent"]
        text = texts[first.body]
        assert reporting_far_end.report(text, said, "30003" if said == "failed" else "") == 200
        settled = said if said in {"delivered", "failed"} else "sent"
        assert message_states(first, second) == [settled, "sent"]
        assert first.attempts.get().carrier_message_id == text
        cast.answer(first.thread, f"Third {said}")
    run_jobs(concurrency=5)
    assert sorted(texts_at(reporting_far_end)) == sorted(
        f"{word} {said}" for word in ("First", "Second", "Third") for said in pairs
    )


def test_a_delivery_of_the_first_attempt_cancels_the_second(
    reporting_far_end: FarEnd, cast: Cast
) -> None:
    message = cast.answer(cast.thread(), "Hello")
    reporting_far_end.plan({"kind": "reset"})
    run_jobs()
    retry_message(message=message)
    assert reporting_far_end.report(reporting_far_end.ledger()[0]["id"], "delivered") == 200
    assert message_states(message) == ["delivered"]
    run_jobs()
    assert attempt_states(message) == ["delivered"]
    assert texts_at(reporting_far_end) == ["Hello"]


def test_a_delivery_of_the_first_attempt_during_a_429_for_the_second_ends_the_retries(
    reporting_far_end: FarEnd, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = cast.answer(cast.thread(), "Hello")
    reporting_far_end.plan({"kind": "reset"}, {"kind": "throttle"})
    run_jobs()
    retry_message(message=message)
    first = reporting_far_end.ledger()[0]["id"]
    run_after_call(monkeypatch, lambda: reporting_far_end.report(first, "delivered"))
    run_jobs()
    assert message_states(message) == ["delivered"]
    end_waits()
    run_jobs()
    assert attempt_states(message) == ["delivered", "failed"]
    assert texts_at(reporting_far_end, taken=True) == ["Hello"]
    assert_never_doubled(reporting_far_end)


def test_a_delivery_on_any_attempt_wins(reporting_far_end: FarEnd, cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Hello")
    reporting_far_end.plan({"kind": "reset"})
    run_jobs()
    retry_message(message=message)
    run_jobs()
    one, two = (entry["id"] for entry in reporting_far_end.ledger())
    reporting_far_end.report(two, "failed", "30003")
    assert message_states(message) == ["failed"]
    reporting_far_end.report(one, "delivered")
    assert message_states(message) == ["delivered"]
    assert attempt_states(message) == ["delivered", "failed"]
