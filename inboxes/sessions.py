"""Sessions in the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

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


def load_live_session(agent: Agent, key: str) -> SessionStore | None:
    """Return the agent's session of that key; None if it ended, or they may not sign in now."""
    session = SessionStore(key)
    if not agent.is_active or session.get(SESSION_KEY) != str(agent.pk):
        return None
    is_current = constant_time_compare(
        session.get(HASH_SESSION_KEY, ""), agent.get_session_auth_hash()
    )
    return session if is_current else None
