"""The steps of signing in a phone: offer, claim, confirm or refuse, use."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from inboxes.models import Agent, PhoneSignIn
from inboxes.models.phone_sign_ins import step_end
from inboxes.phone_sign_in.words import choose_words
from inboxes.sessions import find_live_sessions

State = PhoneSignIn.State


class NotOpen(Exception):
    """The link is unknown, used, taken back or out of time, or its session ended."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Hold what a phone gets that has opened a link. `secret` is never stored by us."""

    sign_in: PhoneSignIn
    secret: str


def token_of(sign_in: PhoneSignIn) -> str:
    """Return the secret part of the link. It is computed anew each time, and stored nowhere."""
    digest = salted_hmac("inboxes.phone_sign_in", str(sign_in.pk), algorithm="sha256")
    return digest.hexdigest()


@transaction.atomic
def offer_phone_sign_in(*, agent: Agent, session_key: str) -> PhoneSignIn:
    """Make a link for one phone. An earlier one of the session ends."""
    expired = PhoneSignIn.objects.filter(agent=agent, expires_at__lt=timezone.now())
    (expired | PhoneSignIn.objects.filter(session_key=session_key)).delete()
    sign_in = PhoneSignIn(agent=agent, session_key=session_key, expires_at=step_end())
    sign_in.token_hash = _hash(token_of(sign_in))
    sign_in.save(force_insert=True)
    return sign_in


def find_offer(token: str) -> PhoneSignIn:
    """Return what an opened link offers. Raises NotOpen."""
    found = PhoneSignIn.objects.open().filter(token_hash=_hash(token)).select_related("agent")
    sign_in = found.first()
    if sign_in is None or session_behind(sign_in) is None:
        raise NotOpen
    return sign_in


@transaction.atomic
def claim_phone_sign_in(*, token: str, user_agent: str, address: str) -> Claim:
    """Bind the link to the phone that asks. Raises NotOpen, also for a second phone."""
    sign_in = _lock(token_hash=_hash(token))
    if sign_in.state != State.OFFERED:
        raise NotOpen
    secret = secrets.token_urlsafe(32)
    sign_in.state = State.CLAIMED
    sign_in.words = choose_words()
    sign_in.phone_hash = _hash(secret)
    sign_in.phone_user_agent = user_agent[:200]
    sign_in.phone_address = address
    sign_in.expires_at = step_end()
    sign_in.save()
    return Claim(sign_in, secret)


@transaction.atomic
def confirm_phone_sign_in(*, sign_in_id: UUID, session_key: str) -> None:
    """Say that both screens show the same words. Raises NotOpen, also for a foreign session."""
    sign_in = _lock(pk=sign_in_id, session_key=session_key)
    if sign_in.state == State.OFFERED:
        raise NotOpen
    sign_in.state = State.CONFIRMED
    sign_in.expires_at = step_end()
    sign_in.save()


@transaction.atomic
def refuse_phone_sign_in(*, session_key: str) -> None:
    """End the session's link, if it has one. The phone that has opened it gets nothing."""
    PhoneSignIn.objects.filter(session_key=session_key).delete()


@transaction.atomic
def use_phone_sign_in(*, token: str, secret: str) -> PhoneSignIn:
    """Use the link up for the phone that claimed it. Raises NotOpen unless it was confirmed."""
    sign_in = _lock(token_hash=_hash(token))
    is_this_phone = constant_time_compare(sign_in.phone_hash, _hash(secret))
    if sign_in.state != State.CONFIRMED or not is_this_phone:
        raise NotOpen
    sign_in.state = State.USED
    sign_in.save(update_fields=["state"])
    return sign_in


def session_behind(sign_in: PhoneSignIn) -> dict[str, Any] | None:
    """Return the data of the session that shows the code, or None if it has ended."""
    return find_live_sessions(sign_in.agent, [sign_in.session_key]).get(sign_in.session_key)


def _lock(**lookup: object) -> PhoneSignIn:
    found = PhoneSignIn.objects.open().filter(**lookup).select_related("agent")
    sign_in = found.select_for_update(of=("self",)).first()
    if sign_in is None or session_behind(sign_in) is None:
        raise NotOpen
    return sign_in


def _hash(secret: str) -> str:
    return sha256(secret.encode(errors="replace")).hexdigest()
