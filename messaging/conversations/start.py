"""The start of a conversation: the inboxes to choose from, and what is known of the number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inboxes.models import Agent, Inbox
from messaging.models import Number, OptOut
from messaging.stream.refusals import opt_out_sentence
from threads import addresses, words
from threads.models import Contact, Thread

SUGGESTIONS = 6
FEWEST_LETTERS = 2
FEWEST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class InboxChoices:
    """Hold the inboxes that the agent may send from.

    Their own line comes first if it has a number, then the shared inboxes by name.
    """

    inboxes: Sequence[Inbox]
    agent: Agent

    @property
    def choices(self) -> list[tuple[int, str]]:
        return [
            (inbox.pk, self.agent.display_name if inbox.is_personal else inbox.name)
            for inbox in self.inboxes
        ]

    @property
    def default_id(self) -> int | None:
        """Return the agent's own line, else the only inbox; with several of them the agent
        chooses."""
        if self.inboxes and (self.inboxes[0].is_personal or len(self.inboxes) == 1):
            return self.inboxes[0].pk
        return None

    @property
    def limits(self) -> dict[int, int]:
        """Return how many characters a text from each inbox may have, by the inbox's key."""
        numbers = Number.objects.filter(inbox__in=self.inboxes).select_related("account")
        return {number.inbox_id: number.longest_text for number in numbers if number.inbox_id}

    def find(self, inbox_id: int | None) -> Inbox | None:
        return next((inbox for inbox in self.inboxes if inbox.pk == inbox_id), None)


def inbox_choices_for(agent: Agent) -> InboxChoices:
    visible = Inbox.objects.visible_to(agent)
    lines = visible.filter(owner=agent, number__isnull=False)
    return InboxChoices([*lines, *visible.shared().order_by("name", "pk")], agent)


@dataclass(frozen=True, slots=True)
class OtherConversation:
    """Hold a conversation with the same contact that the agent may see."""

    thread: Thread
    is_joined: bool  # True if the text would join it
    inbox_label: str

    @property
    def sentence(self) -> str:
        """Return the sentence before the link to the conversation."""
        if self.is_joined:
            return (
                f"{self.inbox_label} already has a conversation with this number. Your text joins"
            )
        return f"{self.inbox_label} also texts with this number:"

    @property
    def link_words(self) -> str:
        return "that conversation" if self.is_joined else "open that conversation"


@dataclass(frozen=True, slots=True)
class NumberInfo:
    """Hold what `messaging/start/_about_number.html` says about the number in *To*."""

    address: str = ""
    name: str = ""
    named_in: str = ""  # The inbox that knows the name, if it is not the one to text from
    is_landline: bool = False
    refusal: str = ""  # Why they get no text: blocked, or opted out
    others: Sequence[OtherConversation] = ()
    suggestions: Sequence[Contact] = field(default=())


def describe_number(inbox_choices: InboxChoices, inbox: Inbox | None, typed: str) -> NumberInfo:
    """Return what is known of a number. `typed` may be a part of a number or of a name."""
    ids = [inbox.pk for inbox in inbox_choices.inboxes]
    address, kind = addresses.normalise_address(typed)
    threads = Thread.objects.filter(inbox__in=ids, contact__address=address)
    found = list(threads.select_related("contact", "inbox").order_by("inbox__name", "pk"))
    if not found:
        try:
            address = addresses.parse_typed_number(typed)
        except addresses.InvalidNumber:
            return NumberInfo(suggestions=suggest_contacts(ids, typed))
    labels = dict(inbox_choices.choices)
    name, named_in = _find_name(inbox, address, labels)
    return NumberInfo(
        address=address,
        name=name,
        named_in=named_in,
        is_landline=kind == "phone" and addresses.is_landline(address),
        refusal=_block_sentence(inbox, address, inbox_choices.agent)
        or _opt_out_sentence(inbox, address),
        others=[
            OtherConversation(
                thread, inbox is not None and thread.inbox_id == inbox.pk, labels[thread.inbox_id]
            )
            for thread in found
        ],
    )


def suggest_contacts(inbox_ids: Sequence[int], typed: str) -> list[Contact]:
    """Return known contacts, each number once, by beginnings of words or by a run of digits."""
    digits = "".join(c for c in typed if c in "0123456789")
    letters = [word for word in words.split_words(typed) if not word.isdigit()]
    if len("".join(letters)) >= FEWEST_LETTERS:
        asked = letters
    elif not letters and len(digits) >= FEWEST_DIGITS:
        asked = words.digit_triples(digits)
    else:
        return []
    contacts = Contact.objects.exclude(kind=Contact.Kind.NAME).extra(
        where=["threads_contact.words @@ %s::tsquery"],
        params=[words.build_tsquery(inbox_ids, asked)],
    )
    if asked is not letters:
        contacts = contacts.filter(address__contains=digits)
    found: dict[str, Contact] = {}
    for contact in contacts.order_by("-pk")[: SUGGESTIONS * 4]:
        if contact.address not in found or not found[contact.address].name:
            found[contact.address] = contact
    return list(found.values())[:SUGGESTIONS]


def _find_name(inbox: Inbox | None, address: str, labels: Mapping[int, str]) -> tuple[str, str]:
    """Return the contact's name, and which other inbox knows it if the chosen one doesn't."""
    named = Contact.objects.filter(inbox__in=labels, address=address).exclude(name="")
    names = dict(named.order_by("pk").values_list("inbox_id", "name"))
    if inbox is not None and inbox.pk in names:
        return names[inbox.pk], ""
    return next(((name, labels[key]) for key, name in names.items()), ("", ""))


def _block_sentence(inbox: Inbox | None, address: str, agent: Agent) -> str:
    contacts = Contact.objects.filter(inbox=inbox, address=address, blocked_at__isnull=False)
    contact = contacts.select_related("blocked_by").first() if inbox is not None else None
    if contact is None or contact.blocked_by is None:
        return ""
    who = "You" if contact.blocked_by == agent else contact.blocked_by.display_name
    return f"{who} blocked this contact. Unblock them to text them."


def _opt_out_sentence(inbox: Inbox | None, address: str) -> str:
    number = Number.objects.filter(inbox=inbox).first() if inbox is not None else None
    if number is None:
        return ""
    current = OptOut.objects.current().between(number.address, address)
    row = current.select_related("recorded_by").first()
    return opt_out_sentence(row, number.inbox_id) if row is not None else ""
