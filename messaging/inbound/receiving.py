"""Store the messages and receipts of a carrier's verified request, or quarantine it."""

from __future__ import annotations

import hashlib
import logging
import traceback
from copy import copy
from datetime import datetime

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from inboxes import counters
from messaging.accounts import webhook_paths
from messaging.attachments import inbound
from messaging.carriers import events
from messaging.inbound import reactions
from messaging.models import CarrierAccount, Message, Webhook
from messaging.models.webhooks import UNKNOWN_NUMBER
from messaging.outbound import automatic_answers, opt_outs
from messaging.outbound.receipts import apply_receipt
from messaging.stream import statements, writing
from threads import addresses

log = logging.getLogger(__name__)

# Headers that help to understand a request later; signatures and credentials are not kept.
KEPT_HEADERS = {"content-type", "user-agent", "i-twilio-idempotency-token"}

BATCH_SIZE = 100


class UnknownNumber(Exception):
    """The text was sent to a number that belongs to no inbox of this account."""


def receive_webhook(
    *, account: CarrierAccount, request: events.RawRequest, attempt_token: str | None
) -> None:
    """Store a verified request: each event in one transaction, with the raw bytes.

    An event that is stored already changes nothing. If any part cannot be parsed or routed, the
    raw request is quarantined and the rest is stored. Once this returns, the request may be
    acknowledged.
    """
    webhook = _new_webhook(account, request)
    try:
        parsed = account.adapter.parse(request)
    except events.Unparsable as error:
        _put_in_quarantine(webhook, error.reason)
        return
    trouble = _store_events(parsed, account=account, webhook=webhook, attempt_token=attempt_token)
    if trouble:
        _put_in_quarantine(webhook, trouble)


def replay_webhook(*, webhook: Webhook) -> bool:
    """Try a quarantined request again; return True if all of it is understood now.

    A text in it joins its thread at the time when the request arrived. Replaying a request that
    was understood changes nothing.
    """
    request = events.RawRequest(
        method="POST", path=webhook.path, headers=webhook.headers, body=bytes(webhook.body)
    )
    account = webhook.account
    try:
        parsed = account.adapter.parse(request)
    except events.Unparsable as error:
        return _keep_in_quarantine(webhook, error.reason)
    trouble = _store_events(
        parsed,
        account=account,
        attempt_token=webhook_paths.attempt_token_in(webhook.path),
        arrived_at=webhook.received_at,
    )
    if trouble:
        return _keep_in_quarantine(webhook, trouble)
    Webhook.objects.filter(pk=webhook.pk).update(is_quarantined=False, reason="")
    return True


def replay_webhooks(*, account_id: int, reason: str, upto: int) -> tuple[int, int]:
    """Replay the account's requests that were quarantined for one reason, oldest first.

    `upto` is the key of the newest one when the replay was asked for. Return how many were
    understood, and how many still are not.
    """
    same = Webhook.objects.quarantined().filter(account=account_id, reason=reason, pk__lte=upto)
    results: list[bool] = []
    last = 0
    while batch := list(
        same.filter(pk__gt=last).select_related("account").order_by("pk")[:BATCH_SIZE]
    ):
        results += [replay_webhook(webhook=webhook) for webhook in batch]
        last = batch[-1].pk
    return sum(results), len(results) - sum(results)


def store_late_text(
    text: events.InboundText, *, account: CarrierAccount, arrived_at: datetime
) -> bool:
    """Store a text whose webhook never came.

    Return False if it is stored already, or if its number is no longer ours.
    """
    try:
        return _store_event(text, account=account, arrived_at=arrived_at)
    except UnknownNumber:
        return False


def _keep_in_quarantine(webhook: Webhook, reason: str) -> bool:
    Webhook.objects.filter(pk=webhook.pk).update(reason=reason[:255])
    return False


def _store_events(
    parsed: list[events.Event],
    *,
    account: CarrierAccount,
    webhook: Webhook | None = None,
    attempt_token: str | None,
    arrived_at: datetime | None = None,
) -> str:
    """Store the events that can be stored; return why the first other one cannot, or ""."""
    troubles: list[str] = []
    for event in parsed:
        try:
            _store_event(
                event,
                account=account,
                webhook=webhook,
                attempt_token=attempt_token,
                arrived_at=arrived_at,
            )
        except UnknownNumber:
            troubles.append(UNKNOWN_NUMBER)
        if isinstance(event, events.Unreadable):
            troubles.append(event.reason)
    return troubles[0] if troubles else ""


def _store_event(
    event: events.Event,
    *,
    account: CarrierAccount,
    webhook: Webhook | None = None,
    attempt_token: str | None = None,
    arrived_at: datetime | None = None,
) -> bool:
    """Store an event; return False if it was stored already or needs no storing.

    Raises UnknownNumber.
    """
    if not isinstance(event, events.InboundText | events.Receipt):
        return False
    try:
        with transaction.atomic():
            # The raw bytes come first, outside the lock of the inbox's counter.
            key = None if webhook is None else _insert_webhook(webhook)
            if isinstance(event, events.InboundText):
                store_text(event, account=account, arrived_at=arrived_at)
            else:
                apply_receipt(account=account, receipt=event, attempt_token=attempt_token)
        if webhook is not None:
            webhook.pk = key
    except IntegrityError as error:
        if not _is_duplicate(error):
            raise
        return False
    return True


