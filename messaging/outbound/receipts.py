"""Apply carriers' receipts: they move a message's state upward, never back."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Literal

from django.conf import settings
from django.utils import timezone

from inboxes import counters
from inboxes.database import save_columns
from messaging.carriers import events
from messaging.models import Attempt, CarrierAccount, DeliveryReceipt, DeliveryState, Message
from messaging.models.states import RANKS, is_progress
from messaging.outbound import opt_outs
from messaging.stream import statements, writing
from threads import addresses

# Other reasons say when to retry, which is not possible here.
UNCERTAIN_CONFIRMATION = (
    "This confirmation of an opt-out may not have arrived. You don't need to do anything."
)

_FIND_HOLDER = (
    "SELECT id FROM messaging_attempt"
    " WHERE account_id = %s AND carrier_message_id = %s AND id <> %s"
)


def apply_receipt(
    *, account: CarrierAccount, receipt: events.Receipt, attempt_token: str | None
) -> None:
    """Store the receipt and settle its attempt; park it if its attempt is not known yet.

    Call inside a transaction. Raises IntegrityError (`receipt_is_stored_once`) if it is stored
    already.
    """
    writing.lock_carrier_message(account.pk, receipt.carrier_message_id)
    attempt = _find_attempt(account, receipt, attempt_token)
    seq = counters.next_inbox_seq(attempt.message.inbox_id) if attempt is not None else 0
    DeliveryReceipt.objects.create(
        account=account,
        attempt=attempt,
        carrier_message_id=receipt.carrier_message_id,
        state=receipt.state,
        error_code=receipt.error_code,
        error_class=receipt.error_class,
        recipient=receipt.recipient,
        carrier_words=receipt.words,
    )
    if attempt is not None:
        writing.reload_attempt(attempt)
        apply = settle_attempt if attempt.carrier_message_id else pair_attempt
        apply(attempt, seq=seq, receipt=receipt)


def pair_attempt(attempt: Attempt, *, seq: int, receipt: events.Receipt) -> None:
    """Pair an attempt with the carrier's id and with the parked receipts for that id.

    The caller holds the id's lock (`writing.lock_carrier_message`) and the inbox's counter, and
    has reloaded the attempt since.
    """
    if not attempt.carrier_message_id:
        _reclaim_carrier_id(attempt, seq, receipt.carrier_message_id)
    is_settled = settle_attempt(attempt, seq=seq, receipt=receipt)
    if not (is_settled or attempt.carrier_message_id):
        save_columns(attempt, carrier_message_id=receipt.carrier_message_id)
    if not statements.fetch_row(
        statements.FIND_PARKED_RECEIPT, [attempt.account_id, receipt.carrier_message_id]
    ):
        return
    early = DeliveryReceipt.objects.filter(
        account=attempt.account_id, carrier_message_id=receipt.carrier_message_id, attempt=None
    )
    for row in early.order_by("pk"):
        DeliveryReceipt.objects.filter(pk=row.pk).update(attempt=attempt)
        settle_attempt(attempt, seq=seq, receipt=row.as_event())


def settle_attempt(attempt: Attempt, *, seq: int, receipt: events.Receipt) -> bool:
    """Apply a receipt to its attempt and message; return False if it says nothing new.

    The caller holds the inbox's counter and has reloaded the attempt since.

    A carrier's *queued* and *sending* count as *sent*, since the carrier has the text. Taken as
    our own states they would reopen the attempt or put the message back into the queue.
    """
    if not _names_our_recipient(attempt, receipt):
        return False
    state = DeliveryState(receipt.state)
    if state != DeliveryState.UNKNOWN:
        state = max(state, DeliveryState.SENT, key=RANKS.__getitem__)
    is_late = attempt.error_class == "ambiguous" and state == DeliveryState.SENT
    old = (
        DeliveryState.SENDING if _was_closed_as_not_sent(attempt) else DeliveryState(attempt.state)
    )
    if is_late or not is_progress(old, state):
        return False
    save_columns(
        attempt,
        state=state,
        carrier_message_id=attempt.carrier_message_id or receipt.carrier_message_id,
        error_code=receipt.error_code,
        error_class=receipt.error_class,
        carrier_words=receipt.words,
        settled_at=timezone.now(),
    )
    if receipt.error_class == "opted_out":
        opt_outs.record_carrier_opt_out(attempt, seq=seq)
    show_attempt(attempt, seq=seq, state=state, error_class=receipt.error_class)
    return True


def show_attempt(
    attempt: Attempt,
    *,
    seq: int,
    state: DeliveryState,
    error_class: events.ErrorClass | Literal[""] = "",
    reason: str = "",
) -> None:
    """Show the state of the latest attempt on its message; a delivery on any attempt wins.

    A queued message stays queued with two exceptions. It may turn out to be delivered. Or it waits
    for our own retry, and the carrier has the text after all.
    """
    message = attempt.message
    which = {"message": message.pk, "ordinal": attempt.ordinal}
    row = statements.fetch_row(statements.GET_STATE_AND_IS_LATEST, which)
    message.state, message.unseen_failure, is_latest = row or (
        message.state,
        message.unseen_failure,
        True,
    )
    is_waiting = message.state == DeliveryState.QUEUED and not (
        is_latest and _waits_for_our_retry(message)
    )
    is_settled = message.state == DeliveryState.DELIVERED
    if is_settled or (state != DeliveryState.DELIVERED and (is_waiting or not is_latest)):
        return
    if state in (DeliveryState.FAILED, DeliveryState.UNKNOWN):
        if message.is_confirmation:
            reason = UNCERTAIN_CONFIRMATION
        reason = reason or events.REASONS[error_class or "other"]
    writing.change_message(message, seq, state=state, reason=reason[:255])


def delete_parked_receipts() -> int:
    """Delete old receipts that belong to no attempt of ours; return how many.

    Another system that uses the same number has sent those texts.
    """
    parked = DeliveryReceipt.objects.filter(attempt=None)
    since = timezone.now() - timedelta(days=settings.PARKED_RECEIPT_DAYS)
    count, _ = parked.filter(received_at__lt=since).delete()
    return count


def _was_closed_as_not_sent(attempt: Attempt) -> bool:
    """Return True if the attempt was closed as not sent, to be retried.

    A receipt proves otherwise: the carrier has the text.
    """
    is_closed = attempt.state == DeliveryState.FAILED and not attempt.carrier_message_id
    return is_closed and attempt.error_class in {"server", "throttled", "transient"}


def _waits_for_our_retry(message: Message) -> bool:
    """Return True if the message waits for a retry that we scheduled, not an agent's."""
    return Message.objects.filter(pk=message.pk, tries__gt=0).exists()


