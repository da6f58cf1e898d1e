"""Deliver outbound messages: claim an attempt, commit it, call the carrier, record the outcome.

At most one job works on a thread. The process may die at any step between the database and the
carrier. The open attempt that it leaves behind is then *unknown* and is never sent again
automatically.
"""

from __future__ import annotations

import logging
import random
import time
from datetime import timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from inboxes import counters, encryption
from inboxes.database import release_connection, save_columns
from messaging.attachments import links
from messaging.carriers import events, http, results
from messaging.models import Attempt, DeliveryState, Message, Number
from messaging.outbound import opt_outs, pacing, receipts
from messaging.stream import statements, writing
from messaging.stream.jobs import defer_delivery
from messaging.stream.refusals import number_or_refusal
from threads.models import Thread

log = logging.getLogger(__name__)

# What may come of a call but the carrier's having the text.
Failure = (
    results.Rejected
    | results.OptedOut
    | results.AuthFailed
    | results.RateLimited
    | results.NotSent
    | results.OutcomeUnknown
)

# Tries of a text that was certainly not sent. With the waits they take about eight minutes.
MAX_TRIES = 9

# The longest wait between two tries in seconds, unless the carrier asks for more.
MAX_BACKOFF = 300.0

# After so many seconds a job leaves the rest of its thread to a new job. Other threads get their
# turn, and a job that runs much longer is known to be stuck.
MAX_JOB_SECONDS = 30.0

# Seconds between tries to record a carrier's answer while the database is unreachable.
WRITE_WAITS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0)

UNKNOWN_REASON = (
    "We can't tell whether this text was sent. Ask the customer, or retry: they may then get it "
    "twice."
)
NOT_SENT_REASON = "Couldn't reach the carrier. Nothing was sent; retry later."


def deliver_thread(thread_id: int) -> None:
    """Send the thread's queued messages, oldest first, until none may be sent now."""
    thread = Thread.objects.select_related("contact", "inbox").get(pk=thread_id)
    _mark_abandoned_attempts(thread)
    until = time.monotonic() + MAX_JOB_SECONDS
    while (attempt := _claim_next_attempt(thread)) is not None:
        is_ours = _hand_to_carrier(attempt, thread)
        pacing.give_turns_after_sending(thread.inbox_id)
        if not is_ours or time.monotonic() > until:
            # Another worker may have taken over. A new job waits for the thread's lock.
            defer_delivery(thread_id)
            return


def _mark_abandoned_attempts(thread: Thread) -> None:
    """Set attempts that a dead worker left open to *unknown*.

    If that worker is alive after all, the outcome that it records later still counts.
    """
    if not statements.fetch_row(statements.FIND_OPEN_ATTEMPT, [thread.pk]):
        return
    abandoned = Attempt.objects.filter(
        message__thread=thread, state=DeliveryState.SENDING
    ).select_related("message")
    for attempt in abandoned:
        write_outcome(
            attempt, results.OutcomeUnknown("The worker stopped before the carrier's answer.")
        )


@transaction.atomic(durable=True)
def _claim_next_attempt(thread: Thread) -> Attempt | None:
    """Begin an attempt to send the thread's next message; return None if none may be sent now."""
    if not statements.fetch_row(statements.FIND_QUEUED_TEXT, [thread.pk]):
        return None
    seq = counters.next_inbox_seq(thread.inbox_id)
    if statements.fetch_row(statements.FIND_OPEN_ATTEMPT, [thread.pk]):
        return None  # another worker is sending, and will go on with the rest
    thread.refresh_from_db(fields=["our_address"])
    waiting = Message.objects.filter(thread=thread).waiting_to_be_sent()
    while (message := waiting.first()) is not None:
        if message.next_try_at and message.next_try_at > timezone.now():
            return None
        number, sentence = number_or_refusal(thread, message=message)
        if number is None or pacing.has_expired(message):
            reason = sentence or pacing.expired_reason()
            writing.change_message(message, seq, state=DeliveryState.FAILED, reason=reason[:255])
            continue
        if pacing.take_turn(message, number):
            return _begin_attempt(message, number, seq)
        pacing.wait_for_turn(waiting, number, seq)
        return None
    return None


def _begin_attempt(message: Message, number: Number, seq: int) -> Attempt:
    (ordinal,) = statements.fetch_row(statements.NEXT_ORDINAL, [message.pk]) or (1,)
    attempt = Attempt.objects.create(message=message, account=number.account, ordinal=ordinal)
    writing.change_message(message, seq, state=DeliveryState.SENDING, reason="")
    return attempt


def _hand_to_carrier(attempt: Attempt, thread: Thread) -> bool:
    """Call the carrier and record the outcome; return False if the attempt was closed meanwhile.

    The database connection is released during the call.
    """
    try:
        media_urls = links.publish_files(attempt)
    except links.NotPublished as error:
        return _write_outcome_persistently(attempt, error.result)
    release_connection()
    try:
        result = _call_carrier(attempt, thread, media_urls)
    except Exception:
        # A bug of ours: the request may or may not have been sent before it.
        _write_outcome_persistently(
            attempt, results.OutcomeUnknown("Sending broke off by a fault inside Partyline.")
        )
        defer_delivery(thread.pk)
        raise
    return _write_outcome_persistently(attempt, result)


