"""Record opt-outs and their end: by keyword, by the carrier, by a member or an administrator."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from inboxes import bell, counters
from inboxes.database import save_columns
from inboxes.models import Agent, Inbox
from messaging.carriers import events
from messaging.carriers.events import Keyword
from messaging.models import Attempt, Message, Number, OptOut, OptOutSettings
from messaging.models.opt_outs import OptOutQuerySet
from messaging.outbound import automatic
from messaging.stream import jobs, replies
from messaging.stream.keywords import find_keyword
from messaging.stream.refusals import find_refusal
from threads import addresses
from threads.membership import check_member
from threads.models import Contact, Thread


def read_keyword(text: events.InboundText, *, our_address: str) -> Keyword | None:
    """Return what the text asks for: by the carrier's own word, else by its body.

    START and YES are ordinary words where there is no opt-out that they could end.
    """
    keyword = text.keyword or find_keyword(text.body)
    if keyword != "opt_in":
        return keyword
    address, _ = addresses.normalise_address(text.sender)
    return keyword if _current(our_address, address).exists() else None


def apply_keyword(
    message: Message, keyword: Keyword, *, our_address: str, is_answered: bool = False
) -> None:
    """Opt the contact out or in, or answer HELP. The caller holds the inbox's counter.

    `is_answered` tells that the carrier has answered the contact itself. A late text undoes
    nothing that happened after it was sent, and is not answered. A START does not end a STOP that
    was sent after it either: the carrier may repeat a START that we failed to acknowledge.
    """
    thread = Thread.objects.select_related("contact", "inbox").get(pk=message.thread_id)
    theirs, at = thread.contact.address, _sent_at(message)
    can_be_older = message.is_late or keyword == "opt_in"
    if can_be_older and _has_newer_change(our_address, theirs, keyword, since=at):
        return
    if keyword == "opt_out":
        _opt_out_by_text(thread, message, at=at, is_answered=is_answered)
    elif keyword == "opt_in":
        ended = _end(
            _current(our_address, theirs),
            at=at,
            how=OptOut.Source.KEYWORD,
            inbox_id=thread.inbox_id,
            message=message,
        )
        replies.update_needs_reply(thread.inbox_id, message.seq, address=theirs)
        _announce_elsewhere(ended, but=thread.inbox_id)
    elif not (message.is_late or is_answered):
        automatic.send_help_text(thread, message)


def _opt_out_by_text(thread: Thread, message: Message, *, at: datetime, is_answered: bool) -> None:
    """Record the opt-out, and confirm it if that is our part."""
    can_confirm = not (is_answered or message.is_late or find_refusal(thread))
    opt_out = _insert(
        OptOut(
            our_address=thread.our_address,
            address=thread.contact.address,
            source=OptOut.Source.KEYWORD,
            since=at,
            recorded_in_id=thread.inbox_id,
            message=message,
        )
    )
    if message.is_late:
        replies.update_needs_reply(thread.inbox_id, message.seq, address=thread.contact.address)
    if opt_out is None:
        return
    if can_confirm:
        automatic.confirm_opt_out(opt_out, thread, message)
    _announce_elsewhere([opt_out], but=thread.inbox_id)


def record_carrier_opt_out(attempt: Attempt, *, seq: int) -> None:
    """Record the opt-out for which a carrier refused an attempt.

    The caller holds the inbox's counter. Does nothing if the contact has opted in again since the
    attempt began.
    """
    thread = Thread.objects.select_related("contact").get(pk=attempt.message.thread_id)
    pair = thread.our_address, thread.contact.address
    if OptOut.objects.between(*pair).filter(ended_at__gt=attempt.started_at).exists():
        return
    row = OptOut(
        our_address=pair[0],
        address=pair[1],
        source=OptOut.Source.CARRIER,
        since=timezone.now(),
        recorded_in_id=thread.inbox_id,
        message=attempt.message,
    )
    if (opt_out := _insert(row)) is not None:
        _announce_elsewhere([opt_out], but=thread.inbox_id)
    _show_change(pair[1], {thread.inbox_id: seq})


@transaction.atomic
def record_opt_out(
    *,
    our_address: str,
    address: str,
    source: OptOut.Source = OptOut.Source.ADMINISTRATOR,
    by: Agent | None = None,
    inbox_id: int | None = None,
    reason: str = "",
    message: Message | None = None,
) -> OptOut:
    """Record an opt-out that an agent or an administrator learned of.

    `inbox_id` is the inbox whose members may read who did and why; without it, it is that of the
    number. `message` is the text that asked for it, if there is one. A repetition returns the
    opt-out that counts already, and at most widens it. Raises Http404 for a member who has left.
    """
    seqs = _advance_counters({*_inboxes_of(address, our_address), *filter(None, [inbox_id])})
    if source == OptOut.Source.MEMBER and by is not None and inbox_id is not None:
        check_member(by, inbox_id)
    row = OptOut(
        our_address=our_address,
        address=address,
        source=source,
        since=timezone.now(),
        recorded_by=by,
        recorded_in_id=inbox_id or _inbox_of_number(our_address),
        reason=reason,
        message=message,
    )
    opt_out = _insert(row)
    _show_change(address, seqs)
    if opt_out is None:
        return _current(our_address, address).earliest("since")
    _announce_elsewhere([opt_out], but=seqs)
    return opt_out


@transaction.atomic
def end_opt_out(
    *,
    opt_out: OptOut,
    how: OptOut.Source = OptOut.Source.ADMINISTRATOR,
    by: Agent | None = None,
    reason: str = "",
) -> bool:
    """End one opt-out; return False if it had ended before."""
    seqs = _advance_counters(_inboxes_of(opt_out.address, opt_out.our_address))
    rows = OptOut.objects.current().filter(pk=opt_out.pk)
    inbox_id = _inbox_of_number(opt_out.our_address)
    ended = _end(rows, how=how, by=by, inbox_id=inbox_id, reason=reason)
    _show_change(opt_out.address, seqs)
    _announce_elsewhere(ended, but=seqs)
    return bool(ended)


def end_opt_outs_of_thread(*, thread: Thread, by: Agent, reason: str) -> bool:
    """End, for a member, whatever opt-out keeps texts of the thread back; False if none does."""
    return end_opt_outs(
        our_address=thread.our_address,
        address=thread.contact.address,
        inbox_id=thread.inbox_id,
        by=by,
        reason=reason,
    )


@transaction.atomic
def end_opt_outs(*, our_address: str, address: str, inbox_id: int, by: Agent, reason: str) -> bool:
    """End, for a member of the inbox, whatever keeps texts of our number from the contact.

    Return False if nothing does. Raises Http404 if the agent has left the inbox.
    """
    seqs = _advance_counters({*_inboxes_of(address, our_address), inbox_id})
    check_member(by, inbox_id)
    ended = _end(
        _current(our_address, address),
        how=OptOut.Source.MEMBER,
        by=by,
        inbox_id=inbox_id,
        reason=reason,
    )
    _show_change(address, seqs)
    _announce_elsewhere(ended, but=seqs)
    return bool(ended)


def _current(our_address: str, address: str) -> OptOutQuerySet:
    return OptOut.objects.current().between(our_address, address)


def _sent_at(message: Message) -> datetime:
    """Return when the text was sent: by the carrier's clock if known, never in the future."""
    if message.is_late:
        return message.shown_at
    now = timezone.now()
    return min(message.carrier_sent_at or now, now)


