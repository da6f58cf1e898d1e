"""Sessions in the database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from allauth.mfa.webauthn.internal.auth import STATE_SESSION_KEY as CHALLENGE
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Exists, OuterRef
from django.dispatch import Signal
from django.utils import timezone
from django.utils.crypto import constant_time_compare

if TYPE_CHECKING:
    from inboxes.models import Agent

CHALLENGE_SECONDS = 5 * 60

# Both are sent in the transaction of the change. `old` and `new` are keys of one session:
session_key_renewed = Signal()
# `agent` has no sessions any more but that with `kept_key`, if it isn't empty:
sessions_ended = Signal()


class SessionStore(db.SessionStore):
    """Looks up only keys that Django can have made: for a NUL in a cookie PostgreSQL raises."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key) and str(key).isascii() and str(key).isalnum() and len(str(key)) >= 8

    def get_session_cookie_age(self) -> int:
        """Keep a session that holds a challenge for a passkey, and nothing else, for minutes.

        Anybody who comes to the sign-in page can ask for one.
        """
        if set(self.keys()) == {CHALLENGE}:
            return CHALLENGE_SECONDS
        return int(super().get_session_cookie_age())


def live_sessions(keys: Iterable[str]) -> set[str]:
    """Return those of the session keys whose session exists and has not expired."""
    sessions = Session.objects.filter(session_key__in=list(keys), expire_date__gt=timezone.now())
    return set(sessions.values_list("session_key", flat=True))


def keys_of_all_sessions(agent: Agent) -> list[str]:
    """Return the keys of all sessions in which the agent is signed in."""
    listed = UserSession.objects.filter(user=agent).values_list("session_key", flat=True)
    return [*listed, *_unlisted_keys(agent)]


def _unlisted_keys(agent: Agent) -> list[str]:
    """Return the keys of the agent's sessions that were not used after lists were kept.

    Those name their agent only in their data. Some weeks after the upgrade there are none left,
    and nothing is read.
    """
    applied = MigrationRecorder.Migration.objects.filter(app="usersessions").order_by("applied")
    first = applied.values_list("applied", flat=True).first()
    lifetime = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    # The version before may have run for a while beside this one.
    until = first + lifetime + timedelta(days=1) if first else timezone.now() + lifetime
    if until < timezone.now():
        return []
    is_listed = Exists(UserSession.objects.filter(session_key=OuterRef("session_key")))
    sessions = Session.objects.filter(~is_listed, expire_date__range=(timezone.now(), until))
    decode = SessionStore().decode
    return [
        session.session_key
        for session in sessions.iterator()
        if decode(session.session_data).get(SESSION_KEY) == str(agent.pk)
    ]


def find_live_sessions(agent: Agent, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the data of those of the sessions in which the agent is signed in, by their keys.

    There are none for an agent who may not sign in now; a new password ends those before it.
    """
    if not agent.is_active:
        return {}
    found = Session.objects.filter(session_key__in=list(keys), expire_date__gt=timezone.now())
    decode, expected = SessionStore().decode, agent.get_session_auth_hash()
    by_key = {session.session_key: decode(session.session_data) for session in found}
    return {
        key: data
        for key, data in by_key.items()
        if data.get(SESSION_KEY) == str(agent.pk)
        and constant_time_compare(data.get(HASH_SESSION_KEY, ""), expected)
    }