def store_text(
    text: events.InboundText, *, account: CarrierAccount, arrived_at: datetime | None = None
) -> Message:
    """Store an inbound text. Call inside a transaction.

    `arrived_at` is given for a late text: when it should have reached us. A late text notifies
    like a new one, but its position in the thread follows the carrier's clock.

    Raises UnknownNumber, and IntegrityError (`inbound_message_is_stored_once`) if it is stored
    already.
    """
    recipients = [text.recipient, *(() if text.is_recipient_told else text.others)]
    inbox_id, our_address = _find_route(account, recipients)
    seq = counters.next_inbox_seq(inbox_id)
    thread_id = writing.get_or_create_thread(
        inbox_id=inbox_id, sender=text.sender, our_address=our_address, seq=seq
    )
    keyword = opt_outs.read_keyword(text, our_address=our_address)
    sent_at, after_id = _time_and_position(text, thread_id, arrived_at)
    message = Message(
        thread_id=thread_id,
        inbox_id=inbox_id,
        kind=Message.Kind.INBOUND,
        body=text.words,
        keyword=keyword or "",
        created_at=timezone.now(),
        seq=seq,
        account=account,
        carrier_message_id=text.carrier_message_id,
        other_recipients=_other_recipients(text, our_address),
        carrier_sent_at=sent_at,
        after_id=after_id,
        **inbound.count_announced(text.media),
    )
    quoted = reactions.read_tapback(message)
    writing.record_message(message, our_address=our_address)
    if quoted is not None:
        reactions.show_reaction(quoted, seq)
    if text.media:
        inbound.record_media(message, text.media)
    if keyword is not None:
        is_answered = text.keyword is not None
        opt_outs.apply_keyword(message, keyword, our_address=our_address, is_answered=is_answered)
    elif message.may_be_answered:
        _answer_text(message)
    return message


def _answer_text(message: Message) -> None:
    """Answer the text if an answer is due; the text is kept, whatever goes wrong with that.

    Where the database is in trouble, nothing is stored, and the carrier repeats the text.
    """
    try:
        with transaction.atomic():
            automatic_answers.answer_text(message)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, the text counts more
        # Its words may be those of the text.
        log.error(
            "The text %s got no automatic answer: %s in %s.",
            message.pk,
            type(error).__name__,
            _place_of(error),
        )


def _place_of(error: Exception) -> str:
    """Return the file and the line in which the error was raised."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"


def _time_and_position(
    text: events.InboundText, thread_id: int, arrived_at: datetime | None
) -> tuple[datetime | None, int | None]:
    """Return when the text was sent, and for a late one the message that it follows."""
    if arrived_at is None:
        return text.sent_at, None
    at = min(text.sent_at or arrived_at, timezone.now())
    earlier = Message.objects.on_time().filter(thread=thread_id, created_at__lte=at)
    previous = earlier.order_by("-pk").values_list("pk", flat=True).first()
    return at, previous or 0


def _find_route(account: CarrierAccount, recipients: list[str]) -> tuple[int, str]:
    """Return the inbox of our number, and the number as we write it.

    The first of the recipients that is ours counts. Raises UnknownNumber.
    """
    for recipient in recipients:
        row = statements.fetch_row(statements.FIND_ROUTE, [account.pk, _add_plus_sign(recipient)])
        if row is not None:
            inbox_id, our_address = row
            return inbox_id, our_address
    raise UnknownNumber


def _other_recipients(text: events.InboundText, our_address: str) -> list[str]:
    """Return to whom a group text went besides us, each once and without the sender."""
    known = {our_address, addresses.normalise_address(text.sender)[0]}
    found = (addresses.normalise_address(one)[0] for one in [text.recipient, *text.others])
    return [one for one in dict.fromkeys(found) if one not in known] if text.others else []


def _add_plus_sign(recipient: str) -> str:
    """Add the plus sign that some carriers leave out of our number."""
    digits = recipient.strip()
    return digits if digits.startswith("+") or len(digits) <= 8 else f"+{digits}"


def _is_duplicate(error: IntegrityError) -> bool:
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) in {
        "inbound_message_is_stored_once",
        "receipt_is_stored_once",
    }


def _new_webhook(account: CarrierAccount, request: events.RawRequest) -> Webhook:
    return Webhook(
        account=account,
        path=request.path[:512],
        headers={k: v for k, v in request.headers.items() if k in KEPT_HEADERS},
        body=request.body,
        digest=hashlib.sha256(request.path.encode() + b"\0" + request.body).hexdigest(),
    )


def _insert_webhook(webhook: Webhook) -> int:
    """Store the raw request unless it is stored; return its key, which counts once committed."""
    if webhook.pk:
        return webhook.pk
    stored = copy(webhook)
    stored.save(force_insert=True)
    return stored.pk


def _put_in_quarantine(webhook: Webhook, reason: str) -> None:
    webhook.is_quarantined = True
    webhook.reason = reason[:255]
    if not webhook.pk:
        Webhook.objects.bulk_create([webhook], ignore_conflicts=True)
        return
    same = Webhook.objects.quarantined().filter(account=webhook.account, digest=webhook.digest)
    if not same.exists():
        webhook.save(update_fields=["is_quarantined", "reason"])
