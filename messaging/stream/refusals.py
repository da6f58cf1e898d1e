"""Say why a thread takes no text now, in the sentence that the composer shows."""

from __future__ import annotations

from collections.abc import Iterable

from inboxes.times import TimedSentence
from messaging.models import Number, OptOut
from threads import addresses
from threads.models import Thread


def find_refusal(thread: Thread) -> str:
    """Return why no text may be sent, or an empty string."""
    return find_refusals([thread])[thread.pk]


def number_or_refusal(thread: Thread) -> tuple[Number | None, str]:
    """Return the number that the thread's texts leave from, or None and the refusal."""
    number, sentence = _numbers_and_refusals([thread])[thread.pk]
    return (None if sentence else number), sentence


def find_refusals(several: Iterable[Thread]) -> dict[int, str]:
    """Return the refusals by thread key, with two queries for all threads."""
    return {key: sentence for key, (_, sentence) in _numbers_and_refusals(several).items()}


def _numbers_and_refusals(several: Iterable[Thread]) -> dict[int, tuple[Number | None, str]]:
    threads = list(several)
    inboxes = {thread.inbox_id for thread in threads}
    numbers = {
        number.inbox_id: number
        for number in Number.objects.select_related("account").filter(inbox__in=inboxes)
    }
    opt_outs = {
        (opt_out.our_address, opt_out.address): opt_out
        for opt_out in OptOut.objects.filter(
            our_address__in={thread.our_address for thread in threads},
            address__in={thread.contact.address for thread in threads},
            ended_at=None,
        )
    }
    found = {}
    for thread in threads:
        number = numbers.get(thread.inbox_id)
        opt_out = opt_outs.get((thread.our_address, thread.contact.address))
        found[thread.pk] = number, _refusal_sentence(thread, number, opt_out)
    return found


def _refusal_sentence(thread: Thread, number: Number | None, opt_out: OptOut | None) -> str:
    if not thread.contact.can_receive:
        return (
            f"{thread.contact.display} is a name, not a number: "
            "such senders cannot be answered by text."
        )
    if number is None or number.address != thread.our_address:
        return (
            f"{addresses.format_address(thread.our_address)} no longer belongs to this inbox, so"
            " this conversation cannot go on here. It stays readable."
        )
    if not number.account.is_on:
        ours = addresses.format_address(thread.our_address)
        return f"The carrier account of {ours} is switched off. Ask an administrator."
    return opt_out_sentence(opt_out) if opt_out is not None else ""


def too_long_sentence(body: str, number: Number) -> str:
    """Return why the number's carrier would not take the text; empty if it is short enough."""
    if len(body) <= number.longest_text:
        return ""
    return (
        f"This is too long: this number's carrier takes at most {number.longest_text} characters "
        f"in a text, and this one has {len(body)}."
    )


def opt_out_sentence(opt_out: OptOut) -> TimedSentence:
    """Say who opted out, how it ends, and in HTML also when."""
    theirs, ours = (
        addresses.format_address(opt_out.address),
        addresses.format_address(opt_out.our_address),
    )
    how = {
        OptOut.Source.KEYWORD: "",
        OptOut.Source.CARRIER: ", as the carrier told us",
        OptOut.Source.ADMINISTRATOR: ", as an administrator noted",
    }[OptOut.Source(opt_out.source)]
    return TimedSentence(
        f"{theirs} opted out of texts from {ours}",
        opt_out.since,
        f"{how}. You can write to them again once they text START.",
    )
