"""Find texts that wait too long, that failed, or that were refused because of an opt-out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce
from django.utils.html import format_html

from inboxes.times import time_element
from messaging.administration.troubles import LATELY, MANY, Trouble, list_url
from messaging.models import Attempt, DeliveryState, Message

PATIENCE = timedelta(minutes=1)


def find_troubles(now: datetime) -> Iterator[Trouble]:
    yield from _find_waiting(now)
    yield from _find_failed(now)


def _find_waiting(now: datetime) -> Iterator[Trouble]:
    queued = Message.objects.waiting_to_be_sent().order_by()
    late = queued.annotate(since=Coalesce("wanted_at", "created_at")).filter(
        since__lt=now - PATIENCE
    )
    found = late.aggregate(
        count=Count("pk"),
        oldest=Min("since"),
        paced=Count("pk", filter=Q(turn_at=None, expected_at__isnull=False)),
        retried=Count("pk", filter=Q(next_try_at__gt=now)),
    )
    if not found["count"]:
        return
    why = ""
    if found["retried"]:
        why = " The carrier can't be reached, or asks us to wait; they are tried again."
    elif found["paced"]:
        why = " Their number sends as fast as its carrier allows."
    yield Trouble(
        "waiting",
        found["count"],
        "Texts wait to be sent",
        format_html(
            "The oldest has waited since {}.{}", time_element(found["oldest"], "past"), why
        ),
        list_url("number", "waiting=yes"),
        "See the numbers",
    )


def _find_failed(now: datetime) -> Iterator[Trouble]:
    """Count the attempts of the last day, which the newest of a small index are."""
    wrong = Attempt.objects.filter(state__in=[DeliveryState.FAILED, DeliveryState.UNKNOWN])
    newest = wrong.order_by("-pk").values_list("state", "error_class", "started_at")
    lately = [
        (state, error_class)
        for state, error_class, started_at in newest[: MANY + 1]
        if started_at >= now - LATELY
    ]
    opted_out = [one for one in lately if one[1] == "opted_out"]
    failed = [one for one in lately if one[1] != "opted_out"]
    if failed:
        unknown = sum(state == DeliveryState.UNKNOWN for state, _ in failed)
        words = "Within the last day. Each one's reason stands in the list."
        if unknown:
            words = f"Within the last day; of {unknown} the outcome is unknown."
        yield Trouble(
            "failed",
            len(failed),
            "Attempts to send failed",
            words,
            list_url("attempt", "when=day&why=other"),
            "See the attempts",
        )
    if opted_out:
        yield Trouble(
            "opted_out",
            len(opted_out),
            "Texts to people who opted out",
            "The carrier refused them within the last day. We hadn't known of the opt-outs.",
            list_url("attempt", "when=day&why=opted_out"),
            "See the attempts",
        )
