"""Record opt-outs and their end, by keyword, by the carrier or by an administrator."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from inboxes import bell, counters
from messaging.carriers import events
from messaging.carriers.events import Keyword
from messaging.models import Attempt, DeliveryState, Message, Number, OptOut
from messaging.stream import writing
from messaging.stream.jobs import defer_delivery
from messaging.stream.keywords import find_keyword
from messaging.stream.refusals import find_refusal
from threads import addresses
from threads.models import Thread

# Between two automatic answers to one contact, lest two machines text each other for ever.
AUTOMATIC_PAUSE = timedelta(minutes=10)


def read_keyword(text: events.InboundText, *, our_address: str) -> Keyword | None:
    """Return what the text asks for: by the carrier's own word, else by its body.

    START and YES are ordinary words where there is no opt-out that they could end.
    """
    keyword = text.keyword or find_keyword(text.body)
    if keyword != "opt_in":
        return keyword
    address, _ = addresses.normalise_address(text.sender)
    is_out = OptOut.objects.filter(our_address=our_address, address=address, ended_at=None)
    return keyword if is_out.exists() else None


def apply_keyword(message: Message, keyword: Keyword, *, our_address: str) -> None:
    """Opt the contact out or in, or answer HELP. The caller holds the inbox's counter.

    A late text undoes nothing that happened after it was sent, and is not answered. A START does
    not end a STOP that was sent after it either: the carrier may repeat a START that we failed to
    acknowledge.
    """
    thread = Thread.objects.select_related("contact", "inbox").get(pk=message.thread_id)
    theirs, at = thread.contact.address, _sent_at(message)
    can_be_older = message.is_late or keyword == "opt_in"
    if can_be_older and _has_newer_change(our_address, theirs, since=at):
        return
    if keyword == "opt_out":
        _insert_opt_out(our_address, theirs, OptOut.Source.KEYWORD, at=at)
    elif keyword == "opt_in":
        _end_opt_outs(our_address, theirs, at=at)
    elif not message.is_late:
        _send_help_text(thread, message)


def record_carrier_opt_out(attempt: Attempt, *, seq: int) -> None:
    """Record the opt-out for which a carrier refused an attempt.

    The caller holds the inbox's counter. Does nothing if the contact has opted in again since the
    attempt began.
    """
    thread = Thread.objects.select_related("contact").get(pk=attempt.message.thread_id)
    pair = {"our_address": thread.our_address, "address": thread.contact.address}
    if not OptOut.objects.filter(**pair, ended_at__gt=attempt.started_at).exists():
        _insert_opt_out(thread.our_address, thread.contact.address, OptOut.Source.CARRIER)
        bell.ring_inbox(thread.inbox_id, seq)


@transaction.atomic
def record_opt_out(*, our_address: str, address: str) -> OptOut:
    """Record an opt-out that an administrator learned of; a repetition changes nothing."""
    seqs = _advance_counters(our_address, address)
    _insert_opt_out(our_address, address, OptOut.Source.ADMINISTRATOR)
    for inbox_id, seq in seqs.items():
        bell.ring_inbox(inbox_id, seq)
    return OptOut.objects.get(our_address=our_address, address=address, ended_at=None)


@transaction.atomic
def end_opt_out(*, opt_out: OptOut) -> bool:
    """End an opt-out for an administrator; return False if it had ended before."""
    seqs = _advance_counters(opt_out.our_address, opt_out.address)
    is_ended = _end_opt_outs(opt_out.our_address, opt_out.address)
    for inbox_id, seq in seqs.items():
        bell.ring_inbox(inbox_id, seq)
    return is_ended


def _sent_at(message: Message) -> datetime:
    """Return when the text was sent: by the carrier's clock if known, never in the future."""
    if message.is_late:
        return message.shown_at
    now = timezone.now()
    return min(message.carrier_sent_at or now, now)


def _insert_opt_out(
    our_address: str, address: str, source: OptOut.Source, *, at: datetime | None = None
) -> None:
    since = at or timezone.now()
    row = OptOut(our_address=our_address, address=address, source=source, since=since)
    OptOut.objects.bulk_create([row], ignore_conflicts=True)


def _end_opt_outs(our_address: str, address: str, *, at: datetime | None = None) -> bool:
    current = OptOut.objects.filter(our_address=our_address, address=address, ended_at=None)
    return bool(current.update(ended_at=at or timezone.now()))


def _has_newer_change(our_address: str, address: str, *, since: datetime) -> bool:
    changes = OptOut.objects.filter(Q(since__gt=since) | Q(ended_at__gt=since))
    return changes.filter(our_address=our_address, address=address).exists()


def _advance_counters(our_address: str, address: str) -> dict[int, int]:
    """Advance the counter of every inbox that may write to the contact from that number.

    Return the new counters by inbox.
    """
    threads = Thread.objects.filter(our_address=our_address, contact__address=address)
    numbers = Number.objects.filter(address=our_address)
    inbox_ids = {
        *threads.values_list("inbox", flat=True),
        *numbers.values_list("inbox", flat=True),
    }
    return {inbox_id: counters.next_inbox_seq(inbox_id) for inbox_id in sorted(inbox_ids)}


def _send_help_text(thread: Thread, question: Message) -> None:
    """Answer HELP with the inbox's help text, unless the carrier does or no text may be sent."""
    number = Number.objects.select_related("account").get(inbox=thread.inbox_id)
    recent = Message.objects.filter(
        thread=thread, is_automatic=True, created_at__gt=timezone.now() - AUTOMATIC_PAUSE
    )
    if (
        not thread.inbox.help_text
        or number.account.adapter.answers_help
        or find_refusal(thread)
        or recent.exists()
    ):
        return
    writing.record_message(
        writing.new_message(
            thread,
            seq=question.seq,
            kind=Message.Kind.OUTBOUND,
            is_automatic=True,
            body=thread.inbox.help_text,
            state=DeliveryState.QUEUED,
        )
    )
    defer_delivery(thread.pk)
