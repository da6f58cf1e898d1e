"""Look up at the carrier what became of unknown attempts.

If the carrier finds the text, the attempt is settled by the same rules as by a receipt. If it
does not, nothing is settled, because carriers reword texts and their lists lag. The message then
says so, and an agent decides.
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

from inboxes import counters, encryption
from inboxes.database import release_connection
from messaging.carriers import CARRIERS, events, http, results
from messaging.models import Attempt, DeliveryState, Message
from messaging.outbound import receipts
from messaging.stream import writing
from threads.models import Contact

log = logging.getLogger(__name__)

FIRST_WAIT = timedelta(minutes=3)
# About a day in all; after that an agent decides.
RETRY_WAITS = (
    timedelta(minutes=12),
    timedelta(minutes=45),
    timedelta(hours=5),
    timedelta(hours=18),
)

MAX_TRIES = len(RETRY_WAITS) + 1

# By how much the carrier's clock may differ from ours, its delay in recording a text included.
# Shorter than FIRST_WAIT, so that a text sent during a look-up cannot be mistaken for this one.
CLOCK_TOLERANCE = timedelta(minutes=2)

BUSY_WAIT = timedelta(minutes=1)
MAX_AGE = timedelta(days=3)
ROUND_SIZE = 20
ROUND_SECONDS = 40.0

# After so many look-ups without an answer, an account is left for a later round.
MAX_UNANSWERED = 3

ARRIVED = (DeliveryState.SENT, DeliveryState.DELIVERED)

NOT_LISTED_REASON = (
    "The carrier has no record of this text, so it probably wasn't sent. Retry if it's still "
    "needed: if it was sent after all, they get it twice."
)


def look_up_unknowns() -> int:
    """Look up the due attempts, within a round's limits; return how many were settled."""
    until = time.monotonic() + ROUND_SECONDS
    unanswered: Counter[int] = Counter()
    settled = 0
    for attempt in list(_due_attempts(timezone.now())[:ROUND_SIZE]):
        if time.monotonic() > until:
            break
        if unanswered[attempt.account_id] >= MAX_UNANSWERED or not _claim_look_up(attempt):
            continue
        try:
            result = _ask_carrier(attempt)
            settled += _apply_result(attempt, result)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # the other attempts still get their turn
            log.exception("Attempt %s could not be looked up.", attempt.pk)
            continue
        if not isinstance(result, results.Found | results.NotFound):
            unanswered[attempt.account_id] += 1
            if unanswered[attempt.account_id] == MAX_UNANSWERED:
                _postpone_account(attempt.account_id)
    return settled


def _apply_result(attempt: Attempt, result: results.LookUpResult) -> bool:
    """Return True if the carrier's answer settled the attempt."""
    if isinstance(result, results.Found):
        return _settle_attempt(attempt, result.receipt)
    if isinstance(result, results.NotFound):
        _report_not_found(attempt)
    else:
        log.warning("Attempt %s: %s", attempt.pk, result.detail)
    return False


def _postpone_account(account_id: int) -> None:
    """Postpone the account's due attempts, which would otherwise fill the next round too."""
    now = timezone.now()
    _due_attempts(now).filter(account=account_id).update(look_up_at=now + BUSY_WAIT)


def _due_attempts(now: datetime) -> QuerySet[Attempt]:
    """Return the attempts that it is time to look up.

    An attempt with a carrier's id is left out: its carrier has already said that it cannot tell.
    """
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
    """Record the look-up before it is made, so that a crash costs one try and no more.

    Return False if another worker has claimed it, or while a text is being sent that could be
    mistaken for this one.
    """
    unclaimed = Attempt.objects.filter(pk=attempt.pk, look_ups=attempt.look_ups)
    if _attempts_to_same_contact(attempt).filter(state=DeliveryState.SENDING).exists():
        unclaimed.update(look_up_at=timezone.now() + BUSY_WAIT)
        return False
    next_at = timezone.now() + RETRY_WAITS[min(attempt.look_ups, len(RETRY_WAITS) - 1)]
    attempt.look_ups += 1
    return bool(unclaimed.update(look_ups=F("look_ups") + 1, look_up_at=next_at))


def _attempts_to_same_contact(attempt: Attempt) -> QuerySet[Attempt]:
    """Return other attempts of the account to the same address, in any inbox, that are as new."""
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
    """Return the latest time at which the carrier may have received the text.

    `settled_at` is too late for an attempt that a dead worker left open. A call lasts at most four
    times CARRIER_TIMEOUT: for a free connection, for connecting, for writing and for reading.
    """
    longest = timedelta(seconds=4 * settings.CARRIER_TIMEOUT)
    return min(attempt.settled_at or attempt.started_at, attempt.started_at + longest)


def _ask_carrier(attempt: Attempt) -> results.LookUpResult:
    """Ask the carrier; the database connection is released during the call."""
    account, query = attempt.account, _look_up_query(attempt)
    try:
        credentials = account.get_credentials()
    except encryption.UndecryptableError:
        return results.AuthFailed("the account's secret cannot be decrypted")
    release_connection()
    with http.new_client() as client:
        return account.adapter.look_up(query, credentials, client)


@transaction.atomic
def _settle_attempt(attempt: Attempt, receipt: events.Receipt) -> bool:
    """Settle the attempt; return False if the found text belongs to another attempt by now."""
    writing.lock_carrier_message(attempt.account_id, receipt.carrier_message_id)
    seq = counters.next_inbox_seq(attempt.message.inbox_id)
    holders = Attempt.objects.filter(
        account=attempt.account_id, carrier_message_id=receipt.carrier_message_id
    )
    if holders.exclude(pk=attempt.pk).exists():
        return False
    writing.reload_attempt(attempt)
    receipts.pair_attempt(attempt, seq=seq, receipt=receipt)
    return True


@transaction.atomic
def _report_not_found(attempt: Attempt) -> None:
    """Tell the agent who has to decide that the carrier does not list the text.

    Does nothing after the first try, since the carrier's list may lag, nor where another attempt
    has sent the text.
    """
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
