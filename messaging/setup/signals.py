"""End the first start as soon as there is an administrator, however they came to be."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.db.models.signals import post_save

from inboxes.models import Agent
from messaging.setup import key, link_file


def connect_receivers() -> None:
    user_logged_in.connect(note_administrator, dispatch_uid="messaging.note_administrator")
    post_save.connect(end_first_start, sender=Agent, dispatch_uid="messaging.end_first_start")


def end_first_start(
    *, instance: Agent, update_fields: frozenset[str] | None, raw: bool = False, **_: Any
) -> None:
    """Make the key useless; a sign-in, which saves the agent too, changes nothing."""
    if raw or not instance.is_staff or (update_fields and "is_staff" not in update_fields):
        return
    key.end_first_start(administrator=instance)
    transaction.on_commit(link_file.remove_link)


def note_administrator(*, user: Agent, **_: Any) -> None:
    """Do the same when an administrator signs in whom nothing told of, such as a restored one."""
    if user.is_staff and not key.has_ended():
        key.end_first_start(administrator=user)
        transaction.on_commit(link_file.remove_link)
