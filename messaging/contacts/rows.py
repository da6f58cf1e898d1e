"""The rows of the list of contacts: one for each number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from inboxes.models import Agent, Inbox
from messaging.models import Message, Number, OptOut
from messaging.models.states import DeliveryState
from threads.models import Contact, Label, Thread

_NEVER = datetime.min.replace(tzinfo=UTC)
_NO_SUCCESS = {
    DeliveryState.FAILED: "Last text failed",
    DeliveryState.UNKNOWN: "Delivery unknown",
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Say why texts to a contact don't simply arrive; `icon` and `css` draw it."""

    label: str
    icon: str
    css: str = ""


@dataclass(frozen=True, slots=True)
class ContactRow:
    """Hold what `messaging/contacts/_row.html` draws.

    `contact` was texted last of those with its number; `contacts` are those with that number in
    the inboxes of the list, and `inboxes` names all in which the agent may see it.
    """

    contact: Contact
    contacts: Sequence[Contact]
    inboxes: str
    labels: Sequence[Label]
    obstacles: Sequence[Obstacle]

    @property
    def name(self) -> str:
        return next((one.name for one in self._by_rank if one.name), "")

    @property
    def company(self) -> str:
        return next((one.company for one in self._by_rank if one.company), "")

    @property
    def last_at(self) -> datetime | None:
        """Return when the last message was. A thread with scheduled texts alone has none yet."""
        threads = (thread_of(one) for one in self._by_rank)
        written = (one.last_at for one in threads if one is not None and one.last_message_id)
        return next(written, None)

    @property
    def _by_rank(self) -> Iterable[Contact]:
        return [self.contact, *(one for one in self.contacts if one != self.contact)]


def thread_of(contact: Contact) -> Thread | None:
    """Return the contact's thread, which was loaded with it; None if it has none."""
    thread: Thread | None = getattr(contact, "thread", None)
    return thread


def name_inbox(inbox: Inbox, agent: Agent) -> str:
    """Return what the agent calls the inbox: their own line bears their name."""
    return agent.display_name if inbox.owner_id == agent.pk else inbox.name


def build_rows(
    keys: Sequence[int],
    agent: Agent,
    inboxes: Sequence[Inbox],
    labels: Mapping[int, Label],
    *,
    within: Collection[int],
    are_latest: bool = False,
) -> list[ContactRow]:
    """Return the rows of contacts; `inboxes` and `labels` are all those of the agent.

    `within` are the inboxes of the list. With `are_latest` each number is shown by the contact
    that was texted last in these, whichever was found.
    """
    found = Contact.objects.select_related("thread").defer("words", "thread__words").in_bulk(keys)
    groups = _group(found.values(), inboxes)
    everybody = [one for group in groups.values() for one in group]
    opted_out = opted_out_contacts(everybody)
    unsuccessful = _last_texts(everybody)
    names = {inbox.pk: name_inbox(inbox, agent) for inbox in inboxes}
    rows = []
    for contact in (found[key] for key in keys if key in found):
        group = groups[contact.address]
        listed = [one for one in group if one.inbox_id in within]
        rows.append(
            ContactRow(
                listed[0] if are_latest else contact,
                listed,
                ", ".join(names[one.inbox_id] for one in group),
                _labels_on(group, labels),
                _find_obstacles(group, opted_out, unsuccessful),
            )
        )
    return rows


def _group(contacts: Iterable[Contact], inboxes: Sequence[Inbox]) -> dict[str, list[Contact]]:
    """Return all contacts with the same numbers by number, the one texted last first."""
    addresses = [contact.address for contact in contacts]
    same = Contact.objects.filter(inbox__in=[one.pk for one in inboxes], address__in=addresses)
    groups: dict[str, list[Contact]] = defaultdict(list)
    for contact in same.select_related("thread").defer("words", "thread__words"):
        groups[contact.address].append(contact)
    for group in groups.values():
        group.sort(key=_rank, reverse=True)
    return groups


def _rank(contact: Contact) -> tuple[datetime, int]:
    thread = thread_of(contact)
    return (thread and thread.last_at) or _NEVER, contact.pk


def opted_out_contacts(contacts: Collection[Contact]) -> set[int]:
    """Return the keys of those to whom the number of their inbox may not send. Two queries."""
    inbox_ids = {contact.inbox_id for contact in contacts}
    numbers = dict(Number.objects.filter(inbox__in=inbox_ids).values_list("inbox_id", "address"))
    current = OptOut.objects.current().filter(address__in={one.address for one in contacts})
    kept = defaultdict(set)
    for address, ours, is_for_all in current.values_list("address", "our_address", "is_for_all"):
        kept[address].add(None if is_for_all else ours)
    return {
        contact.pk
        for contact in contacts
        if None in kept[contact.address] or numbers.get(contact.inbox_id) in kept[contact.address]
    }


def _last_texts(contacts: Iterable[Contact]) -> dict[int, str]:
    """Return by contact what is wrong with the last text to or from it. One query."""
    threads = [thread for one in contacts if (thread := thread_of(one)) is not None]
    last = {thread.last_text_id: thread.contact_id for thread in threads if thread.last_text_id}
    texts = Message.objects.filter(pk__in=last, state__in=[*_NO_SUCCESS])
    return {
        last[pk]: _NO_SUCCESS[DeliveryState(state)]
        for pk, state in texts.values_list("pk", "state")
    }


def _labels_on(group: Iterable[Contact], labels: Mapping[int, Label]) -> list[Label]:
    """Return the labels of all conversations, each name once."""
    keys = {key for one in group if (thread := thread_of(one)) for key in thread.label_ids}
    named = {label.name.casefold(): label for key, label in labels.items() if key in keys}
    return [*named.values()]


def _find_obstacles(
    group: Sequence[Contact], opted_out: set[int], unsuccessful: Mapping[int, str]
) -> list[Obstacle]:
    found = []
    if group and group[0].pk in unsuccessful:
        found.append(Obstacle(unsuccessful[group[0].pk], "exclamation-triangle", "is-bad"))
    if any(one.pk in opted_out for one in group):
        found.append(Obstacle("Opted out", "no-symbol"))
    if any(one.blocked_at for one in group):
        found.append(Obstacle("Blocked", "no-symbol"))
    return found
