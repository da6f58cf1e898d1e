"""Find carriers' requests that were refused, or that wait in quarantine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils.html import format_html

from inboxes.badges import name_some
from inboxes.times import time_element
from messaging.administration.troubles import LATELY, MANY, Trouble, list_url, page_url
from messaging.models import Rejection, Webhook


def find_troubles(now: datetime) -> Iterator[Trouble]:
    yield from _find_rejected(now)
    yield from _find_quarantined()


def _find_rejected(now: datetime) -> Iterator[Trouble]:
    lately = Rejection.objects.filter(last_at__gte=now - LATELY).select_related("account")
    rejections = list(lately.order_by("-last_at", "-pk")[:MANY])
    if not rejections:
        return
    newest = rejections[0]
    accounts = {one.account_id: one.account.name for one in rejections}
    is_one = len(accounts) == 1
    yield Trouble(
        "rejected",
        len(rejections),
        "Requests of a carrier are refused" if is_one else "Requests of carriers are refused",
        format_html(
            "{}: “{}”, last {}. Texts may be missing.",
            name_some(list(accounts.values())),
            newest.reason,
            time_element(newest.last_at, "past"),
        ),
        page_url("carrieraccount", newest.account_id)
        if is_one
        else list_url("carrieraccount", "state=rejected"),
        "See the reasons",
    )


def _find_quarantined() -> Iterator[Trouble]:
    newest_first = Webhook.objects.quarantined().order_by("-received_at")
    received = list(newest_first.values_list("received_at", flat=True)[: MANY + 1])
    if not received:
        return
    yield Trouble(
        "quarantine",
        len(received),
        "In quarantine",
        format_html(
            "Carriers sent what couldn't be understood; the newest came {}. "
            "It is kept, and can be tried again.",
            time_element(received[0], "past"),
        ),
        list_url("webhook"),
        "See the quarantine",
    )
