"""Comparing the texts that came to us with the carrier's own list, and taking what is missing.

Some carriers do not repeat a webhook that failed. What is found joins its thread at the time at
which the carrier has it, marked as late (docs/decisions/0014-unknowns-and-late-texts.md).
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from inboxes.database import release_connection
from messaging import encryption
from messaging.carriers import CARRIERS, events, http, results
from messaging.inbound.receiving import receive_late
from messaging.models import Comparison, Message, Number

log = logging.getLogger(__name__)

INTERVAL = timedelta(minutes=10)
CHARGED_INTERVAL = timedelta(days=1)
WEBHOOK_GRACE = timedelta(minutes=5)
"""What is younger may still be on its way by webhook."""

OVERLAP = timedelta(hours=6)
"""Looked at again each time: carriers' lists lag, Telnyx's by up to four hours."""

FIRST_SPAN = timedelta(days=1)
MAX_SPAN = timedelta(days=7)
"""How far back the first comparison goes, and one after a long time without."""

BROKEN_OFF = "it broke off by a fault inside Partyline, which the log tells"

ROUND_SIZE = 20
ROUND_SECONDS = 120.0


def compare_numbers() -> int:
    """Compare those numbers whose turn it is, as many as a round may take; returns how many texts
    were found."""
    until = time.monotonic() + ROUND_SECONDS
    found = 0
    for number in list(_due_numbers(timezone.now())[:ROUND_SIZE]):
        if time.monotonic() > until:
            break
        try:
            found += compare_number(number)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # one number's trouble is not the others'
            log.exception("The texts to number %s could not be compared.", number.pk)
            Comparison.objects.filter(number=number).update(trouble=BROKEN_OFF)
    return found


def _due_numbers(now: datetime) -> QuerySet[Number]:
    able = {
        name: carrier.capabilities.charges_for_lists
        for name, carrier in CARRIERS.items()
        if carrier.capabilities.can_list_inbound
    }
    free = [name for name, charges in able.items() if not charges]
    return (
        Number.objects.filter(
            Q(comparison=None)
            | Q(comparison__tried_at__lte=now - CHARGED_INTERVAL)
            | Q(comparison__tried_at__lte=now - INTERVAL, account__carrier__in=free),
            account__is_active=True,
            account__carrier__in=able,
        )
        .select_related("account", "comparison")
        .order_by(F("comparison__tried_at").asc(nulls_first=True), "pk")
    )


def compare_number(number: Number) -> int:
    """Take what the carrier has of the number and we have not; returns how many texts.

    That it is tried is noted first: one that breaks off lets the others have their turn.
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
    """What came before the number was ours is nobody's here."""
    reached = comparison.upto - OVERLAP if comparison.upto else now - FIRST_SPAN
    return max(reached, now - MAX_SPAN, number.created_at)


def _fetch_list(number: Number, since: datetime) -> results.ListResult:
    """No connection to the database is kept meanwhile."""
    account, known = number.account, _known_ids(number, since)
    try:
        credentials = account.get_credentials()
    except encryption.UndecryptableError:
        return results.AuthFailed("the account's secret cannot be decrypted")
    release_connection()
    with http.new_client() as client:
        return account.adapter.list_inbound(number.address, since, known, credentials, client)


def _known_ids(number: Number, since: datetime) -> frozenset[str]:
    """The carrier's ids of what we have, by whichever account: an administrator may enter the same
    one anew. Looked for in threads that something came to."""
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
    return receive_late(text, account=number.account, came_at=text.sent_at or now)


def _update_comparison(comparison: Comparison, **columns: object) -> None:
    Comparison.objects.filter(pk=comparison.pk).update(**columns)
