"""Signal receivers: push goes to the sessions in which it was asked for, and ends with them."""

from __future__ import annotations

from typing import Any

from inboxes.models import Agent
from inboxes.sessions import session_key_renewed, sessions_ended
from messaging.models import PushSubscription


def connect_receivers() -> None:
    session_key_renewed.connect(follow_session, dispatch_uid="messaging.follow_session")
    sessions_ended.connect(forget_browsers, dispatch_uid="messaging.forget_browsers")


def follow_session(*, old: str, new: str, **_: Any) -> None:
    PushSubscription.objects.filter(session_key=old).update(session_key=new)


def forget_browsers(*, agent: Agent, kept_key: str, **_: Any) -> None:
    PushSubscription.objects.filter(agent=agent).exclude(session_key=kept_key).delete()