def _insert(row: OptOut) -> OptOut | None:
    """Insert the opt-out as widely as the settings say, and return it.

    Return None if the contact is out already. If that is from this number alone, while one
    opt-out counts for all now, widen the one there is, and return it.
    """
    row.is_for_all = OptOutSettings.current().is_for_all
    if (known := _find_to_change(row)) is None:
        try:
            with transaction.atomic():
                row.save(force_insert=True)
            return row
        except IntegrityError:  # another inbox of that number was first
            if (known := _find_to_change(row)) is None:
                return None
    _take_over(known, row)
    if known.is_for_all or not row.is_for_all:
        return None
    save_columns(known, is_for_all=True)
    return known


def _find_to_change(row: OptOut) -> OptOut | None:
    """Return the opt-out that counts already, and let nobody take it back meanwhile."""
    current = _current(row.our_address, row.address).select_for_update(of=("self",))
    return current.order_by("-is_for_all").first()


def _take_over(known: OptOut, row: OptOut) -> None:
    """Let an opt-out that only a file told of be the one that is known first-hand.

    If the import of the file is cancelled, it stays.
    """
    imported = OptOut.Source.IMPORT
    if known.source == imported != row.source:
        save_columns(
            known,
            source=row.source,
            message=row.message,
            recorded_by=row.recorded_by,
            recorded_in_id=row.recorded_in_id,
            reason=row.reason,
            since=row.since,
        )


