"""Asking carriers what became of texts whose outcome nobody knows.

What a carrier finds settles the attempt through the same ranks as a receipt. That it does not find
one settles nothing: carriers reword texts and their lists lag, so that it is said and left to a
person.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from inboxes import counters
from inboxes.database import release_connection
from messaging import encryption
from messaging.carriers import CARRIERS, events, http, results
from messaging.models import Attempt, DeliveryState, Message
from messaging.outbound import receipts
from messaging.stream import writing
from threads.models import Contact

log = logging.getLogger(__name__)

FIRST_WAIT = timedelta(minutes=3)
RETRY_WAITS = (
    timedelta(minutes=12),
    timedelta(minutes=45),
    timedelta(hours=5),
    timedelta(hours=18),
)
"""Between the tries, about a day in all; then it is a person's."""

MAX_TRIES = len(RETRY_WAITS) + 1
CLOCK_TOLERANCE = timedelta(minutes=2)
"""Also what a carrier may take to note a text. Shorter than the first wait: when it is asked, no
text that is begun then can be taken for this one."""

BUSY_WAIT = timedelta(minutes=1)
MAX_AGE = timedelta(days=3)
ROUND_SIZE = 20
ROUND_SECONDS = 40.0
MAX_UNANSWERED = 3
"""Questions without an answer after which an account is left for a later round."""

ARRIVED = (DeliveryState.SENT, DeliveryState.DELIVERED)

NOT_LISTED_REASON = (
    "The carrier's list does not show this text, so it was probably not sent. Retry if it is "
    "still wanted: if it was sent after all, they get it twice."
)


def look_up_unknowns() -> int:
    """Ask for those whose time has come, for so many and so long as a round may take.

    Returns how many were settled.
    """
    until = time.monotonic() + ROUND_SECONDS
    silence: Counter[int] = Counter()
    settled = 0
    for attempt in list(_due_attempts(timezone.now())[:ROUND_SIZE]):
        if time.monotonic() > until:
            break
        if silence[attempt.account_id] >= MAX_UNANSWERED or not _claim_look_up(attempt):
            continue
        try:
            result = _ask_carrier(attempt)
            settled += _apply_result(attempt, result)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # one text's trouble is not the others'
            log.exception("Attempt %s could not be looked up.", attempt.pk)
            continue
        if not isinstance(result, results.Found | results.NotFound):
            silence[attempt.account_id] += 1
            if silence[attempt.account_id] == MAX_UNANSWERED:
                _postpone_account(attempt.account_id)
    return settled


def _apply_result(attempt: Attempt, result: results.LookUpResult) -> bool:
    """Whether the answer settled it."""
    if isinstance(result, results.Found):
        return _settle_attempt(attempt, result.receipt)
    if isinstance(result, results.NotFound):
        _report_not_found(attempt)
    else:
        log.warning("Attempt %s: %s", attempt.pk, result.detail)
    return False


def _postpone_account(account_id: int) -> None:
    """What an account that does not answer has waiting would else fill the next round too."""
    now = timezone.now()
    _due_attempts(now).filter(account=account_id).update(look_up_at=now + BUSY_WAIT)


def _due_attempts(now: datetime) -> QuerySet[Attempt]:
    """One that has an id was told of by its carrier already, which could not tell either."""
    can = [name for name, carrier in CARRIERS.items() if carrier.capabilities.can_look_up]
    never = Q(look_up_at=None, settled_at__lt=now - FIRST_WAIT)
    return (
        Attempt.objects.filter(
            never | Q(look_up_at__lte=now),
            state=DeliveryState.UNKNOWN,
            carrier_message_id="",
            look_ups__lt=MAX_TRIES,
            started_at__gt=now - MAX_AGE,
            account__is_active=True,
            account__carrier__in=can,
        )
        .select_related("account", "message__thread__contact")
        .order_by("started_at")
    )


