"""Tell what the region *Details* shows of a contact, whether or not they have a thread."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils import timezone

from inboxes.times import TimedSentence
from messaging.contacts.consents import ConsentLine, find_consents
from messaging.contacts.opt_out_lines import RELATED, OptOutLine
from messaging.models import Number, OptOut
from messaging.stream.refusals import Block, find_opt_outs
from threads.local_times import LocalTime, read_local_time
from threads.models import Consent, Contact, Thread


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """Hold what the partials in `messaging/details/` draw of a contact.

    `thread` is None for a contact that was imported or added by hand and never texted.
    """

    contact: Contact
    thread: Thread | None
    opt_out: OptOutLine | None = None  # The one that keeps texts back now
    consent: ConsentLine | None = None  # The newest one that counts
    local_time: LocalTime | None = None
    viewer_id: int | None = None  # The viewing agent, if it was they who blocked the contact

    def for_agent(self, agent_id: int) -> ContactDetails:
        """Return the details as this agent reads them; most are the same for all."""
        is_theirs = self.contact.blocked_at and self.contact.blocked_by_id == agent_id
        return replace(self, viewer_id=agent_id) if is_theirs else self

    @property
    def can_be_texted(self) -> bool:
        return self.contact.can_receive

    @property
    def blocked(self) -> TimedSentence | str:
        """Return who blocked the contact and when; empty if nobody did."""
        contact = self.contact
        if contact.blocked_at is None or contact.blocked_by is None:
            return ""
        by = contact.blocked_by
        block = Block(by.pk, by.display_name, contact.blocked_at)
        return block.sentence(self.viewer_id, after=".")

    @property
    def opted_out_of(self) -> str:
        """Return what they get no texts from."""
        if self.opt_out and self.opt_out.opt_out.is_for_all:
            return "all our numbers"
        return self.contact.inbox.name

    @property
    def opt_out_url(self) -> str:
        if self.thread is not None:
            return reverse("messaging:opt_out", args=[self.thread.pk])
        return reverse("messaging:contact_opt_out", args=[self.contact.pk])

    @property
    def consent_url(self) -> str:
        return reverse("messaging:consents", args=[self.contact.pk])


def details_of_threads(
    threads: Collection[Thread], opt_outs: Mapping[int, OptOut]
) -> dict[int, ContactDetails]:
    """Return the details of the threads' contacts, by thread.

    `opt_outs` is what `find_opt_outs` returned for them. One query, two if somebody opted out.
    """
    if not threads:
        return {}
    loaded = _load_opt_outs([one.pk for key, one in opt_outs.items() if key in _keys(threads)])
    consents = find_consents([thread.contact_id for thread in threads])
    found = {}
    for thread in threads:
        current = opt_outs.get(thread.pk)
        opt_out = loaded.get(current.pk) if current else None
        found[thread.pk] = _build(thread.contact, thread, opt_out, consents)
    return found


def details_of_contact(contact: Contact) -> ContactDetails:
    """Return the details of a contact, who may have a thread; four queries at most."""
    thread = Thread.objects.for_rows().filter(contact=contact).first()
    if thread is not None:
        return details_of_threads([thread], find_opt_outs([thread]))[thread.pk]
    number = Number.objects.filter(inbox=contact.inbox_id).first()
    current = OptOut.objects.current().between(number.address if number else "", contact.address)
    opt_out = current.select_related(*RELATED).order_by("-since").first()
    return _build(contact, None, opt_out, find_consents([contact.pk]))


def _keys(threads: Collection[Thread]) -> set[int]:
    return {thread.pk for thread in threads}


def _load_opt_outs(keys: list[int]) -> dict[int, OptOut]:
    return OptOut.objects.select_related(*RELATED).in_bulk(keys) if keys else {}


def _build(
    contact: Contact,
    thread: Thread | None,
    opt_out: OptOut | None,
    consents: Mapping[int, Consent],
) -> ContactDetails:
    consent = consents.get(contact.pk)
    return ContactDetails(
        contact=contact,
        thread=thread,
        opt_out=OptOutLine(opt_out, contact, thread) if opt_out else None,
        consent=ConsentLine(consent) if consent else None,
        local_time=read_local_time(contact.address, contact.time_zone, timezone.now()),
    )
