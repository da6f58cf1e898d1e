"""Describe contacts: the one core of forms, imports and contact cards."""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields, replace

from django.db import transaction

from inboxes import bell
from inboxes.models import Agent
from messaging.work.labels import take_counter
from threads import addresses
from threads.models import Contact, Thread

log = logging.getLogger(__name__)

PHONE: addresses.AddressKind = "phone"


class ChangedMeanwhile(Exception):
    """Raised when a colleague changed what the agent changed too since the form was opened.

    `values` are the agent's, with the colleague's where the agent left them alone.
    """

    def __init__(self, contact: Contact, values: ContactValues) -> None:
        super().__init__(contact)
        self.contact = contact
        self.values = values


class ContactExists(Exception):
    """Raised when the inbox knows a contact with that address already."""

    def __init__(self, contact: Contact) -> None:
        super().__init__(contact)
        self.contact = contact


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactValues:
    """Hold all that members may write about a contact. Empty means unknown."""

    name: str = ""
    company: str = ""
    email: str = ""
    reference: str = ""
    note: str = ""
    time_zone: str = ""

    @classmethod
    def of(cls, contact: Contact) -> ContactValues:
        return cls(**{name: getattr(contact, name) for name in VALUE_NAMES})

    def filling_gaps(self, others: ContactValues) -> ContactValues:
        """Return these values, with those of the others where one is empty."""
        gaps = {name: getattr(others, name) for name in VALUE_NAMES if not getattr(self, name)}
        return replace(self, **gaps)

    def updated(self, known: ContactValues, now: ContactValues) -> ContactValues:
        """Return these values, with those of now where these are what was known before."""
        left = [name for name in VALUE_NAMES if getattr(self, name) == getattr(known, name)]
        return replace(self, **{name: getattr(now, name) for name in left})

    def write_to(self, contact: Contact) -> None:
        """Set the columns of an unsaved contact, and the words by which it is found."""
        for name in VALUE_NAMES:
            setattr(contact, name, getattr(self, name))
        contact.words = contact.build_words()


VALUE_NAMES = tuple(field.name for field in fields(ContactValues))
WRITTEN_COLUMNS = (*VALUE_NAMES, "words")


@transaction.atomic
def describe_contact(
    *,
    contact: Contact,
    values: ContactValues,
    known: ContactValues | None = None,
    by: Agent | None,
) -> Contact:
    """Write what is known of a contact; all members see it at once.

    `known` is what the form was opened with: what has changed since stays, where the form left it
    alone. Raises ChangedMeanwhile if it would be lost, and Http404 if the agent has left the
    inbox.
    """
    seq = take_counter(contact.inbox_id, by)
    current = Contact.objects.get(pk=contact.pk)
    now = ContactValues.of(current)
    if now == values:
        return current
    if known is not None and now != known:
        theirs, values = now.updated(known, values), values.updated(known, now)
        if theirs != values:  # both changed the same, each in another way
            raise ChangedMeanwhile(current, values)
        if now == values:
            return current
    values.write_to(current)
    current.save(update_fields=WRITTEN_COLUMNS)
    Thread.objects.filter(contact=current).update(seq=seq)
    bell.ring_inbox(current.inbox_id, seq)
    log.info("Contact %s was changed by agent %s.", current.pk, by.pk if by else None)
    return current


@transaction.atomic
def create_contact(
    *, inbox_id: int, address: str, values: ContactValues, by: Agent | None, raw_address: str = ""
) -> Contact:
    """Add a contact that has no conversation yet; its first text, either way, begins one.

    `raw_address` is the address as it was written. Raises ContactExists, and Http404 as above.
    """
    take_counter(inbox_id, by)
    known = Contact.objects.filter(inbox=inbox_id, address=address).first()
    if known is not None:
        raise ContactExists(known)
    contact = new_contact(inbox_id, address, values, raw_address)
    contact.save(force_insert=True)
    log.info("Contact %s was added by agent %s.", contact.pk, by.pk if by else None)
    return contact


def new_contact(
    inbox_id: int,
    address: str,
    values: ContactValues,
    raw_address: str = "",
    *,
    is_number: bool = False,
) -> Contact:
    """Return an unsaved contact without a conversation; `is_number` for a number as E.164."""
    normalised, kind = (address, PHONE) if is_number else addresses.normalise_address(address)
    contact = Contact(
        inbox_id=inbox_id,
        address=normalised,
        raw_address=(raw_address or address)[:255],
        kind=kind,
        is_unused=True,
    )
    values.write_to(contact)
    return contact
