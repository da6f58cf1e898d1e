"""Limit guesses at passwords and codes, counted in the database for all processes together.

A guess is counted before it is checked, and taken back if it was right. So guesses that come at
the same moment cannot get past the limit.

What an address may get wrong in all is counted apart for each kind. Only passwords and codes are
counted together: any website can have a browser open unknown links, which must not keep
passwords out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from inboxes.models import SignInFailure
from inboxes.networks import network_of

T = TypeVar("T")
Kind = SignInFailure.Kind

REMOVED_AT_ONCE = 200
A_DAY = timedelta(days=1)
_TOGETHER = (Kind.GUESS, Kind.CODE)

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7402))"
_REMOVE_OLD = """
DELETE FROM inboxes_signinfailure WHERE id IN (
    SELECT id FROM inboxes_signinfailure
    WHERE at <= %s AND (kind <> 'code' OR at <= %s)
    ORDER BY at LIMIT %s
    FOR UPDATE SKIP LOCKED
)
"""


class TooManyGuesses(Exception):
    """There were too many wrong guesses in the last quarter of an hour: no more are checked.

    `in_a_day` says that there were too many in the last 24 hours.
    """

    def __init__(self, *, in_a_day: bool = False) -> None:
        super().__init__()
        self.in_a_day = in_a_day


@dataclass(frozen=True)
class Subject:
    """Hold a keyed hash of what is guessed, and how many wrong guesses at it are too many."""

    key: str
    per_address: int
    in_total: int | None = None
    in_a_day: int | None = None
    kind: str = Kind.GUESS


def password_of(username: str) -> Subject:
    """Return the password of a name, whether it exists or not.

    It has no limit for all addresses together, by which anybody could lock it out.
    """
    return Subject(_hash("password", username), settings.SIGN_IN_FAILURES)


def codes_of(agent_id: int) -> Subject:
    """Return an agent's codes. Whoever guesses at them has given the password already."""
    return Subject(
        _hash("codes", str(agent_id)),
        settings.SIGN_IN_FAILURES,
        in_total=settings.SIGN_IN_WRONG_CODES,
        in_a_day=settings.SIGN_IN_WRONG_CODES_A_DAY,
        kind=Kind.CODE,
    )


def passkeys_of(agent_id: int) -> Subject:
    """Return an agent's passkeys as a second step: nobody guesses them, and wrong codes must not
    keep them out."""
    return _subject("passkeys of", str(agent_id), settings.SIGN_IN_FAILURES, Kind.PASSKEY)


def passkeys() -> Subject:
    """Return the passkeys of all agents: a wrong one does not say whose it is."""
    return _subject("passkeys", "", settings.SIGN_IN_FAILURES_PER_ADDRESS, Kind.PASSKEY)


def links() -> Subject:
    """Return the one-time links, whose tokens nobody can guess: a limit for whoever tries."""
    return _subject("links", "", settings.SIGN_IN_FAILURES_PER_ADDRESS, Kind.LINK)


def lost_password_of(login: str) -> Subject:
    """Return what somebody typed to get a reset link, whether there is such an agent or not."""
    login = login.casefold()
    return _subject("lost password", login, settings.SIGN_IN_FAILURES, Kind.LOST_PASSWORD)


def company_sign_ins() -> Subject:
    """Return company sign-ins, each of which has us ask the provider."""
    return _subject("company", "", settings.SIGN_IN_FAILURES_PER_ADDRESS, Kind.COMPANY)


def setup_key() -> Subject:
    """Return the one-time key of an installation that nobody has set up yet."""
    return _subject("setup_key", "", settings.SIGN_IN_FAILURES, Kind.SETUP_KEY)


def check_guess(
    check: Callable[[], T | None], *, request: HttpRequest | None, of: Subject
) -> T | None:
    """Return what `check` finds; None is a wrong guess. Raises TooManyGuesses.

    A right guess removes the wrong ones at the same subject from the same address, and no others.
    One that could not be checked does not count.
    """
    count = count_attempt(request=request, of=of)
    try:
        found = check()
    except BaseException:
        _forget(count.row)
        raise
    if found is not None:
        forget_attempts(request=request, of=of)
    elif count.is_last:
        raise _too_many(of)
    return found


@dataclass(frozen=True)
class Count:
    """One counted guess: its row, and whether it is the last one before a limit."""

    row: int
    is_last: bool


def count_attempt(*, request: HttpRequest | None, of: Subject) -> Count:
    """Count one attempt, right or wrong. Raises TooManyGuesses, and then does not count it.

    So a lockout ends even if somebody keeps trying.
    """
    address = address_of(request)
    since = timezone.now() - timedelta(seconds=settings.SIGN_IN_WINDOW)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_REMOVE_OLD, [since, timezone.now() - A_DAY, REMOVED_AT_ONCE])
            # Always in this order, so that two of them never wait for each other.
            if of.in_total is not None:
                cursor.execute(_LOCK, [of.key])
            cursor.execute(_LOCK, [address])
        left = _guesses_left(address, of, since)
        if left > 0:
            row = SignInFailure.objects.create(address=address, subject=of.key, kind=of.kind)
            return Count(row.pk, is_last=left == 1)
    raise _too_many(of)


def forget_attempts(*, request: HttpRequest | None, of: Subject) -> None:
    """Take back what was counted of a subject from the request's address: it ended well."""
    SignInFailure.objects.filter(address=address_of(request), subject=of.key).delete()


def forget_codes(agent_id: int) -> None:
    """Take back the wrong codes of an agent whose password is new: who entered them is out."""
    SignInFailure.objects.filter(subject=codes_of(agent_id).key).delete()


def count_in_a_day(of: Subject) -> int:
    """Return how many wrong guesses at a subject are known of the last 24 hours."""
    return SignInFailure.objects.filter(subject=of.key, at__gt=timezone.now() - A_DAY).count()


def address_of(request: HttpRequest | None) -> str:
    """Return the network of the client, as the server in front names it."""
    return network_of(str(request.META.get("REMOTE_ADDR", "")))[:64] if request else ""


def _guesses_left(address: str, of: Subject, since: object) -> int:
    recent = SignInFailure.objects.filter(at__gt=since)
    here = recent.filter(address=address)
    kinds = _TOGETHER if of.kind in _TOGETHER else (of.kind,)
    left = [
        settings.SIGN_IN_FAILURES_PER_ADDRESS - here.filter(kind__in=kinds).count(),
        of.per_address - here.filter(subject=of.key).count(),
    ]
    if of.in_total is not None:
        left.append(of.in_total - recent.filter(subject=of.key).count())
    if of.in_a_day is not None:
        left.append(of.in_a_day - count_in_a_day(of))
    return min(left)


def _too_many(of: Subject) -> TooManyGuesses:
    return TooManyGuesses(in_a_day=of.in_a_day is not None and count_in_a_day(of) >= of.in_a_day)


def _forget(row: int) -> None:
    SignInFailure.objects.filter(pk=row).delete()


def _subject(name: str, text: str, per_address: int, kind: str) -> Subject:
    return Subject(_hash(name, text), per_address, kind=kind)


def _hash(kind: str, text: str) -> str:
    return salted_hmac(f"inboxes.sign_in.{kind}", text, algorithm="sha256").hexdigest()
