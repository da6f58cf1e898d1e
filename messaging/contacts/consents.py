"""Record that a contact agreed to get texts, and that they do so no more.

The record is proof, so a consent that ends is kept.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db import transaction
from django.utils import timezone

from inboxes import bell, times
from inboxes.models import Agent
from messaging.work.labels import take_counter
from threads import activity
from threads.models import Activity, Consent, Contact, Thread


class InTheFuture(ValueError):
    """Raised for a day that has not come yet."""


def moment_of_day(day: date) -> datetime:
    """Return the moment by which a consent keeps its day: noon in UTC.

    It is a day of the calendar and moves with no time zone. `day_of` reads it back.
    """
    return datetime.combine(day, time(12), UTC)


def day_of(consent: Consent) -> date:
    return consent.given_at.astimezone(UTC).date()


@transaction.atomic
def record_consent(
    *, contact: Contact, how: Consent.How, words: str, given_on: date, by: Agent
) -> Consent:
    """Record how, when and in what words a contact agreed to get texts from their inbox.

    `given_on` is a day in the agent's own time zone. Raises InTheFuture, and Http404 if
    they have left the inbox.
    """
    if given_on > timezone.localdate():
        raise InTheFuture
    seq = take_counter(contact.inbox_id, by)
    consent = Consent.objects.create(
        contact=contact,
        how=how,
        words=words,
        given_at=moment_of_day(given_on),
        recorded_by=by,
    )
    _show_change(contact, by, seq, {"how": str(how)})
    return consent


@transaction.atomic
def end_consent(*, consent: Consent, by: Agent) -> bool:
    """Note that a consent counts no more; return False if it had ended before.

    Raises Http404 if the agent has left the inbox.
    """
    contact = consent.contact
    seq = take_counter(contact.inbox_id, by)
    current = Consent.objects.filter(pk=consent.pk, ended_at=None)
    if not current.update(ended_at=timezone.now(), ended_by=by):
        return False
    _show_change(contact, by, seq, {"how": consent.how, "has_ended": True})
    return True


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """Hold what the page of a contact's consents tells of one."""

    consent: Consent

    @property
    def day(self) -> str:
        """Return the day in ISO 8601."""
        return day_of(self.consent).isoformat()

    @property
    def day_words(self) -> str:
        return times.format_day(day_of(self.consent))


def list_consents(contact: Contact) -> list[ConsentLine]:
    """Return all consents of a contact, also those that ended, newest first."""
    rows = Consent.objects.filter(contact=contact).select_related("recorded_by", "ended_by")
    return [ConsentLine(one) for one in rows.order_by("-given_at", "-pk")]


def find_consents(contact_ids: Collection[int]) -> dict[int, Consent]:
    """Return the newest consent that counts, by contact; one query."""
    rows = Consent.objects.filter(contact__in=contact_ids, ended_at=None)
    # The oldest first, so that the newest one stays.
    ordered = rows.select_related("recorded_by").order_by("given_at", "pk")
    return {one.contact_id: one for one in ordered}


def _show_change(contact: Contact, by: Agent, seq: int, details: dict[str, object]) -> None:
    threads = Thread.objects.filter(contact=contact)
    if keys := list(threads.values_list("pk", flat=True)):
        threads.update(seq=seq)
        activity.record(
            thread_ids=keys,
            inbox_id=contact.inbox_id,
            actor=by,
            kind=Activity.Kind.CONSENT,
            details=details,
            seq=seq,
        )
    bell.ring_inbox(contact.inbox_id, seq)
