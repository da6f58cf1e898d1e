"""Write down what a carrier told of a connected number. Everything here changes a locked row that
the caller saves."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from inboxes import bell, counters
from inboxes.models import Inbox
from messaging.accounts import alerts, history, moving, troubles
from messaging.carriers import numbers
from messaging.carriers.numbers import NotThere, OfferedNumber, Registration
from messaging.models import ConnectionEvent, Number, NumberConnection
from messaging.models.connections import NOT_RECEIVING
from messaging.stream import jobs

State = NumberConnection.State
Kind = ConnectionEvent.Kind

NOT_FINISHED = "connecting it broke off"
BROKEN_OFF = "it broke off by a fault inside Partyline, which the log tells"
NOT_TOLD = "the carrier doesn't tell where its texts go"


def record(
    row: NumberConnection,
    read: OfferedNumber | NotThere,
    at: datetime,
    *,
    webhook_url: str,
    with_registration: bool,
) -> None:
    """Record what the number is set to now, and what follows from it."""
    row.tried_at = row.checked_at = at
    row.trouble = ""
    if isinstance(read, NotThere):
        note_gone(row, at)
        return
    row.about = about(read, read.registration if with_registration else row.registration)
    set_route(row, read.route)
    if read.route is None:
        row.trouble = NOT_TOLD
    elif read.route.leads_to(webhook_url):
        _note_ours(row, at)
    elif row.state == State.CONNECTING:
        row.trouble = NOT_FINISHED
    else:
        note_changed(row, read.route, at)


def about(read: OfferedNumber, registration: Registration | None) -> dict[str, Any]:
    """Return what is kept of a number besides its route, for its page."""
    return {
        "kind": read.kind,
        "place": read.place,
        "name": read.name,
        "can_sms": read.can_sms,
        "can_mms": read.can_mms,
        "registration": asdict(registration) if registration else None,
    }


def set_route(row: NumberConnection, route: numbers.Route | None) -> None:
    row.set_route(route)
    row.handler = route.handler if route else ""
    row.handler_id = " ".join((route.handler_id, *route.also)) if route else ""


def note_good(row: NumberConnection, at: datetime) -> None:
    """Note that its texts come here."""
    row.state = State.OURS
    row.tried_at = row.checked_at = row.good_at = at
    row.changed_at = None
    row.trouble = ""


def _note_ours(row: NumberConnection, at: datetime) -> None:
    was = row.state
    note_good(row, at)
    if was == State.CONNECTING:
        moving.follow_account(row)
        row.connected_at = row.connected_at or at
        history.note_event(row, Kind.CONNECTED, at=at, agent=row.connected_by)
    elif was != State.OURS:
        history.note_event(row, Kind.MENDED, at=at)
        fetch_missed(row)
    if was != State.OURS:
        ring(row)


def note_changed(row: NumberConnection, route: numbers.Route, at: datetime) -> None:
    """Note that its texts go elsewhere; once for each place that they go to."""
    words = f"Texts go to {route.host}." if route.host else f"{route.words or 'Texts go nowhere'}."
    last = row.events.first()
    if row.state == State.CHANGED and last is not None and last.words.startswith(words):
        return
    was = row.state
    row.state = State.CHANGED
    row.changed_at = row.changed_at or at
    history.note_event(row, Kind.CHANGED, at=at, words=words)
    _tell(row, was, at)
    if was != State.CHANGED:
        ring(row)


def note_trouble(row: NumberConnection, trouble: numbers.Trouble, at: datetime) -> None:
    """Note that the carrier told nothing; a line is written for the first of such times."""
    words = troubles.in_logs(trouble)
    if not row.trouble:
        history.note_event(row, Kind.UNREACHABLE, at=at, words=words)
    row.tried_at, row.trouble = at, words[:255]


def note_gone(row: NumberConnection, at: datetime) -> None:
    """Note that the account has the number no more."""
    if row.state == State.GONE:
        return
    was, row.state = row.state, State.GONE
    row.changed_at = row.changed_at or at
    history.note_event(row, Kind.GONE, at=at)
    _tell(row, was, at)
    ring(row)


def _tell(row: NumberConnection, was: str, at: datetime) -> None:
    """Let the administrators be told of a number that was good."""
    if was not in NOT_RECEIVING:
        row.changed_at = at
        alerts.tell_administrators(row, at)


def ring(row: NumberConnection) -> None:
    """Have the pages of the number's inbox say whether new texts come here."""
    number = Number.objects.filter(address=row.address).first()
    if number is not None:
        seq = counters.next_inbox_seq(number.inbox_id)
        since = row.changed_at if row.state in NOT_RECEIVING else None
        Inbox.objects.filter(pk=number.inbox_id).update(not_receiving_since=since)
        bell.ring_inbox(number.inbox_id, seq)


def fetch_missed(row: NumberConnection) -> None:
    """Fetch the texts that came meanwhile, where the carrier keeps a log of them."""
    number = Number.objects.filter(address=row.address).first()
    if number is not None and row.account.adapter.capabilities.can_list_inbound:
        jobs.defer_comparison(number.pk)
