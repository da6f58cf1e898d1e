"""Compare the carrier's list of inbound texts with ours, and store those that are missing.

Some carriers do not repeat a webhook that failed. A text that is found joins its thread at the
carrier's time and is marked as late (docs/decisions/0014-unknowns-and-late-texts.md).
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from inboxes import encryption
from inboxes.database import release_connection
from messaging.carriers import CARRIERS, events, http, results
from messaging.inbound.receiving import store_late_text
from messaging.models import Comparison, Message, Number

log = logging.getLogger(__name__)

INTERVAL = timedelta(minutes=10)
CHARGED_INTERVAL = timedelta(days=1)

# The webhook of a younger text may still be on its way.
WEBHOOK_GRACE = timedelta(minutes=5)

# Every comparison covers so much again, since carriers' lists lag: Telnyx's by up to four hours.
OVERLAP = timedelta(hours=6)

# The span of a number's first comparison, and of one after a long interruption.
FIRST_SPAN = timedelta(days=1)
MAX_SPAN = timedelta(days=7)

BROKEN_OFF = "it broke off by a fault inside Partyline, which the log tells"

ROUND_SIZE = 20
ROUND_SECONDS = 120.0


def compare_numbers() -> int:
    """Compare the due numbers, within a round's limits; return how many texts were found."""
    until = time.monotonic() + ROUND_SECONDS
    found = 0
    for number in list(_due_numbers(timezone.now())[:ROUND_SIZE]):
        if time.monotonic() > until:
            break
        try:
            found += compare_number(number)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # the other numbers still get their turn
            log.exception("The texts to number %s could not be compared.", number.pk)
            Comparison.objects.filter(number=number).update(trouble=BROKEN_OFF)
    return found


def _due_numbers(now: datetime) -> QuerySet[Number]:
    charges_by_carrier = {
        name: carrier.capabilities.charges_for_lists
        for name, carrier in CARRIERS.items()
        if carrier.capabilities.can_list_inbound
    }
    free = [name for name, charges in charges_by_carrier.items() if not charges]
    return (
        Number.objects.filter(
            Q(comparison=None)
            | Q(comparison__tried_at__lte=now - CHARGED_INTERVAL)
            | Q(comparison__tried_at__lte=now - INTERVAL, account__carrier__in=free),
            account__is_active=True,
            account__carrier__in=charges_by_carrier,
        )
        .select_related("account", "comparison")
        .order_by(F("comparison__tried_at").asc(nulls_first=True), "pk")
    )


def compare_number(number: Number) -> int:
    """Store the number's texts that only the carrier has; return how many there were.

    The attempt is recorded first, so that a number that fails does not keep the others waiting.
    """
    started = timezone.now()
    comparison, _ = Comparison.objects.update_or_create(
        number=number, defaults={"tried_at": started}
    )
    since = _compared_since(number, comparison, started)
    result = _fetch_list(number, since)
    if not isinstance(result, results.Listed):
        log.warning("The texts to number %s could not be compared: %s", number.pk, result.detail)
        _update_comparison(comparison, trouble=result.detail[:255])
        return 0
    found = [_store_if_missing(text, number, started) for text in result.texts].count(True)
    if found:
        log.warning("%s texts to number %s had come by no webhook.", found, number.pk)
    _update_comparison(
        comparison,
        upto=started - WEBHOOK_GRACE if result.is_all else comparison.upto or since,
        found_count=comparison.found_count + found,
        trouble="" if result.is_all else "its list could not be read as a whole",
    )
    return found


def _compared_since(number: Number, comparison: Comparison, now: datetime) -> datetime:
    """Return where the comparison starts, never before the number was ours."""
    reached = comparison.upto - OVERLAP if comparison.upto else now - FIRST_SPAN
    return max(reached, now - MAX_SPAN, number.created_at)


def _fetch_list(number: Number, since: datetime) -> results.ListResult:
    """Ask the carrier for its list; the database connection is released during the call."""
    account, known = number.account, _known_ids(number, since)
    try:
        credentials = account.get_credentials()
    except encryption.UndecryptableError:
        return results.AuthFailed("the account's secret cannot be decrypted")
    release_connection()
    with http.new_client() as client:
        return account.adapter.list_inbound(number.address, since, known, credentials, client)


def _known_ids(number: Number, since: datetime) -> frozenset[str]:
    """Return the carrier's ids of the texts that we have.

    Texts of any account count, since an administrator may have entered the same one anew. Only
    threads with recent messages are searched.
    """
    stored = Message.objects.filter(
        inbox=number.inbox_id,
        thread__inbox=number.inbox_id,
        thread__last_at__gte=since - OVERLAP,
        kind=Message.Kind.INBOUND,
        created_at__gte=since - OVERLAP,
    )
    return frozenset(stored.values_list("carrier_message_id", flat=True))


def _store_if_missing(text: events.InboundText, number: Number, now: datetime) -> bool:
    if text.sent_at is not None and text.sent_at > now - WEBHOOK_GRACE:
        return False
    return store_late_text(text, account=number.account, arrived_at=text.sent_at or now)


def _update_comparison(comparison: Comparison, **columns: object) -> None:
    Comparison.objects.filter(pk=comparison.pk).update(**columns)
