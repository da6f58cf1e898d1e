"""Deliver queued texts through the real worker; their states show the outcomes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections
from procrastinate.contrib.django.models import ProcrastinateJob

from messaging.carriers.twilio import Twilio
from messaging.models import Attempt, CarrierAccount, Message, Number
from messaging.outbound import delivery
from messaging.outbound.sending import retry_message
from tests.cast import FRONT_DESK, Cast
from tests.far_end_client import FarEnd, far_end
from tests.messaging.stepped_worker import (
    assert_never_doubled,
    attempt_states,
    carrier,
    due_jobs,
    end_waits,
    message_states,
    run_jobs,
    texts_at,
)

__all__ = ["carrier", "far_end"]


def test_an_accepted_text_is_sent(carrier: FarEnd, cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Yes, until six.")
    run_jobs()
    [entry] = carrier.ledger()
    assert (entry["body"], entry["to"]) == ("Yes, until six.", message.thread.contact.address)
    assert entry["sender"] == FRONT_DESK
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.carrier_message_id) == ("sent", entry["id"])
    assert entry["attempt"] == str(attempt.token)
    assert message_states(message) == ["sent"]
    assert not ProcrastinateJob.objects.exists()


def test_the_attempt_is_committed_and_no_connection_held_while_the_carrier_is_called(
    carrier: FarEnd, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    send = Twilio.send

    def record_connection(self: Twilio, *arguments: Any) -> Any:
        seen.append(connections["default"].connection)
        return send(self, *arguments)

    monkeypatch.setattr(Twilio, "send", record_connection)
    carrier.plan({"kind": "slow", "seconds": 0.2})
    cast.answer(cast.thread(), "Hello")
    run_jobs()
    assert seen == [None]


def test_one_job_sends_a_threads_texts_in_order(carrier: FarEnd, cast: Cast) -> None:
    thread = cast.thread()
    sent = [cast.answer(thread, f"Line {number}") for number in range(5)]
    run_jobs(concurrency=3)
    assert texts_at(carrier) == [message.body for message in sent]
    assert set(message_states(*sent)) == {"sent"}


def test_after_a_429_the_text_waits_as_long_as_asked_and_the_next_one_behind_it(
    carrier: FarEnd, cast: Cast
) -> None:
    thread = cast.thread()
    first, second = cast.answer(thread, "First"), cast.answer(thread, "Second")
    carrier.plan({"kind": "throttle", "retry_after": 90})
    run_jobs()
    assert message_states(first, second) == ["queued", "queued"]
    assert texts_at(carrier) == ["First"]
    first.refresh_from_db()
    assert first.next_try_at is not None
    waits = (first.next_try_at - Attempt.objects.get().started_at).total_seconds()
    assert 89 < waits < 95
    cast.answer(thread, "Third")
    run_jobs()
    assert texts_at(carrier) == ["First"]
    end_waits()
    run_jobs()
    assert texts_at(carrier, taken=True) == ["First", "Second", "Third"]
    assert attempt_states(first) == ["failed", "sent"]
    assert_never_doubled(carrier)


def test_a_refused_connection_is_tried_again(carrier: FarEnd, cast: Cast, settings: Any) -> None:
    settings.TWILIO_API_URL = "http://127.0.0.1:9"
    message = cast.answer(cast.thread(), "Hello")
    run_jobs()
    message.refresh_from_db()
    assert (message.state, message.tries) == ("queued", 1)
    settings.TWILIO_API_URL = carrier.url
    end_waits()
    run_jobs()
    assert attempt_states(message) == ["failed", "sent"]
    assert texts_at(carrier) == ["Hello"]


def test_a_text_fails_after_too_many_tries_and_the_thread_goes_on(
    carrier: FarEnd, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_TRIES", 3)
    thread = cast.thread()
    first, second = cast.answer(thread, "First"), cast.answer(thread, "Second")
    carrier.plan(*[{"kind": "throttle"}] * 3)
    for _ in range(3):
        end_waits()
        run_jobs()
    assert message_states(first, second) == ["failed", "sent"]
    first.refresh_from_db()
    assert first.reason.startswith("Too many texts at once.")
    assert texts_at(carrier, taken=True) == ["Second"]


def test_the_backoff_grows_to_a_limit() -> None:
    for tries in range(1, 12):
        expected = min(delivery.MAX_BACKOFF, 2.0**tries)
        assert 0.75 * expected <= delivery.backoff_seconds(tries) <= 1.25 * expected


UNCLEAR: list[dict[str, Any]] = [
    {"kind": "error", "status": 500, "taken": True},
    {"kind": "error", "status": 503},
    {"kind": "timeout", "seconds": 2},
    {"kind": "reset"},
    {"kind": "reset_untaken"},
    {"kind": "garbled"},
    {"kind": "redirect"},
]


def test_without_a_clear_answer_the_text_is_unknown_and_the_next_one_goes(
    carrier: FarEnd, cast: Cast
) -> None:
    pairs = []
    for number, answer in enumerate(UNCLEAR):
        thread = cast.thread(sender=f"+1202555020{number}")
        carrier.plan(answer, to=thread.contact.address)
        pairs.append([cast.answer(thread, f"First {number}"), cast.answer(thread, f"B{number}")])
    run_jobs(concurrency=4)
    for answer, (first, second) in zip(UNCLEAR, pairs, strict=True):
        assert (answer, message_states(first, second)) == (answer, ["unknown", "sent"])
        first.refresh_from_db()
        assert first.reason == delivery.UNKNOWN_REASON
    end_waits()
    run_jobs()
    assert sorted(texts_at(carrier)) == sorted(m.body for pair in pairs for m in pair)


REFUSALS: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "reject", "code": 21610}, "opted_out", "This person has opted out"),
    ({"kind": "reject", "code": 21211}, "bad_address", "This number can't receive texts."),
    ({"kind": "reject", "code": 30034}, "registration", "Our number isn't registered"),
    ({"kind": "reject", "code": 30007}, "filtered", "The carrier blocked this text"),
    ({"kind": "reject", "code": 21999}, "other", "The carrier didn't deliver this text."),
    ({"kind": "unauthorised"}, "auth", "The carrier rejected our credentials."),
]


def test_a_refused_text_has_failed_with_its_reason_and_the_next_one_goes(
    carrier: FarEnd, cast: Cast
) -> None:
    pairs = []
    for number, (answer, _, _) in enumerate(REFUSALS):
        thread = cast.thread(sender=f"+1202555020{number}")
        carrier.plan(answer, to=thread.contact.address)
        pairs.append((cast.answer(thread, f"First {number}"), cast.answer(thread, f"B{number}")))
    run_jobs(concurrency=4)
    run_jobs()
    for (_, error_class, reason), (first, second) in zip(REFUSALS, pairs, strict=True):
        # After an opt-out the second text is not sent either.
        then = "failed" if error_class == "opted_out" else "sent"
        assert message_states(first, second) == ["failed", then]
        first.refresh_from_db()
        assert first.reason.startswith(reason)
        attempt = first.attempts.get()
        assert attempt.error_class == error_class
        assert first.thread.contact.address not in attempt.detail
    sent = [message.body for pair in pairs for message in pair]
    sent.remove("B0")
    assert sorted(texts_at(carrier)) == sorted(sent)


def test_a_secret_that_cannot_be_decrypted_fails_the_text_without_a_call(
    carrier: FarEnd, cast: Cast
) -> None:
    message = cast.answer(cast.thread(), "Hello")
    CarrierAccount.objects.update(encrypted_credentials="not-of-our-keys")
    run_jobs()
    message.refresh_from_db()
    assert message.state == "failed"
    assert message.reason.startswith("The carrier rejected our credentials.")
    assert carrier.ledger() == []


def test_texts_queued_before_the_number_moved_away_fail_with_the_refusal(
    carrier: FarEnd, cast: Cast
) -> None:
    thread = cast.thread()
    sent = [cast.answer(thread, "First"), cast.answer(thread, "Second")]
    Number.objects.filter(inbox=cast.front_desk).delete()
    run_jobs()
    assert message_states(*sent) == ["failed", "failed"]
    sent[0].refresh_from_db()
    assert "no longer belongs to this inbox" in sent[0].reason
    assert carrier.ledger() == []
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("change", [{"is_active": False}, {"carrier": "unheard"}])
def test_an_account_that_is_switched_off_sends_nothing(
    carrier: FarEnd, cast: Cast, change: dict[str, Any]
) -> None:
    message = cast.answer(cast.thread(), "Hello")
    CarrierAccount.objects.update(**change)
    run_jobs()
    message.refresh_from_db()
    assert (message.state, carrier.ledger()) == ("failed", [])
    assert "turned off" in message.reason


def test_a_retry_makes_a_new_attempt(carrier: FarEnd, cast: Cast) -> None:
    message = cast.answer(cast.thread(), "Hello")
    carrier.plan({"kind": "error", "status": 500})
    run_jobs()
    assert attempt_states(message) == ["unknown"]
    retry_message(message=message)
    assert message_states(message) == ["queued"]
    run_jobs()
    assert attempt_states(message) == ["unknown", "sent"]
    assert message_states(message) == ["sent"]
    ordinals = message.attempts.order_by("ordinal").values_list("ordinal", flat=True)
    assert list(ordinals) == [1, 2]
    tokens = [entry["attempt"] for entry in carrier.ledger()]
    assert len(set(tokens)) == 2


def test_a_retry_is_not_held_up_by_a_later_text_that_waits(carrier: FarEnd, cast: Cast) -> None:
    thread = cast.thread()
    first = cast.answer(thread, "First")
    carrier.plan({"kind": "error"}, {"kind": "throttle", "retry_after": 3000})
    run_jobs()
    second = cast.answer(thread, "Second")
    run_jobs()
    assert message_states(first, second) == ["unknown", "queued"]
    retry_message(message=first)
    run_jobs()
    assert message_states(first, second) == ["sent", "queued"]


def test_a_bug_of_ours_leaves_the_text_unknown_and_the_next_one_goes(
    carrier: FarEnd, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Twilio.send
    errors = [KeyError("a bug"), None]

    def send_or_fail(self: Twilio, *arguments: Any) -> Any:
        error = errors.pop(0)
        if error is not None:
            raise error
        return send(self, *arguments)

    monkeypatch.setattr(Twilio, "send", send_or_fail)
    thread = cast.thread()
    first, second = cast.answer(thread, "First"), cast.answer(thread, "Second")
    run_jobs()
    assert message_states(first, second) == ["unknown", "sent"]
    assert texts_at(carrier) == ["Second"]


def test_a_job_leaves_the_rest_of_a_long_thread_to_a_new_one(
    carrier: FarEnd, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_JOB_SECONDS", -1.0)
    thread = cast.thread()
    sent = [cast.answer(thread, f"Line {number}") for number in range(3)]
    delivery.deliver_thread(thread.pk)
    assert message_states(*sent) == ["sent", "queued", "queued"]
    assert len(due_jobs()) == 4
    run_jobs()
    assert Message.objects.filter(kind="outbound", state="sent").count() == 3
