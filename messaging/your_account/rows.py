"""Gather what the page *Your account* shows, one object for each section and row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession

from inboxes.models import Agent
from inboxes.sessions import find_live_sessions
from inboxes.sign_in import demand
from inboxes.sign_in.adapters import NO_ADDRESS
from inboxes.sign_in.records import WayIn, way_in
from inboxes.sign_in.recovery_codes import count_left
from messaging.your_account.user_agents import name_browser

Type = Authenticator.Type
_WAYS = {
    WayIn.PASSKEY: "with a passkey",
    WayIn.COMPANY: "by company sign-in",
    WayIn.PHONE: "by QR code",
}


@dataclass(frozen=True, slots=True)
class Factor:
    """An authenticator app or a passkey."""

    key: int
    name: str
    added_at: datetime
    used_at: datetime | None

    @classmethod
    def of(cls, authenticator: Authenticator) -> Self:
        return cls(
            authenticator.pk,
            str(authenticator.data.get("name", "")),
            authenticator.created_at,
            authenticator.last_used_at,
        )


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Hold how many codes are left."""

    left: int
    total: int
    made_at: datetime

    @classmethod
    def of(cls, authenticator: Authenticator) -> Self:
        total = mfa_settings.RECOVERY_CODE_COUNT
        left = count_left(authenticator.data)
        return cls(left, max(left, total), authenticator.created_at)


@dataclass(frozen=True, slots=True)
class TwoStep:
    """The section *Two-step sign-in* and that of the passkeys, which are a second step too."""

    app: Factor | None
    codes: RecoveryCodes | None
    passkeys: tuple[Factor, ...]
    lead: str

    @classmethod
    def of(cls, agent: Agent) -> Self:
        mine = list(Authenticator.objects.filter(user=agent).order_by("created_at", "pk"))
        app = next((Factor.of(one) for one in mine if one.type == Type.TOTP), None)
        codes = next(
            (RecoveryCodes.of(one) for one in mine if one.type == Type.RECOVERY_CODES), None
        )
        passkeys = tuple(Factor.of(one) for one in mine if one.type == Type.WEBAUTHN)
        return cls(app, codes, passkeys, _lead(agent, bool(app or passkeys)))

    @property
    def is_on(self) -> bool:
        return bool(self.app or self.passkeys)


def _lead(agent: Agent, is_on: bool) -> str:
    """Say who demands two-step sign-in, or what it is good for."""
    if demand.is_demanded_of(agent):
        is_of_all = demand.demanded_two_step() == demand.TwoStep.EVERYBODY
        return f"Asked of {'everybody' if is_of_all else 'administrators'} here."
    if is_on:
        return "After your password you're asked for a code or a passkey."
    return "Keeps others out, even if somebody learns your password."


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One browser in which the agent is signed in."""

    key: int
    name: str
    is_handheld: bool
    is_this_one: bool
    way: str
    signed_in_at: datetime
    active_at: datetime
    address: str

    @classmethod
    def of(cls, session: UserSession, data: Any, here: str) -> Self:
        browser = name_browser(session.user_agent)
        return cls(
            session.pk,
            browser.name,
            browser.is_handheld,
            session.session_key == here,
            _WAYS.get(way_in(data), ""),
            session.created_at,
            session.last_seen_at,
            "" if session.ip == NO_ADDRESS else session.ip,
        )


def list_sessions(agent: Agent, here: str) -> list[SessionRow]:
    """Return the agent's sessions: this one first, then the one that was active last."""
    known: Iterable[UserSession] = UserSession.objects.filter(user=agent)
    by_key = {session.session_key: session for session in known}
    rows = [
        SessionRow.of(by_key[key], data, here)
        for key, data in find_live_sessions(agent, by_key).items()
    ]
    return sorted(rows, key=lambda row: (row.is_this_one, row.active_at), reverse=True)
