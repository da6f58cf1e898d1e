"""Signal receivers that tell an agent's open pages what Django itself changed about them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_save
from django.http import HttpRequest

from inboxes.actions import announce_agent
from inboxes.models import Agent


def connect_receivers() -> None:
    user_logged_out.connect(end_session, dispatch_uid="inboxes.end_session")
    post_save.connect(announce_change, sender=Agent, dispatch_uid="inboxes.announce_change")


def end_session(*, request: HttpRequest, user: Agent | None, **_: Any) -> None:
    """End the session and close its sockets.

    Django sends the signal before it ends the session. It has to end here, or a page that checks
    early would find it alive.
    """
    request.session.flush()
    if user is not None:
        announce_agent(agent=user)


def announce_change(
    *, instance: Agent, created: bool, update_fields: frozenset[str] | None, **_: Any
) -> None:
    """Announce any change of an agent except a mere sign-in."""
    if not created and update_fields != frozenset({"last_login"}):
        announce_agent(agent=instance)
