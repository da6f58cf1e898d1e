"""Note in the administration's history what was done on other pages."""

from __future__ import annotations

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.db.models import Model

from inboxes.models import Agent


def log_addition(agent: Agent, made: Model, words: str) -> None:
    LogEntry.objects.log_actions(agent.pk, [made], ADDITION, words, single_object=True)


def log_change(agent: Agent, changed: Model, words: str) -> None:
    LogEntry.objects.log_actions(agent.pk, [changed], CHANGE, words, single_object=True)
