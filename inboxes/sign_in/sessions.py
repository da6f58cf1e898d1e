"""Keep track of the sessions of each agent, for the list in their account."""

from __future__ import annotations

import time

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from inboxes.actions import announce_agent
from inboxes.models import Agent, PhoneSignIn
from inboxes.sessions import keys_of_all_sessions, session_key_renewed, sessions_ended

SEEN_EVERY = 5 * 60.0  # seconds
MOST_REMEMBERED = 10_000

_WRITE = """
INSERT INTO usersessions_usersession
    (user_id, created_at, ip, last_seen_at, session_key, user_agent, data)
VALUES (%(user)s, %(now)s, %(ip)s, %(now)s, %(key)s, %(agent)s, '{}')
ON CONFLICT (session_key) DO UPDATE
SET user_id = EXCLUDED.user_id, ip = EXCLUDED.ip, user_agent = EXCLUDED.user_agent,
    last_seen_at = EXCLUDED.last_seen_at
"""
# When each session was last written, in this process.
_written: dict[str, float] = {}


def note_session(request: HttpRequest, user_id: int) -> None:
    """Write that the session is in use, unless this process did so in the last minutes."""
    key = request.session.session_key
    now = time.monotonic()
    if key is None or now - _written.get(key, -SEEN_EVERY) < SEEN_EVERY:
        return
    write_session(request, user_id)


def write_session(request: HttpRequest, user_id: int) -> None:
    """Write or make the row of the request's session, with its address and its browser."""
    key = request.session.session_key
    if key is None:
        return
    if len(_written) >= MOST_REMEMBERED:
        _written.clear()
    _written[key] = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "user": user_id,
                "now": timezone.now(),
                "ip": get_adapter(request).get_client_ip(request),
                "key": key,
                "agent": request.META.get("HTTP_USER_AGENT", "")[:200].replace("\0", ""),
            },
        )


def renew_session_key(request: HttpRequest) -> None:
    """Give the session a new key, so that nobody who knew the old one gains what it gains now."""
    old = request.session.session_key
    with transaction.atomic():
        request.session.cycle_key()
        new = request.session.session_key
        if old is not None and new is not None:
            UserSession.objects.filter(session_key=old).update(session_key=new)
            PhoneSignIn.objects.filter(session_key=old).update(session_key=new)
            session_key_renewed.send(sender=None, old=old, new=new)
            _written[new] = _written.pop(old, time.monotonic())


@transaction.atomic
def end_sessions(*, agent: Agent, kept_key: str = "") -> None:
    """End the agent's sessions but one, and what hangs on them. Announce the agent afterwards.

    This includes browsers that are in no list, since they were not used after lists were kept.
    """
    ended = [key for key in keys_of_all_sessions(agent) if key != kept_key]
    Session.objects.filter(session_key__in=ended).delete()
    UserSession.objects.filter(user=agent).exclude(session_key=kept_key).delete()
    PhoneSignIn.objects.filter(agent=agent).exclude(session_key=kept_key).delete()
    sessions_ended.send(sender=None, agent=agent, kept_key=kept_key)


@transaction.atomic
def end_other_sessions(*, agent: Agent, kept_key: str) -> None:
    """Sign the agent out everywhere but in one session. Their open pages elsewhere close."""
    end_sessions(agent=agent, kept_key=kept_key)
    announce_agent(agent=agent)