def _call_carrier(
    attempt: Attempt, thread: Thread, media_urls: tuple[str, ...]
) -> results.SendResult:
    """Send the text to the carrier; failures are returned as results, not raised."""
    account = attempt.account
    try:
        credentials = account.get_credentials()
    except encryption.UndecryptableError:
        return results.AuthFailed("The account's secret can't be decrypted. Enter it again.")
    outgoing = results.Outgoing(
        attempt_token=str(attempt.token),
        sender=thread.our_address,
        recipient=thread.contact.address,
        body=attempt.message.body,
        callback_url=f"{account.webhook_url}{attempt.token}/",
        media_urls=media_urls,
    )
    with http.new_client() as client:
        return account.adapter.send(outgoing, credentials, client)


def _write_outcome_persistently(attempt: Attempt, result: results.SendResult) -> bool:
    """Record the outcome, retrying while the database is unreachable.

    Raises OperationalError or InterfaceError if it stays unreachable. The attempt then stays open
    until another job finds it.
    """
    for wait in WRITE_WAITS:
        try:
            return write_outcome(attempt, result)
        except (OperationalError, InterfaceError) as error:
            kind = type(error.__cause__ or error).__name__
            log.warning("Attempt %s: its outcome is not written yet (%s).", attempt.pk, kind)
            release_connection()
            time.sleep(wait)
    return write_outcome(attempt, result)


@transaction.atomic
def write_outcome(attempt: Attempt, result: results.SendResult) -> bool:
    """Close an attempt with the carrier's answer; return True if it was still open.

    Receipts that came early are paired with it. If a receipt has closed it first, the answer only
    adds the carrier's id. An attempt that is *unknown* by now still takes a clear answer, but its
    message is not retried automatically. Recording the same outcome twice is harmless.
    """
    if isinstance(result, results.Accepted):
        writing.lock_carrier_message(attempt.account_id, result.carrier_message_id)
    seq = counters.next_inbox_seq(attempt.message.inbox_id)
    writing.reload_attempt(attempt)
    is_open = attempt.state == DeliveryState.SENDING
    is_unsettled = is_open or attempt.state == DeliveryState.UNKNOWN
    match result:
        case results.Accepted():
            receipt = events.Receipt(result.carrier_message_id, result.state)
            receipts.pair_attempt(attempt, seq=seq, receipt=receipt)
        case results.OutcomeUnknown() if is_open:
            _close_attempt(attempt, DeliveryState.UNKNOWN, result, detail=result.detail)
            receipts.show_attempt(
                attempt, seq=seq, state=DeliveryState.UNKNOWN, reason=UNKNOWN_REASON
            )
        case results.RateLimited() | results.NotSent() if is_unsettled:
            _requeue_or_fail(attempt, seq, result, is_open=is_open)
        case results.Rejected() | results.OptedOut() | results.AuthFailed() if is_unsettled:
            _record_refusal(attempt, seq, result)
    return is_open


def _record_refusal(
    attempt: Attempt, seq: int, result: results.Rejected | results.OptedOut | results.AuthFailed
) -> None:
    error_class: events.ErrorClass
    if isinstance(result, results.Rejected):
        error_class = result.error_class
    else:
        error_class = "opted_out" if isinstance(result, results.OptedOut) else "auth"
    _close_attempt(
        attempt, DeliveryState.FAILED, result, error_class=error_class, detail=result.detail
    )
    if error_class == "opted_out":
        opt_outs.record_carrier_opt_out(attempt, seq=seq)
    receipts.show_attempt(attempt, seq=seq, state=DeliveryState.FAILED, error_class=error_class)


def _requeue_or_fail(
    attempt: Attempt, seq: int, result: results.RateLimited | results.NotSent, *, is_open: bool
) -> None:
    """Queue a message that was not sent with a growing wait, or fail it after the last try."""
    is_limit = isinstance(result, results.RateLimited)
    detail = (
        result.detail if isinstance(result, results.NotSent) else "The carrier asked us to wait."
    )
    error_class = "throttled" if is_limit else "transient"
    _close_attempt(attempt, DeliveryState.FAILED, result, error_class=error_class, detail=detail)
    message = Message.objects.get(pk=attempt.message_id)
    tries = message.tries + 1
    if not is_open or message.state != DeliveryState.SENDING or tries >= MAX_TRIES:
        reason = events.REASONS["throttled"] if is_limit else NOT_SENT_REASON
        receipts.show_attempt(attempt, seq=seq, state=DeliveryState.FAILED, reason=reason)
        return
    wait = backoff_seconds(tries)
    if isinstance(result, results.RateLimited) and result.retry_after is not None:
        wait = max(wait, result.retry_after)
    at = timezone.now() + timedelta(seconds=wait)
    writing.change_message(
        message,
        seq,
        state=DeliveryState.QUEUED,
        reason="",
        tries=tries,
        next_try_at=at,
        expected_at=None,
        turn_at=None,
    )
    defer_delivery(message.thread_id, at=at)


def backoff_seconds(tries: int) -> float:
    """Return how long to wait after so many tries: doubling up to a limit, with jitter."""
    return min(MAX_BACKOFF, 2.0**tries) * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret


def _close_attempt(
    attempt: Attempt,
    state: DeliveryState,
    result: Failure,
    *,
    error_class: str = "",
    detail: str,
) -> None:
    save_columns(
        attempt,
        state=state,
        error_code="" if isinstance(result, results.NotSent) else result.code[:64],
        carrier_words=result.words[:300],
        error_class=error_class,
        detail=detail[:255],
        settled_at=timezone.now(),
    )
