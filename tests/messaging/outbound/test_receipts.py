"""Apply receipts in any order, late, early or twice; a state only moves upward."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import get_args

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from inboxes import counters
from messaging.carriers import events, results
from messaging.models import Attempt, DeliveryReceipt, DeliveryState, Message
from messaging.models.states import RANKS
from messaging.outbound import delivery
from messaging.outbound.receipts import apply_receipt
from messaging.outbound.sending import retry_message
from messaging.tasks import forget_parked_receipts
from tests.cast import CUSTOMER, Cast
from tests.messaging.carrier_calls import post_webhook, receipt_fields

SID = "SM-out-1"
OTHER = "+12025550178"


def begin_attempt(cast: Cast, message: Message | None = None) -> Attempt:
    """Return an attempt as the worker commits it before the call."""
    message = message or cast.answer(cast.thread(), "Yes, until six.")
    attempt = delivery._claim_next_attempt(message.thread)
    assert attempt is not None
    return attempt


def accept_attempt(attempt: Attempt, sid: str = SID) -> None:
    delivery.write_outcome(attempt, results.Accepted(sid))


def message_state(attempt: Attempt) -> str:
    return Message.objects.get(pk=attempt.message_id).state


@pytest.mark.parametrize(
    "order",
    [
        *permutations(["answer", "queued", "sending", "undelivered"]),
        *permutations(["answer", "sent", "undelivered", "delivered"]),
    ],
)
def test_whatever_the_order_the_state_never_goes_back(cast: Cast, order: tuple[str, ...]) -> None:
    """The carrier's answer to our call may come at any time among its receipts."""
    attempt = begin_attempt(cast)
    seen = [RANKS[DeliveryState(message_state(attempt))]]
    for event in order:
        if event == "answer":
            accept_attempt(attempt)
        else:
            receipt = receipt_fields(SID, event)
            assert (
                post_webhook(cast.account, receipt, attempt_token=str(attempt.token)).status_code
                == 200
            )
        seen.append(RANKS[DeliveryState(message_state(attempt))])
    assert seen == sorted(seen)
    assert message_state(attempt) == ("delivered" if "delivered" in order else "failed")
    assert DeliveryReceipt.objects.filter(attempt=attempt).count() == 3


@pytest.mark.parametrize("late", ["queued", "sending", "sent", "undelivered"])
def test_no_later_receipt_replaces_a_delivery(cast: Cast, late: str) -> None:
    attempt = begin_attempt(cast)
    accept_attempt(attempt)
    post_webhook(cast.account, receipt_fields(SID, "delivered"))
    post_webhook(cast.account, receipt_fields(SID, late, ErrorCode="30003"))
    assert message_state(attempt) == "delivered"
    assert Message.objects.get(pk=attempt.message_id).reason == ""


