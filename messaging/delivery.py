"""The ledger of sending: claim, commit, call the carrier, write down what came of it.

At most one job works on a thread. Every step between the database and the carrier is a place
where the process may die; the open attempt that it leaves behind is *unknown*, and never sent
again by itself.
"""

from __future__ import annotations

import random
from datetime import timedelta

import httpx
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from inboxes import counters
from messaging import encryption
from messaging.actions import receipts, records
from messaging.carriers.base import (
    REASONS,
    Accepted,
    AuthFailed,
    ErrorClass,
    NotSent,
    OptedOut,
    OutcomeUnknown,
    Outgoing,
    RateLimited,
    Receipt,
    Rejected,
    SendResult,
)
from messaging.jobs import defer_delivery
from messaging.models import Attempt, DeliveryReceipt, DeliveryState, Message
from messaging.refusals import number_of, refusal
from threads.models import Thread

MAX_TRIES = 8
"""Tries of a text that was surely not sent; with the waits between them some ten minutes."""

LONGEST_WAIT = 300.0
"""Seconds between two tries at the most, unless the carrier names more."""

UNKNOWN_REASON = (
    "We cannot tell whether the carrier took this text. Ask the person, or retry: "
    "they may then get it twice."
)


def deliver_thread(thread_id: int) -> None:
    """Send what waits in the thread, oldest first, until nothing may be sent now."""
    thread = Thread.objects.select_related("contact", "inbox").get(pk=thread_id)
    _mark_abandoned(thread)
    while (attempt := _claim(thread)) is not None:
        write_outcome(attempt, _call(attempt, thread))


def _mark_abandoned(thread: Thread) -> None:
    """An attempt found open was begun by a worker that died: nobody knows how it ended."""
    abandoned = Attempt.objects.filter(
        message__thread=thread, message__kind="outbound", state=DeliveryState.SENDING
    ).select_related("message")
    for attempt in abandoned:
        write_outcome(attempt, OutcomeUnknown("The worker stopped before the carrier's answer."))


@transaction.atomic
def _claim(thread: Thread) -> Attempt | None:
    """Begin the attempt of the thread's next message; None when nothing may be sent now."""
    if not Message.objects.filter(thread=thread).waiting_to_be_sent().exists():
        return None
    seq = counters.next_inbox_seq(thread.inbox_id)
    message = Message.objects.filter(thread=thread).waiting_to_be_sent().first()
    if message is None or (message.next_try_at and message.next_try_at > timezone.now()):
        return None
    thread.refresh_from_db(fields=["our_address"])
    sentence = refusal(thread)
    if sentence:
        records.change(message, seq, state=DeliveryState.FAILED, reason=sentence[:255])
        defer_delivery(thread.pk)
        return None
    attempt = Attempt.objects.create(
        message=message,
        ordinal=message.attempts.count() + 1,
        account=number_of(thread).account,
    )
    records.change(message, seq, state=DeliveryState.SENDING, reason="")
    return attempt


def _call(attempt: Attempt, thread: Thread) -> SendResult:
    """Hand the text to the carrier; every way in which that may end is a result."""
    account = attempt.account
    try:
        credentials = account.get_credentials()
    except encryption.UndecryptableError:
        return AuthFailed("The account's secret cannot be decrypted; it has to be entered again.")
    outgoing = Outgoing(
        attempt_token=str(attempt.token),
        sender=thread.our_address,
        recipient=thread.contact.address,
        body=attempt.message.body,
        callback_url=f"{account.webhook_url}{attempt.token}/",
    )
    with httpx.Client(
        timeout=settings.CARRIER_TIMEOUT, trust_env=False, follow_redirects=False
    ) as http:
        return account.adapter.send(outgoing, credentials, http)


