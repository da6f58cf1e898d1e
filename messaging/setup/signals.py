"""End the first start as soon as there is an administrator, however they came to be."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_save

from inboxes.models import Agent
from messaging.setup import key, link_file


def connect_receivers() -> None:
    post_save.connect(end_first_start, sender=Agent, dispatch_uid="messaging.end_first_start")


def end_first_start(
    *, instance: Agent, update_fields: frozenset[str] | None, raw: bool = False, **_: Any
) -> None:
    """Make the key useless; a sign-in, which saves the agent too, changes nothing."""
    if raw or not instance.is_staff or (update_fields and "is_staff" not in update_fields):
        return
    key.end_first_start(administrator=instance)
    transaction.on_commit(link_file.remove_link)
