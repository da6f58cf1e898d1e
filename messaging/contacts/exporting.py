"""Write the contacts of inboxes as a CSV file, which can be imported again."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from datetime import tzinfo

from django.utils import timezone

from inboxes.models import Agent, Inbox
from inboxes.models.inboxes import InboxQuerySet
from messaging.contacts import cells
from messaging.contacts.consents import day_of
from messaging.contacts.imports.merging import opted_out
from messaging.models import Number
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


def write_contacts(inboxes: Collection[Inbox], *, by: Agent) -> Iterator[str]:
    """Yield the lines of the file in parts, each of which is read when it is needed.

    Its times are in the time zone that the reader has now; later, the request is over.
    """
    return _write(inboxes, by, timezone.get_current_timezone())


def _write(inboxes: Collection[Inbox], by: Agent, zone: tzinfo) -> Iterator[str]:
    keys = [inbox.pk for inbox in inboxes]
    log.info("Agent %s exports the contacts of inboxes %s.", by.pk, keys)
    yield cells.BYTE_ORDER_MARK + cells.write_rows([HEADERS])
    count = 0
    for inbox in inboxes:
        for batch in _batches(inbox):
            count += len(batch)
            yield cells.write_rows(_rows(inbox, batch, zone))
    log.info("Agent %s exported %s contacts of inboxes %s.", by.pk, count, keys)


def _batches(inbox: Inbox) -> Iterator[list[Contact]]:
    """Yield the inbox's contacts by the index of their addresses."""
    last = ""
    contacts = Contact.objects.filter(inbox=inbox).order_by("address")
    while batch := list(contacts.filter(address__gt=last)[:BATCH]):
        last = batch[-1].address
        yield batch


def _rows(inbox: Inbox, contacts: Sequence[Contact], zone: tzinfo) -> Iterator[list[str]]:
    keys = [contact.pk for contact in contacts]
    our_number = Number.objects.filter(inbox=inbox).values_list("address", flat=True).first()
    out = opted_out(our_number or "", [contact.address for contact in contacts])
    given = Consent.objects.filter(contact__in=keys, ended_at=None).order_by("given_at")
    consents = {consent.contact_id: consent for consent in given}
    threads = {thread.contact_id: thread for thread in Thread.objects.filter(contact__in=keys)}
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
            _moment(thread, zone),
        ]


def _moment(thread: Thread | None, zone: tzinfo) -> str:
    """Return when the last message was. A thread with scheduled texts alone has none yet."""
    if thread is None or thread.last_at is None or not thread.last_message_id:
        return ""
    return f"{timezone.localtime(thread.last_at, zone):%Y-%m-%d %H:%M}"
