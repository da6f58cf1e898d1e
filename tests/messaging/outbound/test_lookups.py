"""Look up unknown attempts at the carrier, and settle them by its answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from messaging.carriers import events, results
from messaging.models import Attempt, CarrierAccount, DeliveryReceipt, Message
from messaging.outbound import delivery, lookups
from messaging.outbound.delivery import UNKNOWN_REASON
from messaging.outbound.sending import retry_message
from messaging.tasks import look_up_unknowns
from tests.cast import CUSTOMER, FRONT_DESK, Cast
from tests.clock import Clock, clock
from tests.far_end_client import FarEnd, far_end
from tests.messaging.carrier_calls import post_webhook, receipt_fields
from tests.messaging.stepped_worker import attempt_states, carrier, message_states, run_jobs

__all__ = ["carrier", "clock", "far_end"]

FIRST_LOOK_UP = timedelta(minutes=3, seconds=1)


def send_without_answer(
    cast: Cast, far_end: FarEnd, body: str = "Yes.", kind: str = "reset"
) -> Message:
    """Send a text to which the carrier gives no clear answer."""
    message = cast.answer(cast.thread(), body)
    far_end.plan({"kind": kind})
    run_jobs()
    assert message_states(message) == ["unknown"]
    return message


@pytest.mark.parametrize("said", ["queued", "delivered", "failed"])
def test_a_text_that_the_carrier_has_is_settled_as_a_receipt_would(
    cast: Cast, carrier: FarEnd, clock: Clock, said: str
) -> None:
    message = send_without_answer(cast, carrier)
    (taken,) = carrier.ledger()
    if said != "queued":
        carrier.report(taken["id"], said)  # with a wrong signature
    clock.advance(FIRST_LOOK_UP)
    look_up_unknowns(timestamp=0)
    assert message_states(message) == ["sent" if said == "queued" else said]
    assert Attempt.objects.get().carrier_message_id == taken["id"]
    reason = Message.objects.get(pk=message.pk).reason
    assert reason.startswith("The phone couldn't be reached" if said == "failed" else "")
    assert bool(reason) == (said == "failed")
    assert len(carrier.ledger()) == 1, "nothing was sent again"


def test_no_carrier_is_asked_before_its_list_can_have_the_text(
    cast: Cast, carrier: FarEnd
) -> None:
    send_without_answer(cast, carrier)
    assert lookups.look_up_unknowns() == 0
    assert carrier.ledger("question") == []


def test_a_text_that_the_carrier_does_not_list_stays_unknown_and_says_so(
    cast: Cast, carrier: FarEnd, clock: Clock
) -> None:
    message = send_without_answer(cast, carrier, kind="reset_untaken")
    clock.advance(FIRST_LOOK_UP)
    lookups.look_up_unknowns()
    assert Message.objects.get(pk=message.pk).reason == UNKNOWN_REASON, "its list may lag"
    clock.advance(lookups.RETRY_WAITS[0])
    lookups.look_up_unknowns()
    message.refresh_from_db()
    assert (message.state, message.reason) == ("unknown", lookups.NOT_LISTED_REASON)
    assert message.can_be_retried


def test_a_text_is_looked_up_a_few_times_within_a_day_and_then_no_more(
    cast: Cast, carrier: FarEnd, clock: Clock
) -> None:
    send_without_answer(cast, carrier, kind="reset_untaken")
    clock.advance(FIRST_LOOK_UP)
    for wait in (*lookups.RETRY_WAITS, timedelta(days=1)):
        lookups.look_up_unknowns()
        look_ups = len(carrier.ledger("question"))
        lookups.look_up_unknowns()
        assert len(carrier.ledger("question")) == look_ups, "not before its time"
        clock.advance(wait)
    lookups.look_up_unknowns()
    assert len(carrier.ledger("question")) == lookups.MAX_TRIES
    assert sum(lookups.RETRY_WAITS, lookups.FIRST_WAIT) > timedelta(hours=23)


def test_a_carrier_that_does_not_answer_is_left_for_a_later_round(
    cast: Cast, carrier: FarEnd, clock: Clock
) -> None:
    messages = [
        send_without_answer(cast, carrier, f"Text {number}")
        for number in range(lookups.MAX_UNANSWERED + 2)
    ]
    clock.advance(FIRST_LOOK_UP)
    carrier.answer_questions_with(500)
    assert lookups.look_up_unknowns() == 0
    assert set(message_states(*messages)) == {"unknown"}
    assert len(carrier.ledger("question")) == lookups.MAX_UNANSWERED
    carrier.answer_questions_with(200)
    clock.advance(lookups.BUSY_WAIT)
    assert lookups.look_up_unknowns() == 2, "the others keep their turn"


def test_an_account_that_does_not_answer_keeps_no_other_from_its_turn(
    cast: Cast, carrier: FarEnd, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "ROUND_SIZE", lookups.MAX_UNANSWERED)
    for number in range(2 * lookups.MAX_UNANSWERED):
        send_without_answer(cast, carrier, f"Text {number}")
    silent = CarrierAccount(carrier="twilio", name="A silent one")
    silent.save()
    Attempt.objects.update(account=silent)
    other = send_without_answer(cast, carrier, "Of the other account")
    clock.advance(FIRST_LOOK_UP)
    assert [lookups.look_up_unknowns() for _ in range(2)] == [0, 1]
    assert message_states(other) == ["sent"]
    assert not Attempt.objects.filter(account=silent, look_ups__gt=1).exists()


def test_one_look_up_that_fails_does_not_hold_up_the_others(
    cast: Cast,
    carrier: FarEnd,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, whole = (
        send_without_answer(cast, carrier, "One"),
        send_without_answer(cast, carrier, "Two"),
    )
    settle = lookups._settle_attempt

    def settle_or_break(attempt: Attempt, receipt: events.Receipt) -> bool:
        if attempt.message_id == broken.pk:
            raise LookupError
        return settle(attempt, receipt)

    monkeypatch.setattr(lookups, "_settle_attempt", settle_or_break)
    clock.advance(FIRST_LOOK_UP)
    assert lookups.look_up_unknowns() == 1
    assert message_states(broken, whole) == ["unknown", "sent"]
    (record,) = [record for record in caplog.records if record.exc_info]
    assert "could not be looked up" in record.getMessage()


def test_a_database_error_is_left_to_the_jobs_retry(
    cast: Cast, carrier: FarEnd, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_without_answer(cast, carrier)
    clock.advance(FIRST_LOOK_UP)

    def break_down(_: Attempt) -> None:
        raise OperationalError

    monkeypatch.setattr(lookups, "_ask_carrier", break_down)
    with pytest.raises(OperationalError):
        lookups.look_up_unknowns()


def test_a_later_text_is_not_mistaken_for_one_that_a_dead_worker_left(
    cast: Cast, settings: Settings
) -> None:
    settings.CARRIER_TIMEOUT = 10.0
    attempt, _ = make_two_unknown(cast)
    attempt.settled_at = attempt.started_at + timedelta(hours=2)
    end = lookups._look_up_query(attempt).latest - lookups.CLOCK_TOLERANCE
    assert end == attempt.started_at + timedelta(seconds=40)
    attempt.settled_at = attempt.started_at + timedelta(seconds=9)
    assert lookups._look_up_query(attempt).latest - lookups.CLOCK_TOLERANCE == attempt.settled_at


def test_a_text_is_not_mistaken_for_another_with_the_same_body(
    cast: Cast, carrier: FarEnd, clock: Clock
) -> None:
    before = cast.answer(cast.thread(), "OK")
    run_jobs()
    lost = send_without_answer(cast, carrier, "OK")
    retry_message(message=lost)
    run_jobs()
    assert (attempt_states(before), attempt_states(lost)) == (["sent"], ["unknown", "sent"])
    clock.advance(FIRST_LOOK_UP)
    assert lookups.look_up_unknowns() == 1
    ids = Attempt.objects.order_by("pk").values_list("carrier_message_id", flat=True)
    assert list(ids) == [entry["id"] for entry in carrier.ledger()]


def test_no_look_up_is_made_while_a_text_to_the_same_contact_is_being_sent(
    cast: Cast, carrier: FarEnd, clock: Clock
) -> None:
    message = send_without_answer(cast, carrier)
    retry_message(message=message)
    assert delivery._claim_next_attempt(message.thread) is not None
    clock.advance(FIRST_LOOK_UP)
    assert lookups.look_up_unknowns() == 0
    assert carrier.ledger("question") == []
    assert Attempt.objects.filter(look_ups=0, look_up_at__gt=timezone.now()).count() == 1


def test_receipts_that_came_too_early_are_paired_with_what_is_found(
    cast: Cast, carrier: FarEnd, clock: Clock
) -> None:
    message = send_without_answer(cast, carrier)
    (taken,) = carrier.ledger()
    assert post_webhook(cast.account, receipt_fields(taken["id"], "delivered")).status_code == 200
    assert message_states(message) == ["unknown"], "without our token it is parked"
    clock.advance(FIRST_LOOK_UP)
    lookups.look_up_unknowns()
    assert message_states(message) == ["delivered"]
    assert DeliveryReceipt.objects.get().attempt == Attempt.objects.get()


def test_a_text_found_twice_belongs_to_the_first(cast: Cast) -> None:
    kept, other = [
        cast.answer(cast.thread(sender=who), "OK") for who in (CUSTOMER, "+12025550178")
    ]
    attempts = [delivery._claim_next_attempt(message.thread) for message in (kept, other)]
    for attempt in attempts:
        assert attempt is not None
        delivery.write_outcome(attempt, results.OutcomeUnknown("a timeout"))
        lookups._settle_attempt(attempt, events.Receipt("SM-1", "delivered"))
    assert message_states(kept, other) == ["delivered", "unknown"]


def make_two_unknown(cast: Cast) -> tuple[Attempt, Attempt]:
    """Return two unknown attempts of one text."""
    message = cast.answer(cast.thread(), "OK")
    attempts = []
    for _ in range(2):
        attempt = delivery._claim_next_attempt(message.thread)
        assert attempt is not None
        delivery.write_outcome(attempt, results.OutcomeUnknown("a timeout"))
        attempts.append(attempt)
        if len(attempts) == 1:
            retry_message(message=message)
    return attempts[0], attempts[1]


@pytest.mark.parametrize("proof", ["receipt", "answer"])
@pytest.mark.parametrize("guess", ["sent", "delivered"])
def test_proof_takes_an_id_back_from_an_attempt_that_a_look_up_guessed(
    cast: Cast, proof: str, guess: events.State
) -> None:
    first, second = make_two_unknown(cast)
    assert lookups._settle_attempt(first, events.Receipt("SM-1", guess))
    if proof == "receipt":
        answer = post_webhook(
            cast.account, receipt_fields("SM-1", "sent"), attempt_token=str(second.token)
        )
        assert answer.status_code == 200
    else:
        delivery.write_outcome(second, results.Accepted("SM-1"))
    assert attempt_states(first.message) == ["unknown", "sent"]
    assert message_states(first.message) == [guess]
    ids = Attempt.objects.order_by("ordinal").values_list("carrier_message_id", flat=True)
    assert list(ids) == ["", "SM-1"]
    post_webhook(
        cast.account, receipt_fields("SM-1", "delivered"), attempt_token=str(second.token)
    )
    assert attempt_states(first.message) == ["unknown", "delivered"]


def test_receipts_follow_an_id_to_the_right_attempt_and_others_stay(cast: Cast) -> None:
    first, second = make_two_unknown(cast)
    assert lookups._settle_attempt(first, events.Receipt("SM-2", "sent"))
    post_webhook(cast.account, receipt_fields("SM-2", "undelivered", ErrorCode="30005"))
    post_webhook(cast.account, receipt_fields("SM-1", "delivered"), attempt_token=str(first.token))
    post_webhook(cast.account, receipt_fields("SM-2", "sent"), attempt_token=str(second.token))
    assert attempt_states(first.message) == ["delivered", "failed"]
    assert message_states(first.message) == ["delivered"]
    rows = DeliveryReceipt.objects.order_by("carrier_message_id", "pk")
    assert list(rows.values_list("attempt__ordinal", flat=True)) == [1, 2, 2]


def test_an_attempt_that_loses_a_guessed_id_is_unknown_again(cast: Cast) -> None:
    first, second = make_two_unknown(cast)
    assert lookups._settle_attempt(second, events.Receipt("SM-1", "sent"))
    assert message_states(first.message) == ["sent"]
    post_webhook(cast.account, receipt_fields("SM-1", "sent"), attempt_token=str(first.token))
    assert attempt_states(first.message) == ["sent", "unknown"]
    message = Message.objects.get(pk=first.message_id)
    assert (message.state, message.reason) == ("unknown", events.REASONS["ambiguous"])


def test_a_retry_is_not_advised_for_a_text_that_another_attempt_sent(cast: Cast) -> None:
    first, second = make_two_unknown(cast)
    assert lookups._settle_attempt(first, events.Receipt("SM-1", "sent"))
    second.look_ups = 2
    lookups._report_not_found(second)
    message = Message.objects.get(pk=first.message_id)
    assert (message.state, message.reason) == ("unknown", UNKNOWN_REASON)


@pytest.mark.parametrize("change", [{"is_active": False}, {"carrier": "simulator"}])
def test_only_active_accounts_whose_carrier_has_look_ups_are_asked(
    cast: Cast, carrier: FarEnd, clock: Clock, change: dict[str, object]
) -> None:
    send_without_answer(cast, carrier)
    clock.advance(FIRST_LOOK_UP)
    CarrierAccount.objects.update(**change)
    assert lookups.look_up_unknowns() == 0
    assert carrier.ledger("question") == []


def test_attempts_that_became_unknown_days_ago_are_not_looked_up(
    cast: Cast, carrier: FarEnd, clock: Clock
) -> None:
    send_without_answer(cast, carrier)
    Attempt.objects.update(started_at=timezone.now() - lookups.MAX_AGE)
    clock.advance(FIRST_LOOK_UP)
    assert lookups.look_up_unknowns() == 0


def test_a_secret_that_cannot_be_read_costs_a_try_and_nothing_else(
    cast: Cast, carrier: FarEnd, clock: Clock
) -> None:
    message = send_without_answer(cast, carrier)
    clock.advance(FIRST_LOOK_UP)
    CarrierAccount.objects.update(encrypted_credentials="broken")
    assert lookups.look_up_unknowns() == 0
    assert message_states(message) == ["unknown"]
    assert Attempt.objects.get().look_ups == 1


def test_a_look_up_names_both_numbers(cast: Cast, carrier: FarEnd, clock: Clock) -> None:
    send_without_answer(cast, carrier)
    clock.advance(FIRST_LOOK_UP)
    lookups.look_up_unknowns()
    (question,) = carrier.ledger("question")
    assert (question["query"]["From"], question["query"]["To"]) == (FRONT_DESK, CUSTOMER)


def test_one_worker_at_a_time_looks_up_an_attempt(cast: Cast, clock: Clock) -> None:
    message = cast.answer(cast.thread(), "OK")
    attempt = delivery._claim_next_attempt(message.thread)
    assert attempt is not None
    delivery.write_outcome(attempt, results.OutcomeUnknown("a timeout"))
    clock.advance(FIRST_LOOK_UP)
    (mine,), (theirs,) = (
        list(lookups._due_attempts(timezone.now())),
        list(lookups._due_attempts(timezone.now())),
    )
    assert lookups._claim_look_up(mine)
    assert not lookups._claim_look_up(theirs)
