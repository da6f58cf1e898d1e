"""Say why a thread takes no text now, in the sentence that the composer shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from inboxes.times import TimedSentence
from messaging.models import Message, Number, OptOut
from messaging.stream import statements
from threads import addresses
from threads.models import Thread

_BLOCKED = ". Their texts are kept here, and nobody is told of them."
OUTDATED_CONFIRMATION = (
    "This wasn't sent, because the opt-out that it confirms had ended before it could leave."
)


def find_refusal(thread: Thread) -> str:
    """Return why no text may be sent, or an empty string."""
    return find_refusals([thread])[thread.pk]


@dataclass(frozen=True, slots=True)
class Block:
    """Hold who blocked a contact, and when."""

    agent_id: int
    name: str
    at: datetime

    def sentence(self, viewer_id: int | None = None, *, after: str = _BLOCKED) -> TimedSentence:
        """Tell it; a viewer who did it reads "You". Without a viewer it is for everybody."""
        who = "You" if viewer_id == self.agent_id else self.name
        return TimedSentence(f"{who} blocked this contact", self.at, after)


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold what a thread's texts leave from, and what keeps them back."""

    number: Number | None
    refusal: str = ""
    opt_out: OptOut | None = None
    block: Block | None = None

    def refusal_for(self, viewer_id: int) -> str:
        """Return the refusal as an agent reads it: `refusal` is the same for all."""
        return self.block.sentence(viewer_id) if self.block else self.refusal


def find_standing(thread: Thread) -> Standing:
    """Return whether the thread takes texts, and why not."""
    return find_standings([thread])[thread.pk]


def number_or_refusal(
    thread: Thread, *, message: Message | None = None
) -> tuple[Number | None, str]:
    """Return the number that the thread's texts leave from, or None and the refusal.

    With a message, its number: an opt-out lets its own confirmation pass, and nothing else. Once
    that opt-out has ended, nothing lets the confirmation pass.
    """
    standing = find_standings([thread], message)[thread.pk]
    refusal = standing.refusal
    if not refusal and message is not None and _confirms_ended_opt_out(message):
        refusal = OUTDATED_CONFIRMATION
    return (None if refusal else standing.number), refusal


def _confirms_ended_opt_out(message: Message) -> bool:
    confirmed = OptOut.objects.confirmed_by([message])
    return bool(confirmed) and not any(one.lets_pass(message) for one in confirmed)


def find_refusals(several: Iterable[Thread]) -> dict[int, str]:
    """Return the refusals by thread key, with three queries for all threads."""
    return {key: standing.refusal for key, standing in find_standings(several).items()}


def find_opt_outs(
    threads: Collection[Thread], message: Message | None = None
) -> dict[int, OptOut]:
    """Return the opt-out that keeps texts back, by thread key; one query for all threads.

    With a message, what keeps that one back: all of the current ones are asked.
    """
    ours = {thread.our_address for thread in threads}
    theirs = {thread.contact.address for thread in threads}
    current = (
        OptOut.objects.current()
        .filter(Q(our_address__in=ours) | Q(is_for_all=True), address__in=theirs)
        .select_related("recorded_by")
        .order_by("-since")
    )
    rows = [row for row in current if not row.lets_pass(message)]
    narrow = {(row.our_address, row.address): row for row in rows}
    wide = {row.address: row for row in rows if row.is_for_all}
    found = {}
    for thread in threads:
        address = thread.contact.address
        row = narrow.get((thread.our_address, address)) or wide.get(address)
        if row is not None:
            found[thread.pk] = row
    return found


def find_standings(
    several: Iterable[Thread], message: Message | None = None
) -> dict[int, Standing]:
    """Return the same for several threads, by their keys, with two queries for all of them."""
    threads = list(several)
    inboxes = {thread.inbox_id for thread in threads}
    numbers = {
        number.inbox_id: number
        for number in Number.objects.select_related("account").filter(inbox__in=inboxes)
    }
    opt_outs = find_opt_outs(threads, message)
    blocks = _find_blocks([thread.contact_id for thread in threads])
    found = {}
    for thread in threads:
        number, opt_out = numbers.get(thread.inbox_id), opt_outs.get(thread.pk)
        block = blocks.get(thread.contact_id)
        sentence = block.sentence() if block else _refusal_sentence(thread, number, opt_out)
        found[thread.pk] = Standing(number, sentence, opt_out, block)
    return found


def _find_blocks(contact_ids: list[int]) -> dict[int, Block]:
    """Return who blocked which of the contacts, by contact key.

    They are read anew: a thread may have been read before its contact was blocked.
    """
    rows = statements.fetch_rows(statements.FIND_BLOCKS, [contact_ids])
    return {contact_id: Block(*values) for contact_id, *values in rows}


def _refusal_sentence(thread: Thread, number: Number | None, opt_out: OptOut | None) -> str:
    if not thread.contact.can_receive:
        return (
            f"{thread.contact.display} is a sender name, not a number, so you can't reply by text."
        )
    if number is None or number.address != thread.our_address:
        return (
            f"{addresses.format_address(thread.our_address)} no longer belongs to this inbox, "
            "so you can't send texts here. You can still read everything."
        )
    if not number.account.is_on:
        ours = addresses.format_address(thread.our_address)
        return f"The carrier account for {ours} is turned off. Ask an administrator."
    return opt_out_sentence(opt_out, thread.inbox_id) if opt_out is not None else ""


def composer_key(thread: Thread, refusal: str) -> str:
    """Return what the composer depends on; an open page draws it anew when this changes."""
    return f"{refusal}{' (group)' if thread.is_to_group else ''}"


def too_long_sentence(body: str, number: Number) -> str:
    """Return why the number's carrier would not take the text; empty if it is short enough."""
    if len(body) <= number.longest_text:
        return ""
    return (
        f"This is too long: this number's carrier takes at most {number.longest_text} characters "
        f"in a text, and this one has {len(body)}."
    )


def opt_out_sentence(opt_out: OptOut, inbox_id: int | None) -> TimedSentence:
    """Say who opted out, how it ends, and in HTML also when.

    Members of the inbox read it: colleagues who recorded it in another one are not named.
    """
    theirs = addresses.format_address(opt_out.address)
    ours = (
        "all our numbers" if opt_out.is_for_all else addresses.format_address(opt_out.our_address)
    )
    return TimedSentence(
        f"{theirs} opted out of texts from {ours}",
        opt_out.since,
        f"{_source_words(opt_out, inbox_id)}. You can write to them again once they text START.",
    )


def _source_words(opt_out: OptOut, inbox_id: int | None) -> str:
    if opt_out.source == OptOut.Source.CARRIER:
        return ", as the carrier told us"
    by = opt_out.recorded_by
    if by is not None and inbox_id is not None and opt_out.recorded_in_id == inbox_id:
        return f", as {by.display_name} recorded"
    if opt_out.source == OptOut.Source.ADMINISTRATOR:
        return ", as an administrator recorded"
    return ", as a colleague recorded" if by is not None else ""