def _end(
    rows: OptOutQuerySet,
    *,
    how: OptOut.Source,
    inbox_id: int | None,
    at: datetime | None = None,
    by: Agent | None = None,
    reason: str = "",
    message: Message | None = None,
) -> list[OptOut]:
    """End the opt-outs, and return them."""
    found = list(rows.select_for_update(of=("self",)))
    OptOut.objects.filter(pk__in=[one.pk for one in found]).update(
        ended_at=at or timezone.now(),
        ended_how=how,
        ended_by=by,
        ended_in_id=inbox_id,
        end_reason=reason,
        end_message=message,
    )
    return found


def _has_newer_change(
    our_address: str, address: str, keyword: Keyword, *, since: datetime
) -> bool:
    """Return True if the contact's word is overtaken; no file overtakes a STOP."""
    changes = OptOut.objects.between(our_address, address)
    if keyword == "opt_out":
        changes = changes.exclude(source=OptOut.Source.IMPORT, ended_at=None)
    return changes.filter(Q(since__gt=since) | Q(ended_at__gt=since)).exists()


def _inboxes_of(address: str, our_address: str = "") -> set[int]:
    """Return the inboxes that talk with the contact, from one number of ours or from any."""
    known = Contact.objects.filter(inbox__in=Inbox.objects.values("pk"), address=address)
    if not our_address:
        return set(known.values_list("inbox", flat=True))
    numbers = Number.objects.filter(address=our_address)
    return {
        *known.filter(thread__our_address=our_address).values_list("inbox", flat=True),
        *numbers.values_list("inbox", flat=True),
    }


def _inbox_of_number(our_address: str) -> int | None:
    return Number.objects.filter(address=our_address).values_list("inbox", flat=True).first()


def _advance_counters(inbox_ids: Collection[int]) -> dict[int, int]:
    """Advance the counters in the order of the keys, and return the new ones by inbox."""
    return {inbox_id: counters.next_inbox_seq(inbox_id) for inbox_id in sorted(inbox_ids)}


def _show_change(address: str, seqs: dict[int, int]) -> None:
    """Let the inboxes' lists and pages follow an opt-out that began or ended."""
    for inbox_id, seq in seqs.items():
        Thread.objects.filter(inbox=inbox_id, contact__address=address).update(seq=seq)
        replies.update_needs_reply(inbox_id, seq, address=address)
        bell.ring_inbox(inbox_id, seq)


def _announce_elsewhere(changed: Collection[OptOut], *, but: int | Collection[int]) -> None:
    """Show a change that counts for all our numbers in the other inboxes, once it is committed.

    Their counters are not taken before: two contacts who opt out at once would wait for each
    other's inbox. It is done at once; should this process die before, or fail, a job does it.
    """
    done = sorted({but} if isinstance(but, int) else set(but))
    by_address = {one.address: one.pk for one in changed if one.is_for_all}
    for opt_out_id in by_address.values():
        jobs.defer_opt_out_shown(opt_out_id, but=done)
        _show_elsewhere_on_commit(opt_out_id, done)


def _show_elsewhere_on_commit(opt_out_id: int, done: Collection[int]) -> None:
    def show() -> None:
        show_opt_out_elsewhere(opt_out_id=opt_out_id, but=done)

    transaction.on_commit(show, robust=True)


def show_opt_out_elsewhere(*, opt_out_id: int, but: Collection[int]) -> None:
    """Let the contact's threads in other inboxes follow, as their opt-outs are now.

    Doing it twice is harmless.
    """
    address = OptOut.objects.values_list("address", flat=True).get(pk=opt_out_id)
    for inbox_id in sorted(_inboxes_of(address) - set(but)):
        with transaction.atomic():
            _show_change(address, {inbox_id: counters.next_inbox_seq(inbox_id)})
