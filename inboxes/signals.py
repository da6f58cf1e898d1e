"""What Django's own sign-in machinery changes about an agent, told to their open pages."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_save
from django.http import HttpRequest

from inboxes.actions import announce_agent
from inboxes.models import Agent


def connect() -> None:
    user_logged_out.connect(end_session, dispatch_uid="inboxes.end_session")
    post_save.connect(announce_change, sender=Agent, dispatch_uid="inboxes.announce_change")


def end_session(*, request: HttpRequest, user: Agent | None, **_: Any) -> None:
    """Close the session's sockets. Django sends this before it ends the session; a page that
    looked too early would find it alive, so it ends here."""
    request.session.flush()
    if user is not None:
        announce_agent(agent=user)


def announce_change(
    *, instance: Agent, created: bool, update_fields: frozenset[str] | None, **_: Any
) -> None:
    """A new password, a deactivation, another name. A mere sign-in is none of these."""
    if not created and update_fields != frozenset({"last_login"}):
        announce_agent(agent=instance)
