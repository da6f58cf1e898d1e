"""Set where the texts of numbers go at their carrier.

The carrier is called between transactions, under a claim (`claims`). The steps are recorded before
they are made, so that a connection that broke off can be resumed or undone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from django.utils import timezone

from inboxes.encryption import UndecryptableError
from inboxes.models import Agent
from messaging.accounts import claims, history, moving, readings, schedule, steps, troubles
from messaging.accounts.directories import open_directory
from messaging.accounts.offered import list_offered_numbers, plan_token
from messaging.accounts.own_address import say_unreachable
from messaging.carriers import results
from messaging.carriers.numbers import Directory, NotThere, OfferedNumber, Step, Trouble
from messaging.models import CarrierAccount, ConnectionEvent, NumberConnection

State = NumberConnection.State
Kind = ConnectionEvent.Kind

# So long one request begins with numbers; the rest is left for the next one. What was begun then
# has time enough within what `open_directory` gives all calls.
CONNECTING_SECONDS = 12.0

Result = Literal["done", "nothing_to_do", "otherwise", "busy", "unknown", "trouble", "left"]

BUSY = "Somebody else is changing it just now. Look again in two minutes."
OTHERWISE = "It was changed at {label} since you looked, so nothing was changed. Look again."
NOT_TOLD = "{label} doesn't tell where its texts go. Set it in {label}'s console."
UNCLEAR = "It isn't finished: {words} Go on with it, or take it back."


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say what became of connecting or disconnecting one number.

    "done": as asked. "nothing_to_do": it was so already. "otherwise": something else would change
    than was shown, so nothing was changed. "busy": somebody else is at it. "unknown": begun, and
    the carrier doesn't tell whether it was done; it can be resumed or undone. "trouble": nothing
    was changed. "left": not tried, for want of time or for trouble that would meet it too.
    """

    address: str
    result: Result
    words: str = ""
    connection: NumberConnection | None = None
    trouble: object = None

    @property
    def is_good(self) -> bool:
        return self.result in ("done", "nothing_to_do")


def connect_numbers(
    *,
    account: CarrierAccount,
    chosen: Mapping[str, str],
    agent: Agent | None,
    seconds: float = CONNECTING_SECONDS,
) -> list[Outcome]:
    """Set the chosen numbers of the kept list to our webhook, and watch them from now on.

    `chosen` holds by address the `plan_token` that was shown. Each number is read anew, and
    nothing is changed where another plan is due by now. Trouble that is the account's ends the
    round. Raise NotPossible.
    """
    offered = list_offered_numbers(account).by_address
    until = time.monotonic() + seconds
    outcomes: list[Outcome] = []
    with open_directory(account) as directory:
        if not isinstance(directory, Directory):
            words = _unchanged(directory, account.adapter.label)
            return [Outcome(address, "trouble", words, None, directory) for address in chosen]
        if words := say_unreachable(account.adapter.label):
            return [Outcome(address, "trouble", words) for address in chosen]
        for address, token in chosen.items():
            row = offered.get(address)
            if row is None:
                words = "It isn't in the account's list. Look again."
                outcomes.append(Outcome(address, "trouble", words))
            elif time.monotonic() > until or any(map(_ends_the_round, outcomes)):
                outcomes.append(Outcome(address, "left", "Not tried yet."))
            else:
                one = _Errand(account, directory, agent, Kind.CONNECTED)
                outcomes.append(one.connect(row.offered, token))
    return outcomes


def connect_again(
    *, connection: NumberConnection, agent: Agent | None, kind: ConnectionEvent.Kind
) -> Outcome:
    """Set a number that we know to our webhook, whatever it is set to now. Raise NotPossible."""
    account = connection.account
    known = OfferedNumber(connection.address, connection.carrier_id, "other", True, True, None)
    with open_directory(account) as directory:
        if not isinstance(directory, Directory):
            words = _unchanged(directory, account.adapter.label)
            return Outcome(connection.address, "trouble", words, connection, directory)
        if words := say_unreachable(account.adapter.label):
            return Outcome(connection.address, "trouble", words, connection)
        return _Errand(account, directory, agent, kind).connect(known, None)


def _ends_the_round(outcome: Outcome) -> bool:
    return outcome.result != "done" and troubles.is_of_account(outcome.trouble)


@dataclass(frozen=True, slots=True)
class _Before:
    """Hold how a connection was before an errand, which puts it back if nothing comes of it."""

    account: CarrierAccount
    carrier_id: str
    state: str
    encrypted_steps: str = field(repr=False)


