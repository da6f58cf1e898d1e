"""Sessions in the database."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone


class SessionStore(db.SessionStore):
    """Looks up only keys that Django can have made: for a NUL in a cookie PostgreSQL raises."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key) and str(key).isascii() and str(key).isalnum() and len(str(key)) >= 8


def live_sessions(keys: Iterable[str]) -> set[str]:
    """Return those of the session keys whose session exists and has not expired."""
    sessions = Session.objects.filter(session_key__in=list(keys), expire_date__gt=timezone.now())
    return set(sessions.values_list("session_key", flat=True))