def test_a_failure_has_a_reason_and_a_delivery_still_wins(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    accept_attempt(attempt)
    post_webhook(cast.account, receipt_fields(SID, "undelivered", ErrorCode="30005"))
    message = Message.objects.get(pk=attempt.message_id)
    assert message.state == "failed"
    assert message.reason.startswith("This number can't receive texts.")
    post_webhook(cast.account, receipt_fields(SID, "sent"))
    assert message_state(attempt) == "failed"
    post_webhook(cast.account, receipt_fields(SID, "delivered"))
    assert (message_state(attempt), Message.objects.get(pk=message.pk).reason) == ("delivered", "")


def test_a_receipt_for_an_unknown_message_is_parked_until_it_is_known(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    for status in ("sent", "delivered"):
        assert post_webhook(cast.account, receipt_fields(SID, status)).status_code == 200
    assert DeliveryReceipt.objects.filter(attempt=None).count() == 2
    assert message_state(attempt) == "sending"
    accept_attempt(attempt)
    assert message_state(attempt) == "delivered"
    assert DeliveryReceipt.objects.filter(attempt=attempt).count() == 2


def test_a_parked_receipt_is_not_paired_with_another_account_or_message(cast: Cast) -> None:
    post_webhook(cast.account, receipt_fields("SM-of-somebody-else", "delivered"))
    attempt = begin_attempt(cast)
    accept_attempt(attempt)
    assert message_state(attempt) == "sent"
    assert DeliveryReceipt.objects.get().attempt is None


def test_a_receipt_to_the_attempts_address_settles_it_before_our_own_commit(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    post_webhook(cast.account, receipt_fields(SID, "delivered"), attempt_token=str(attempt.token))
    assert message_state(attempt) == "delivered"
    accept_attempt(attempt)
    assert message_state(attempt) == "delivered"
    attempt.refresh_from_db()
    assert (attempt.state, attempt.carrier_message_id) == ("delivered", SID)


def test_a_receipt_settles_an_unknown_attempt(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    delivery.write_outcome(attempt, results.OutcomeUnknown("a timeout"))
    assert message_state(attempt) == "unknown"
    post_webhook(cast.account, receipt_fields(SID, "sent"), attempt_token=str(attempt.token))
    assert message_state(attempt) == "sent"


@pytest.mark.parametrize(
    "result",
    [
        results.OutcomeUnknown("a timeout"),
        results.NotSent("no line"),
        results.Rejected("1", "other", "no"),
    ],
)
def test_a_late_answer_does_not_undo_what_a_receipt_said(
    cast: Cast, result: results.SendResult
) -> None:
    attempt = begin_attempt(cast)
    post_webhook(cast.account, receipt_fields(SID, "sent"), attempt_token=str(attempt.token))
    delivery.write_outcome(attempt, result)
    assert message_state(attempt) == "sent"


@pytest.mark.parametrize("token", ["6418d28d-8f3d-481a-afbc-98e148f1ddce", "no-uuid", "%00"])
def test_an_odd_token_in_the_address_falls_back_to_the_carriers_id(cast: Cast, token: str) -> None:
    attempt = begin_attempt(cast)
    accept_attempt(attempt)
    assert (
        post_webhook(
            cast.account, receipt_fields(SID, "delivered"), attempt_token=token
        ).status_code
        == 200
    )
    assert message_state(attempt) == "delivered"


def test_the_same_receipt_again_changes_nothing(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    accept_attempt(attempt)
    post_webhook(cast.account, receipt_fields(SID, "delivered"))
    cast.front_desk.refresh_from_db()
    before = cast.front_desk.seq
    assert post_webhook(cast.account, receipt_fields(SID, "delivered")).status_code == 200
    cast.front_desk.refresh_from_db()
    assert cast.front_desk.seq == before
    assert DeliveryReceipt.objects.count() == 1


def test_a_message_shows_its_latest_attempt_and_a_delivery_on_any_wins(cast: Cast) -> None:
    first = begin_attempt(cast)
    delivery.write_outcome(first, results.OutcomeUnknown("a timeout"))
    retry_message(message=first.message)
    second = begin_attempt(cast, first.message)
    assert second.ordinal == 2
    accept_attempt(second, "SM-second")
    post_webhook(
        cast.account, receipt_fields("SM-first", "undelivered"), attempt_token=str(first.token)
    )
    assert message_state(second) == "sent"
    post_webhook(
        cast.account, receipt_fields("SM-first", "delivered"), attempt_token=str(first.token)
    )
    assert message_state(second) == "delivered"
    post_webhook(cast.account, receipt_fields("SM-second", "undelivered"))
    assert message_state(second) == "delivered"


def test_every_change_of_state_advances_the_counter(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    stamps = [Message.objects.get(pk=attempt.message_id).seq]
    accept_attempt(attempt)
    for status in ("sent", "delivered"):
        post_webhook(cast.account, receipt_fields(SID, status))
        stamps.append(Message.objects.get(pk=attempt.message_id).seq)
    assert stamps == sorted(stamps)
    assert stamps[-1] > stamps[0]
    cast.front_desk.refresh_from_db()
    assert stamps[-1] == cast.front_desk.seq


def test_a_counter_is_only_advanced_inside_a_transaction(transactional_db: None) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        counters.next_inbox_seq(1)


def receive_receipt(attempt: Attempt, receipt: events.Receipt) -> None:
    with transaction.atomic():
        apply_receipt(account=attempt.account, receipt=receipt, attempt_token=None)


def test_a_carrier_that_cannot_tell_makes_the_text_unknown_with_advice(
    cast: Cast,
) -> None:
    attempt = begin_attempt(cast)
    accept_attempt(attempt)
    receive_receipt(attempt, events.Receipt(SID, "unknown", "9999", "ambiguous"))
    message = Message.objects.get(pk=attempt.message_id)
    assert (message.state, message.reason) == ("unknown", events.REASONS["ambiguous"])
    receive_receipt(attempt, events.Receipt(SID, "sent"))
    assert message_state(attempt) == "unknown", (
        "a late receipt of an earlier state tells nothing new"
    )
    receive_receipt(attempt, events.Receipt(SID, "delivered"))
    assert message_state(attempt) == "delivered"


@pytest.mark.parametrize("settled", ["delivered", "failed"])
def test_an_unknown_receipt_does_not_undo_a_final_state(cast: Cast, settled: events.State) -> None:
    attempt = begin_attempt(cast)
    accept_attempt(attempt)
    receive_receipt(attempt, events.Receipt(SID, settled, "30005", "bad_address"))
    receive_receipt(attempt, events.Receipt(SID, "unknown", "9999", "ambiguous"))
    assert message_state(attempt) == settled


@pytest.mark.parametrize(("theirs", "becomes"), [(CUSTOMER, "delivered"), (OTHER, "sent")])
def test_a_receipt_about_another_recipient_changes_nothing(
    cast: Cast, theirs: str, becomes: str
) -> None:
    attempt = begin_attempt(cast)
    accept_attempt(attempt)
    receive_receipt(attempt, events.Receipt(SID, "delivered", recipient=theirs))
    assert message_state(attempt) == becomes


def test_parked_receipts_remember_their_recipient(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    receive_receipt(
        attempt, events.Receipt(SID, "failed", "30005", "bad_address", recipient=OTHER)
    )
    receive_receipt(
        attempt, events.Receipt(SID, "failed", "30005", "bad_address", recipient=CUSTOMER)
    )
    assert DeliveryReceipt.objects.filter(attempt=None).count() == 2
    accept_attempt(attempt)
    assert message_state(attempt) == "failed"
    DeliveryReceipt.objects.all().delete()
    receive_receipt(attempt, events.Receipt(SID, "delivered", recipient=OTHER))
    assert message_state(attempt) == "failed"
    receive_receipt(attempt, events.Receipt(SID, "delivered", recipient=CUSTOMER))
    assert message_state(attempt) == "delivered"


def test_every_class_of_error_has_a_reason_that_fits_its_column() -> None:
    assert set(events.REASONS) == set(get_args(events.ErrorClass))
    assert all(words.endswith(".") and len(words) <= 255 for words in events.REASONS.values())


def test_old_parked_receipts_are_deleted_and_others_kept(cast: Cast, settings: Settings) -> None:
    settings.PARKED_RECEIPT_DAYS = 3
    attempt = begin_attempt(cast)
    accept_attempt(attempt)
    for sid in (SID, "parked-old", "parked-new"):
        post_webhook(cast.account, receipt_fields(sid, "sent"))
    long_ago = timezone.now() - timedelta(days=3, minutes=1)
    DeliveryReceipt.objects.exclude(carrier_message_id="parked-new").update(received_at=long_ago)
    forget_parked_receipts(timestamp=0)
    left = DeliveryReceipt.objects.values_list("carrier_message_id", flat=True)
    assert set(left) == {SID, "parked-new"}


def test_a_receipt_that_names_our_attempt_finds_it_without_the_carriers_id(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    receive_receipt(
        attempt, events.Receipt("not-known-yet", "delivered", attempt_token=str(attempt.token))
    )
    assert message_state(attempt) == "delivered"


@pytest.mark.parametrize("answer", [results.NotSent("it answered 504"), results.RateLimited(None)])
@pytest.mark.parametrize(
    ("said", "error_class", "becomes"),
    [
        ("sending", "", "sent"),
        ("sent", "", "sent"),
        ("failed", "filtered", "failed"),
        ("unknown", "ambiguous", "unknown"),
    ],
)
def test_a_text_that_the_carrier_has_after_all_is_not_sent_again(
    cast: Cast,
    answer: results.SendResult,
    said: events.State,
    error_class: events.ErrorClass,
    becomes: str,
) -> None:
    attempt = begin_attempt(cast)
    delivery.write_outcome(attempt, answer)
    assert message_state(attempt) == "queued"
    token = str(attempt.token)
    receive_receipt(
        attempt, events.Receipt(SID, said, error_class=error_class, attempt_token=token)
    )
    assert message_state(attempt) == becomes
    Message.objects.update(next_try_at=None)
    assert delivery._claim_next_attempt(attempt.message.thread) is None
    receive_receipt(attempt, events.Receipt(SID, "delivered"))
    assert message_state(attempt) == "delivered"


def test_an_earlier_attempts_receipt_does_not_undo_an_agents_retry(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    delivery.write_outcome(attempt, results.NotSent("it answered 504"))
    Message.objects.filter(pk=attempt.message_id).update(state="failed")
    retry_message(message=attempt.message)
    receive_receipt(attempt, events.Receipt(SID, "sent", attempt_token=str(attempt.token)))
    assert message_state(attempt) == "queued"
    attempt.refresh_from_db()
    assert (attempt.state, attempt.carrier_message_id) == ("sent", SID)


def test_a_reported_failure_is_not_undone_by_an_earlier_state(cast: Cast) -> None:
    attempt = begin_attempt(cast)
    accept_attempt(attempt)
    receive_receipt(attempt, events.Receipt(SID, "failed", "30008", "transient"))
    receive_receipt(attempt, events.Receipt(SID, "sent", attempt_token=str(attempt.token)))
    assert message_state(attempt) == "failed"
