"""Who wants no texts from which of our numbers, and what a keyword changes about it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from inboxes import bell, counters
from messaging.models import Attempt, DeliveryState, Message, Number, OptOut
from messaging.stream import writing
from messaging.stream.jobs import defer_delivery
from messaging.stream.keywords import Keyword
from messaging.stream.refusals import find_refusal
from threads.models import Thread

AUTOMATIC_PAUSE = timedelta(minutes=10)
"""Between two automatic answers to one contact: two machines must not text each other for ever."""


def apply_keyword(message: Message, word: Keyword, *, our_address: str) -> None:
    """Do what a text that came in says. The caller holds the inbox's counter.

    One that was found afterwards changes nothing that happened since it was sent, and nobody
    waits for its answer any more. Nor does a START end a STOP that was sent behind it: its carrier
    may have repeated it, after we had not answered.
    """
    thread = Thread.objects.select_related("contact", "inbox").get(pk=message.thread_id)
    theirs, at = thread.contact.address, _sent_at(message)
    can_be_older = message.is_late or word == "opt_in"
    if can_be_older and _has_newer_change(our_address, theirs, since=at):
        return
    if word == "opt_out":
        _insert_opt_out(our_address, theirs, OptOut.Source.KEYWORD, at=at)
    elif word == "opt_in":
        _end_opt_outs(our_address, theirs, at=at)
    elif not message.is_late:
        _send_help_text(thread, message)


def record_carrier_opt_out(attempt: Attempt, *, seq: int) -> None:
    """A carrier did not take the attempt, because the contact opted out there. The caller holds
    the inbox's counter.

    An answer that is older than the contact's opting in again says nothing of now.
    """
    thread = Thread.objects.select_related("contact").get(pk=attempt.message.thread_id)
    pair = {"our_address": thread.our_address, "address": thread.contact.address}
    if not OptOut.objects.filter(**pair, ended_at__gt=attempt.started_at).exists():
        _insert_opt_out(thread.our_address, thread.contact.address, OptOut.Source.CARRIER)
        bell.ring_inbox(thread.inbox_id, seq)


@transaction.atomic
def record_opt_out(*, our_address: str, address: str) -> OptOut:
    """An administrator was told by other means. Noted twice is noted once."""
    seqs = _advance_counters(our_address, address)
    _insert_opt_out(our_address, address, OptOut.Source.ADMINISTRATOR)
    for inbox_id, seq in seqs.items():
        bell.ring_inbox(inbox_id, seq)
    return OptOut.objects.get(our_address=our_address, address=address, ended_at=None)


@transaction.atomic
def end_opt_out(*, opt_out: OptOut) -> bool:
    """An administrator was asked for texts again; whether it had not ended before."""
    seqs = _advance_counters(opt_out.our_address, opt_out.address)
    is_ended = _end_opt_outs(opt_out.our_address, opt_out.address)
    for inbox_id, seq in seqs.items():
        bell.ring_inbox(inbox_id, seq)
    return is_ended


def _sent_at(message: Message) -> datetime:
    """By the carrier's clock where it is told, which may be ahead of ours."""
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
    running = OptOut.objects.filter(our_address=our_address, address=address, ended_at=None)
    return bool(running.update(ended_at=at or timezone.now()))


def _has_newer_change(our_address: str, address: str, *, since: datetime) -> bool:
    changes = OptOut.objects.filter(Q(since__gt=since) | Q(ended_at__gt=since))
    return changes.filter(our_address=our_address, address=address).exists()


def _advance_counters(our_address: str, address: str) -> dict[int, int]:
    """Take the counter of every inbox in which somebody may write to them from that number."""
    talking = Thread.objects.filter(our_address=our_address, contact__address=address)
    routed = Number.objects.filter(address=our_address)
    inbox_ids = {*talking.values_list("inbox", flat=True), *routed.values_list("inbox", flat=True)}
    return {inbox_id: counters.next_inbox_seq(inbox_id) for inbox_id in sorted(inbox_ids)}


def _send_help_text(thread: Thread, asked: Message) -> None:
    """Answer with the inbox's help text, unless somebody else does or nothing may be sent."""
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
        Message(
            thread=thread,
            inbox_id=thread.inbox_id,
            kind=Message.Kind.OUTBOUND,
            is_automatic=True,
            body=thread.inbox.help_text,
            created_at=timezone.now(),
            seq=asked.seq,
            state=DeliveryState.QUEUED,
        )
    )
    defer_delivery(thread.pk)
