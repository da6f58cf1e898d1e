"""Sessions in the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

if TYPE_CHECKING:
    from inboxes.models import Agent


class SessionStore(db.SessionStore):
    """Looks up only keys that Django can have made: for a NUL in a cookie PostgreSQL raises."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key) and str(key).isascii() and str(key).isalnum() and len(str(key)) >= 8


def live_sessions(keys: Iterable[str]) -> set[str]:
    """Return those of the session keys whose session exists and has not expired."""
    sessions = Session.objects.filter(session_key__in=list(keys), expire_date__gt=timezone.now())
    return set(sessions.values_list("session_key", flat=True))


def keys_of_all_sessions(agent: Agent) -> list[str]:
    """Return the keys of all sessions in which the agent is signed in, reading every session.

    Sessions name their agent only in their data. This takes a second with a hundred thousand.
    """
    decode = SessionStore().decode
    return [
        session.session_key
        for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator()
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
