"""The name and note that the members of an inbox keep about a contact."""

from __future__ import annotations

from django.db import transaction

from inboxes import bell, counters
from threads import words
from threads.models import Contact, Thread


class ChangedMeanwhile(Exception):
    """Raised when a colleague changed the name or note since the form was opened."""

    def __init__(self, contact: Contact) -> None:
        super().__init__(contact)
        self.contact = contact


@transaction.atomic
def describe_contact(
    *, thread: Thread, name: str, note: str, known: tuple[str, str] | None = None
) -> Contact:
    """Write the name and the note of the thread's contact; all members see them at once.

    `known` is the name and the note that the form was opened with. Raises ChangedMeanwhile if they
    have changed since and would be lost.
    """
    seq = counters.next_inbox_seq(thread.inbox_id)
    contact = Contact.objects.get(pk=thread.contact_id)
    now = contact.name, contact.note
    if now == (name, note):
        return contact
    if known is not None and now != known:
        raise ChangedMeanwhile(contact)
    contact.name, contact.note = name, note
    contact.words = words.build_tsvector(
        contact.inbox_id, [*words.split_words(name), *words.digit_triples(contact.address)]
    )
    contact.save(update_fields=["name", "note", "words"])
    Thread.objects.filter(pk=thread.pk).update(seq=seq)
    bell.ring_inbox(thread.inbox_id, seq)
    return contact