@transaction.atomic
def write_outcome(attempt: Attempt, result: SendResult) -> None:
    """Settle an attempt by what the carrier answered, and pair it with receipts that came early.

    A receipt may have settled it first; the answer then adds the carrier's id only.
    """
    if isinstance(result, Accepted):
        records.lock_carrier_message(attempt.account_id, result.carrier_message_id)
    seq = counters.next_inbox_seq(attempt.message.inbox_id)
    attempt.refresh_from_db(fields=["state", "carrier_message_id"])
    match result:
        case Accepted():
            _accept(attempt, seq, result)
        case RateLimited() | NotSent() if attempt.state == DeliveryState.SENDING:
            _try_later(attempt, seq, result)
        case OutcomeUnknown(detail) if attempt.state == DeliveryState.SENDING:
            _close(attempt, DeliveryState.UNKNOWN, detail=detail)
            receipts.show_attempt(
                attempt, seq=seq, state=DeliveryState.UNKNOWN, reason=UNKNOWN_REASON
            )
        case Rejected() | OptedOut() | AuthFailed() if attempt.state == DeliveryState.SENDING:
            _refuse(attempt, seq, result)


def _accept(attempt: Attempt, seq: int, result: Accepted) -> None:
    if not attempt.carrier_message_id:
        Attempt.objects.filter(pk=attempt.pk).update(carrier_message_id=result.carrier_message_id)
    state = DeliveryState.SENDING if result.state == "queued" else DeliveryState(result.state)
    receipts.settle(
        attempt,
        seq=seq,
        receipt=Receipt(result.carrier_message_id, "sent" if state == "sending" else result.state),
    )
    early = DeliveryReceipt.objects.filter(
        account=attempt.account_id, carrier_message_id=result.carrier_message_id, attempt=None
    )
    for row in early.order_by("pk"):
        DeliveryReceipt.objects.filter(pk=row.pk).update(attempt=attempt)
        receipts.settle(attempt, seq=seq, receipt=row.as_event())


def _refuse(attempt: Attempt, seq: int, result: Rejected | OptedOut | AuthFailed) -> None:
    error_class: ErrorClass
    if isinstance(result, Rejected):
        error_class = result.error_class
    else:
        error_class = "opted_out" if isinstance(result, OptedOut) else "auth"
    code = "" if isinstance(result, AuthFailed) else result.code
    _close(attempt, DeliveryState.FAILED, code=code, error_class=error_class, detail=result.detail)
    receipts.show_attempt(attempt, seq=seq, state=DeliveryState.FAILED, error_class=error_class)


def _try_later(attempt: Attempt, seq: int, result: RateLimited | NotSent) -> None:
    """Surely not sent: back into the queue with a growing wait, and at last a failure."""
    error_class = "throttled" if isinstance(result, RateLimited) else "transient"
    detail = result.detail if isinstance(result, NotSent) else "The carrier asked us to wait."
    _close(attempt, DeliveryState.FAILED, error_class=error_class, detail=detail)
    message = Message.objects.get(pk=attempt.message_id)
    tries = message.tries + 1
    if tries >= MAX_TRIES:
        reason = (
            REASONS["throttled"]
            if error_class == "throttled"
            else "The carrier could not be reached. Nothing was sent; retry later."
        )
        records.change(message, seq, state=DeliveryState.FAILED, reason=reason, tries=tries)
        return
    wait = backoff(tries)
    if isinstance(result, RateLimited) and result.retry_after is not None:
        wait = max(wait, result.retry_after)
    at = timezone.now() + timedelta(seconds=wait)
    records.change(
        message, seq, state=DeliveryState.QUEUED, reason="", tries=tries, next_try_at=at
    )
    defer_delivery(message.thread_id, at=at)


def backoff(tries: int) -> float:
    """Seconds to wait after so many tries: doubling, with some jitter."""
    return min(LONGEST_WAIT, 2.0**tries) * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing


def _close(
    attempt: Attempt,
    state: DeliveryState,
    *,
    code: str = "",
    error_class: str = "",
    detail: str = "",
) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(
        state=state,
        error_code=code[:64],
        error_class=error_class,
        detail=detail[:255],
        settled_at=timezone.now(),
    )
