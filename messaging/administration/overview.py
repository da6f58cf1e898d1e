"""Collect what the administration's first page tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.utils import timezone

from inboxes.models import Agent, Inbox
from messaging.administration import accounts, mail, numbers, texts, unattended, webhooks, workers
from messaging.administration.troubles import Trouble
from messaging.models import Message, Number

# What stops everything comes first.
SOURCES = (workers, accounts, numbers, webhooks, texts, unattended, mail)

# Texts of a day are counted among so many of the newest messages.
COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Fact:
    value: str
    name: str


def find_troubles(now: datetime | None = None) -> list[Trouble]:
    """Return all that is wrong now, the worst first."""
    at = now or timezone.now()
    return [trouble for source in SOURCES for trouble in source.find_troubles(at)]


def read_facts() -> list[Fact]:
    """Return how much there is of what, in figures."""
    texts_today = _count_texts_since(
        timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    )
    return [
        _fact(Agent.objects.filter(is_active=True).count(), "agent", "agents"),
        _fact(Inbox.objects.count(), "inbox", "inboxes"),
        _fact(Number.objects.count(), "number", "numbers"),
        Fact("10,000+", "texts today")
        if texts_today >= COUNTED
        else _fact(texts_today, "text today", "texts today"),
    ]


def _fact(count: int, one: str, many: str) -> Fact:
    return Fact(f"{count:,}", one if count == 1 else many)


def _count_texts_since(since: datetime) -> int:
    """Count texts up to COUNTED: keys grow with time, and `created_at` has no index."""
    newest = Message.objects.order_by("-pk")[:COUNTED]
    is_text = ~Q(kind=Message.Kind.INTERNAL) & Q(created_at__gte=since)
    count: int = newest.aggregate(count=Count("pk", filter=is_text))["count"]
    return count
