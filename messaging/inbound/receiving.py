"""A carrier's verified request becomes messages and receipts, or goes into quarantine."""

from __future__ import annotations

import hashlib
from copy import copy
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from inboxes import counters
from messaging.attachments import inbound
from messaging.carriers import events
from messaging.models import CarrierAccount, Message, Webhook
from messaging.outbound import opt_outs
from messaging.outbound.receipts import apply_receipt
from messaging.stream import statements, writing
from messaging.stream.keywords import find_keyword

KEPT_HEADERS = {"content-type", "user-agent", "i-twilio-idempotency-token"}
"""What helps to understand a request later; signatures and credentials are not kept."""

NO_SUCH_NUMBER = "It is addressed to a number that we do not have here."
BATCH = 100


class UnknownNumber(Exception):
    """The text came to a number that routes to no inbox of this account."""


def receive_webhook(
    *, account: CarrierAccount, request: events.RawRequest, attempt_token: str | None
) -> None:
    """Store a verified request, each of its events in one transaction with the raw bytes.

    An event that is stored already changes nothing. A request of which anything cannot be parsed
    or routed is kept raw in quarantine; the rest of it is stored. When this returns, the carrier
    may be told that we have it.
    """
    webhook = _raw(account, request)
    try:
        parsed = account.adapter.parse(request)
    except events.Unparsable as error:
        _quarantine(webhook, error.reason)
        return
    trouble = _store_all(parsed, account=account, webhook=webhook, attempt_token=attempt_token)
    if trouble:
        _quarantine(webhook, trouble)


def replay_webhook(*, webhook: Webhook) -> bool:
    """Try a quarantined request again; True when all of it could be understood this time.

    A text that it brings joins its thread at the time when the carrier had brought it. Trying
    what is understood already changes nothing.
    """
    request = events.RawRequest(
        method="POST", path=webhook.path, headers=webhook.headers, body=bytes(webhook.body)
    )
    account = webhook.account
    try:
        parsed = account.adapter.parse(request)
    except events.Unparsable as error:
        return _still_not_understood(webhook, error.reason)
    trouble = _store_all(
        parsed,
        account=account,
        attempt_token=_attempt_token(webhook),
        came_at=webhook.received_at,
    )
    if trouble:
        return _still_not_understood(webhook, trouble)
    Webhook.objects.filter(pk=webhook.pk).update(is_quarantined=False, reason="")
    return True


def replay_cause(*, account_id: int, reason: str, upto: int) -> tuple[int, int]:
    """Try all of an account again that were quarantined for one reason, oldest first.

    `upto`: the newest one when somebody asked. Returns how many were understood, and how many
    still are not.
    """
    same = Webhook.objects.quarantined().filter(account=account_id, reason=reason, pk__lte=upto)
    results: list[bool] = []
    last = 0
    while batch := list(same.filter(pk__gt=last).select_related("account").order_by("pk")[:BATCH]):
        results += [replay_webhook(webhook=webhook) for webhook in batch]
        last = batch[-1].pk
    return sum(results), len(results) - sum(results)


def receive_late(text: events.InboundText, *, account: CarrierAccount, came_at: datetime) -> bool:
    """Store a text that no webhook had brought; False if it is stored already, or if its number
    is not ours any more."""
    try:
        return _store(text, account=account, came_at=came_at)
    except UnknownNumber:
        return False


def _attempt_token(webhook: Webhook) -> str | None:
    """Of the attempt whose address was called, as the view had read it."""
    _, _, behind = webhook.path.partition("?")[0].partition(webhook.account.webhook_path)
    return behind.partition("/")[0] or None


def _still_not_understood(webhook: Webhook, reason: str) -> bool:
    Webhook.objects.filter(pk=webhook.pk).update(reason=reason[:255])
    return False


def _store_all(
    parsed: list[events.Event],
    *,
    account: CarrierAccount,
    webhook: Webhook | None = None,
    attempt_token: str | None,
    came_at: datetime | None = None,
) -> str:
    """Store those that can be; returns why the first that cannot be is not, empty for none."""
    troubles: list[str] = []
    for event in parsed:
        try:
            _store(
                event,
                account=account,
                webhook=webhook,
                attempt_token=attempt_token,
                came_at=came_at,
            )
        except UnknownNumber:
            troubles.append(NO_SUCH_NUMBER)
        if isinstance(event, events.Unreadable):
            troubles.append(event.reason)
    return troubles[0] if troubles else ""