def _claim_look_up(attempt: Attempt) -> bool:
    """Note that it is asked for, before it is: a crash costs one of its tries, and no more.

    False if another worker does, or while a text is on its way that could be taken for it.
    """
    mine = Attempt.objects.filter(pk=attempt.pk, look_ups=attempt.look_ups)
    if _attempts_to_same_contact(attempt).filter(state=DeliveryState.SENDING).exists():
        mine.update(look_up_at=timezone.now() + BUSY_WAIT)
        return False
    next_at = timezone.now() + RETRY_WAITS[min(attempt.look_ups, len(RETRY_WAITS) - 1)]
    attempt.look_ups += 1
    return bool(mine.update(look_ups=F("look_ups") + 1, look_up_at=next_at))


def _attempts_to_same_contact(attempt: Attempt) -> QuerySet[Attempt]:
    """Others from the same account to the same person, in whichever inbox, that are not older."""
    contact = attempt.message.thread.contact
    known = Contact.objects.filter(address=contact.address)
    since = attempt.started_at - 2 * CLOCK_TOLERANCE
    others = Attempt.objects.filter(account=attempt.account_id, started_at__gt=since)
    return others.filter(message__thread__contact__in=known).exclude(pk=attempt.pk)


def _look_up_query(attempt: Attempt) -> results.Sought:
    thread = attempt.message.thread
    latest = _latest_end(attempt) + CLOCK_TOLERANCE
    others = _attempts_to_same_contact(attempt)
    claimed = others.exclude(carrier_message_id="").values_list("carrier_message_id", flat=True)
    unclaimed = others.filter(state=DeliveryState.UNKNOWN, carrier_message_id="")
    return results.Sought(
        attempt_token=str(attempt.token),
        sender=thread.our_address,
        recipient=thread.contact.address,
        body=attempt.message.body,
        earliest=attempt.started_at - CLOCK_TOLERANCE,
        latest=latest,
        not_these=frozenset(claimed),
        is_alone=not unclaimed.filter(started_at__lte=latest).exists(),
    )


def _latest_end(attempt: Attempt) -> datetime:
    """By when the carrier had it, if at all: one that a dead worker left open is settled only when
    somebody finds it. Connecting, writing, reading and waiting for a connection may each last for
    CARRIER_TIMEOUT."""
    longest = timedelta(seconds=4 * settings.CARRIER_TIMEOUT)
    return min(attempt.settled_at or attempt.started_at, attempt.started_at + longest)


def _ask_carrier(attempt: Attempt) -> results.LookUpResult:
    """No connection to the database is kept meanwhile."""
    account, sought = attempt.account, _look_up_query(attempt)
    try:
        credentials = account.get_credentials()
    except encryption.UndecryptableError:
        return results.AuthFailed("the account's secret cannot be decrypted")
    release_connection()
    with http.new_client() as client:
        return account.adapter.look_up(sought, credentials, client)


@transaction.atomic
def _settle_attempt(attempt: Attempt, receipt: events.Receipt) -> bool:
    """False if the text that was found turned out to be another attempt's meanwhile."""
    writing.lock_carrier_message(attempt.account_id, receipt.carrier_message_id)
    seq = counters.next_inbox_seq(attempt.message.inbox_id)
    of_others = Attempt.objects.filter(
        account=attempt.account_id, carrier_message_id=receipt.carrier_message_id
    )
    if of_others.exclude(pk=attempt.pk).exists():
        return False
    writing.reload_attempt(attempt)
    receipts.pair_attempt(attempt, seq=seq, receipt=receipt)
    return True


@transaction.atomic
def _report_not_found(attempt: Attempt) -> None:
    """For the person who decides. Not after the first try: its carrier's list may lag. Nor where
    the text went with another attempt."""
    if attempt.look_ups < 2:
        return
    seq = counters.next_inbox_seq(attempt.message.inbox_id)
    message = Message.objects.get(pk=attempt.message_id)
    is_unknown = message.state == DeliveryState.UNKNOWN
    others = message.attempts.exclude(pk=attempt.pk)
    if others.filter(Q(ordinal__gt=attempt.ordinal) | Q(state__in=ARRIVED)).exists():
        return
    if is_unknown and message.reason != NOT_LISTED_REASON:
        writing.change_message(message, seq, reason=NOT_LISTED_REASON)