@dataclass(slots=True)
class _Errand:
    """Connect numbers of one account for one agent."""

    account: CarrierAccount
    directory: Directory
    agent: Agent | None
    kind: ConnectionEvent.Kind

    def connect(self, known: OfferedNumber, token: str | None) -> Outcome:
        """Connect one number; without a token whatever is due."""
        claim = claims.claim_number(self.account, known.address, known.carrier_id)
        if claim is None:
            return Outcome(known.address, "busy", BUSY)
        try:
            return self._connect(claim, known, token)
        except claims.ClaimLost:
            return Outcome(known.address, "busy", BUSY, claim.connection)

    def _connect(self, claim: claims.Claim, known: OfferedNumber, token: str | None) -> Outcome:
        label = self.account.adapter.label
        if words := moving.why_not(claim.connection, self.account):
            claim.release(claim.connection.trouble)
            return Outcome(known.address, "trouble", words)
        read = self.directory.read_number(known.address, known.carrier_id)
        if not isinstance(read, OfferedNumber):
            claim.release(troubles.in_logs(read))
            words = _unchanged(read, label)
            return Outcome(known.address, "trouble", words, None, read)
        if read.route is None:
            claim.release()
            return Outcome(known.address, "trouble", NOT_TOLD.format(label=label))
        plan = self.directory.plan(read, self.account.webhook_url)
        if token is not None and plan and token != plan_token(plan):
            claim.release()
            return Outcome(known.address, "otherwise", OTHERWISE.format(label=label))
        before = self._begin(claim, known, read, plan)
        made = steps.make_steps(self.directory, plan, lambda done: _note(claim, done))
        if made.trouble is not None:
            return self._end_early(claim, before, made, made.trouble)
        self._finish(claim, plan, before)
        result: Result = "done" if plan else "nothing_to_do"
        return Outcome(known.address, result, "", claim.connection)

    def _begin(
        self,
        claim: claims.Claim,
        known: OfferedNumber,
        read: OfferedNumber,
        plan: Sequence[Step],
    ) -> _Before:
        """Record what will be changed; return how it was before."""
        with claim.writing() as row:
            before = _Before(row.account, row.carrier_id, row.state, row.encrypted_steps)
            is_moved = row.account_id != self.account.pk
            kept = [] if is_moved else _steps_before(row)
            row.account = self.account
            row.carrier_id = read.carrier_id
            row.about = readings.about(read, known.registration or row.registration)
            readings.set_route(row, read.route)
            row.set_steps(steps.merge(kept, plan))
            if is_moved or (row.state == State.DISCONNECTED and plan):
                row.state = State.CONNECTING
            row.checked_at = timezone.now()
            row.next_check_at = schedule.next_check(row, row.checked_at, trouble=row)
        return before

    def _end_early(
        self,
        claim: claims.Claim,
        before: _Before,
        made: steps.Made,
        trouble: Trouble | NotThere,
    ) -> Outcome:
        """Take back what was done, if anything was, or record how far it came."""
        label, address = self.account.adapter.label, claim.connection.address
        words = troubles.explain(trouble, label)
        is_back = not made.is_unclear and steps.take_back(self.directory, made.done) is None
        if is_back:
            words = _unchanged(trouble, label)
            with claim.writing() as row:
                row.account, row.carrier_id = before.account, before.carrier_id
                row.state, row.encrypted_steps = before.state, before.encrypted_steps
                row.next_check_at = schedule.next_check(row, timezone.now(), trouble)
                if not claim.is_new:
                    now = timezone.now()
                    history.note_event(row, Kind.FAILED, at=now, agent=self.agent, words=words)
            claim.release(troubles.in_logs(trouble))
            return Outcome(address, "trouble", words, None, trouble)
        with claim.writing() as row:
            row.trouble = troubles.in_logs(trouble)[:255]
            now = timezone.now()
            moving.note_move(row, before.account, before.state, at=now, agent=self.agent)
            row.next_check_at = schedule.next_check(row, timezone.now(), trouble)
            history.note_event(row, Kind.FAILED, at=timezone.now(), agent=self.agent, words=words)
        claim.is_new = False
        claim.release(troubles.in_logs(trouble))
        return Outcome(address, "unknown", UNCLEAR.format(words=words), claim.connection, trouble)

    def _finish(self, claim: claims.Claim, plan: Sequence[Step], before: _Before) -> None:
        now = timezone.now()
        with claim.writing() as row:
            moving.note_move(row, before.account, before.state, at=now, agent=self.agent)
            moving.follow_account(row)
            was_ours = row.state == State.OURS
            row.state = State.OURS
            row.connected_by, row.connected_at = self.agent, row.connected_at or now
            readings.note_good(row, now)
            # The first check comes soon: it proves the change, and reads what routes it now.
            row.next_check_at = now + schedule.SOON
            if plan or not was_ours:
                history.note_event(row, self.kind, at=now, agent=self.agent)
            readings.ring(row)
        claim.is_new = False
        claim.release()


def _unchanged(trouble: Trouble | NotThere, label: str) -> str:
    """Say what went wrong, and that nothing was changed where one might doubt it."""
    words = troubles.explain(trouble, label)
    is_open = isinstance(trouble, results.RateLimited | results.CannotTell)
    return f"{words} Nothing was changed." if is_open else words


def _steps_before(row: NumberConnection) -> list[Step]:
    """Return the steps that were made before and still count: not if what somebody set since was
    meant so."""
    if row.state in (State.DISCONNECTED, State.UNWATCHED):
        return []
    try:
        return row.get_steps()
    except UndecryptableError:
        return []


def _note(claim: claims.Claim, done: list[Step]) -> None:
    """Record the steps that were done, with the ids of what they made."""
    with claim.writing() as row:
        row.set_steps(steps.merge(row.get_steps(), done))
