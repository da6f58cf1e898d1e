"""Signal receivers: what follows when an agent signs in or out, or is changed by Django itself."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_used
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_save
from django.http import HttpRequest

from inboxes.actions import announce_agent
from inboxes.models import Agent
from inboxes.sign_in import sessions


def connect_receivers() -> None:
    user_logged_in.connect(note_new_session, dispatch_uid="inboxes.note_new_session")
    user_logged_out.connect(end_session, dispatch_uid="inboxes.end_session")
    post_save.connect(end_with_deactivation, sender=Agent, dispatch_uid="inboxes.end_sessions")
    post_save.connect(announce_change, sender=Agent, dispatch_uid="inboxes.announce_change")
    authenticator_added.connect(count_new_factor, dispatch_uid="inboxes.count_new_factor")
    authenticator_used.connect(renew_session, dispatch_uid="inboxes.renew_session")
    authenticator_removed.connect(announce_factor, dispatch_uid="inboxes.announce_factor")


def note_new_session(*, request: HttpRequest, user: Agent, **_: Any) -> None:
    if request.session.session_key is None:
        request.session.save()
    sessions.write_session(request, user.pk)


def end_session(*, request: HttpRequest, user: Agent | None, **_: Any) -> None:
    """End the session and close its sockets.

    Django sends the signal before it ends the session. It has to end here, or a page that checks
    early would find it alive.
    """
    request.session.flush()
    if user is not None:
        announce_agent(agent=user)


def count_new_factor(
    *, request: HttpRequest, user: Agent, authenticator: Authenticator, **_: Any
) -> None:
    """Count a factor that was just set up as given: its owner has shown that they have it."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        return
    record_authentication(
        request, user, "mfa", id=authenticator.pk, type=authenticator.type, reauthenticated=True
    )
    sessions.renew_session_key(request)


def renew_session(*, request: HttpRequest, reauthenticated: bool, **_: Any) -> None:
    """Renew the key of a session that gave a second factor. A sign-in renews it by itself."""
    if reauthenticated:
        sessions.renew_session_key(request)


def announce_factor(*, user: Agent, **_: Any) -> None:
    announce_agent(agent=user)


def end_with_deactivation(
    *, instance: Agent, created: bool, update_fields: frozenset[str] | None, **_: Any
) -> None:
    """End the sessions of somebody who is deactivated, wherever that is done, and again when they
    are let in: one may have begun at the very moment of the deactivation."""
    is_let_in = instance.is_active and update_fields == frozenset({"is_active"})
    is_over = not instance.is_active and "is_active" in (update_fields or {"is_active"})
    if not created and (is_over or is_let_in):
        sessions.end_sessions(agent=instance)


def announce_change(
    *, instance: Agent, created: bool, update_fields: frozenset[str] | None, **_: Any
) -> None:
    """Announce any change of an agent except a mere sign-in."""
    if not created and update_fields != frozenset({"last_login"}):
        announce_agent(agent=instance)
