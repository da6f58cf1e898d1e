"""Write the contacts of inboxes as a CSV file, which can be imported again."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, tzinfo

from django.utils import timezone

from inboxes.models import Agent, Inbox
from inboxes.models.inboxes import InboxQuerySet
from messaging.contacts import cells
from messaging.contacts.consents import day_of
from messaging.contacts.filters import Scope
from messaging.contacts.imports.merging import opted_out
from messaging.contacts.queries import fulfilling
from messaging.models import Message, Number
from threads.models import Consent, Contact, Label, Thread

log = logging.getLogger(__name__)

BATCH = 1_000  # contacts

# As an import guesses them; it leaves the last four out.
HEADERS = (
    "Name",
    "Number",
    "Company",
    "E-mail",
    "Reference",
    "Note",
    "Time zone",
    "Opt-out",
    "Consent",
    "Consent date",
    "Labels",
    "Inbox",
    "Blocked",
    "Last text",
)


def exportable_inboxes(agent: Agent) -> InboxQuerySet:
    """Return the agent's inboxes whose contacts they may export."""
    visible = Inbox.objects.visible_to(agent)
    return visible if agent.is_staff else visible.filter(members_export_contacts=True)


def write_contacts(
    inboxes: Collection[Inbox], *, by: Agent, scope: Scope | None = None
) -> Iterator[str]:
    """Yield the lines of the file in parts, each of which is read when it is needed.

    With a scope it has those contacts alone that fulfil its filter. Its times are in the time zone
    that the reader has now; later, the request is over.
    """
    return _write(inboxes, by, scope, timezone.get_current_timezone())


def _write(
    inboxes: Collection[Inbox], by: Agent, scope: Scope | None, zone: tzinfo
) -> Iterator[str]:
    keys = [inbox.pk for inbox in inboxes]
    log.info("Agent %s exports the contacts of inboxes %s.", by.pk, keys)
    yield cells.BYTE_ORDER_MARK + cells.write_rows([HEADERS])
    count = 0
    for inbox in inboxes:
        for batch in _batches(inbox, scope):
            count += len(batch)
            yield cells.write_rows(_rows(inbox, batch, zone))
    log.info("Agent %s exported %s contacts of inboxes %s.", by.pk, count, keys)


def _batches(inbox: Inbox, scope: Scope | None) -> Iterator[list[Contact]]:
    """Yield the inbox's contacts by the index of their addresses."""
    last = ""
    contacts = Contact.objects.filter(inbox=inbox).order_by("address")
    while examined := list(contacts.filter(address__gt=last).values_list("pk", "address")[:BATCH]):
        last = examined[-1][1]
        keys = [key for key, _ in examined]
        kept = keys if scope is None else fulfilling(scope, keys)
        if kept:
            yield list(contacts.filter(pk__in=kept).defer("words"))


def _rows(inbox: Inbox, contacts: Sequence[Contact], zone: tzinfo) -> Iterator[list[str]]:
    keys = [contact.pk for contact in contacts]
    our_number = Number.objects.filter(inbox=inbox).values_list("address", flat=True).first()
    out = opted_out(our_number or "", [contact.address for contact in contacts])
    given = Consent.objects.filter(contact__in=keys, ended_at=None).order_by("given_at")
    consents = {consent.contact_id: consent for consent in given}
    found = Thread.objects.filter(contact__in=keys).defer("words")
    threads = {thread.contact_id: thread for thread in found}
    texts = Message.objects.filter(pk__in=[thread.last_text_id for thread in found])
    texted_at = dict(texts.values_list("pk", "created_at"))
    labels = dict(Label.objects.filter(inbox=inbox, deleted_at=None).values_list("pk", "name"))
    for contact in contacts:
        consent, thread = consents.get(contact.pk), threads.get(contact.pk)
        named = sorted(
            labels[key] for key in (thread.label_ids if thread else ()) if key in labels
        )
        yield [
            contact.name,
            cells.format_number(contact.address),
            contact.company,
            contact.email,
            contact.reference,
            contact.note,
            contact.time_zone,
            "Yes" if contact.address in out else "No",
            (consent.words or "Yes") if consent else "",
            day_of(consent).isoformat() if consent else "",
            ", ".join(named),
            inbox.name,
            "Yes" if contact.blocked_at else "No",
            _moment(texted_at.get(thread.last_text_id) if thread else None, zone),
        ]


def _moment(at: datetime | None, zone: tzinfo) -> str:
    return f"{timezone.localtime(at, zone):%Y-%m-%d %H:%M}" if at else ""