def _store(
    event: events.Event,
    *,
    account: CarrierAccount,
    webhook: Webhook | None = None,
    attempt_token: str | None = None,
    came_at: datetime | None = None,
) -> bool:
    """True unless it was stored already, or needs nothing done. Raises UnknownNumber."""
    if not isinstance(event, events.InboundText | events.Receipt):
        return False
    try:
        with transaction.atomic():
            # The raw bytes first: they need not wait for the inbox's counter, nor others for them.
            key = None if webhook is None else _keep(webhook)
            if isinstance(event, events.InboundText):
                store_text(event, account=account, came_at=came_at)
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
    text: events.InboundText, *, account: CarrierAccount, came_at: datetime | None = None
) -> Message:
    """Store a text that came in. Call inside a transaction.

    `came_at`: when it should have come to us, for one that is found afterwards. It is told to
    everybody as new, and stands in its thread where it belongs by the carrier's clock.
    Raises UnknownNumber, and IntegrityError (`inbound_message_is_stored_once`) for one that is
    stored already.
    """
    route = statements.run(statements.ROUTE, [account.pk, _our_form(text.recipient)])
    if route is None:
        raise UnknownNumber
    inbox_id, our_address = route
    seq = counters.next_inbox_seq(inbox_id)
    thread_id = writing.get_or_create_thread(
        inbox_id=inbox_id, sender=text.sender, our_address=our_address, seq=seq
    )
    message = writing.record_message(
        Message(
            thread_id=thread_id,
            inbox_id=inbox_id,
            kind=Message.Kind.INBOUND,
            body=text.body,
            created_at=timezone.now(),
            seq=seq,
            account=account,
            carrier_message_id=text.carrier_message_id,
            **_times(text, thread_id, came_at),
            **inbound.announced_kinds(text.media),
        ),
        our_address=our_address,
    )
    if text.media:
        inbound.expect(message, text.media)
    word = find_keyword(text.body)
    if word is not None:
        opt_outs.apply_keyword(message, word, our_address=our_address)
    return message


def _times(
    text: events.InboundText, thread_id: int, came_at: datetime | None
) -> dict[str, object]:
    """When it was sent, and for a late one the message behind which it belongs."""
    if came_at is None:
        return {"carrier_sent_at": text.sent_at}
    at = min(text.sent_at or came_at, timezone.now())
    earlier = Message.objects.on_time().filter(thread=thread_id, created_at__lte=at)
    behind = earlier.order_by("-pk").values_list("pk", flat=True).first()
    return {"carrier_sent_at": at, "after_id": behind or 0}


def _our_form(recipient: str) -> str:
    """Some carriers leave out the plus sign of our own number."""
    digits = recipient.strip()
    return digits if digits.startswith("+") or len(digits) <= 8 else f"+{digits}"


def _is_duplicate(error: IntegrityError) -> bool:
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) in {
        "inbound_message_is_stored_once",
        "receipt_is_stored_once",
    }


def _raw(account: CarrierAccount, request: events.RawRequest) -> Webhook:
    return Webhook(
        account=account,
        path=request.path[:512],
        headers={k: v for k, v in request.headers.items() if k in KEPT_HEADERS},
        body=request.body,
        digest=hashlib.sha256(request.path.encode() + b"\0" + request.body).hexdigest(),
    )


def _keep(webhook: Webhook) -> int:
    """Store the raw request unless it is stored; return its key, which counts once committed."""
    if webhook.pk:
        return webhook.pk
    stored = copy(webhook)
    stored.save(force_insert=True)
    return stored.pk


def _quarantine(webhook: Webhook, reason: str) -> None:
    webhook.is_quarantined = True
    webhook.reason = reason[:255]
    if not webhook.pk:
        Webhook.objects.bulk_create([webhook], ignore_conflicts=True)
        return
    same = Webhook.objects.quarantined().filter(account=webhook.account, digest=webhook.digest)
    if not same.exists():
        webhook.save(update_fields=["is_quarantined", "reason"])