def _reclaim_carrier_id(attempt: Attempt, seq: int, carrier_message_id: str) -> None:
    """Take the carrier's id back from an attempt to which a look-up assigned it by mistake.

    A look-up cannot tell two texts with the same body apart, while our token and the answer to
    our own call are proof. The other attempt becomes unknown again, and its own receipts are
    applied anew. Receipts for the id are parked for the right attempt.
    """
    holder = statements.fetch_row(
        _FIND_HOLDER, [attempt.account_id, carrier_message_id, attempt.pk]
    )
    if holder is None:
        return
    other = Attempt.objects.select_related("message").get(pk=holder[0])
    if other.message.inbox_id != attempt.message.inbox_id:
        seq = counters.next_inbox_seq(other.message.inbox_id)
    kept = DeliveryReceipt.objects.filter(attempt=other)
    kept.filter(carrier_message_id=carrier_message_id).update(attempt=None)
    save_columns(
        other,
        carrier_message_id="",
        state=DeliveryState.UNKNOWN,
        error_code="",
        error_class="",
        carrier_words="",
    )
    show_attempt(other, seq=seq, state=DeliveryState.UNKNOWN, error_class="ambiguous")
    for row in kept.order_by("pk"):
        settle_attempt(other, seq=seq, receipt=row.as_event())


def _names_our_recipient(attempt: Attempt, receipt: events.Receipt) -> bool:
    """Return False if the receipt names another recipient than ours."""
    if not receipt.recipient:
        return True
    address, _ = addresses.normalise_address(receipt.recipient)
    return address == attempt.message.thread.contact.address


def _find_attempt(
    account: CarrierAccount, receipt: events.Receipt, attempt_token: str | None
) -> Attempt | None:
    attempts = Attempt.objects.select_related("message").filter(account=account)
    token = receipt.attempt_token or attempt_token
    if token is not None:
        try:
            found = attempts.filter(token=uuid.UUID(token)).first()
        except ValueError:
            found = None
        if found is not None:
            return found
    return attempts.filter(carrier_message_id=receipt.carrier_message_id).first()
