"""Find numbers that receive no texts, may receive none, or whose texts can't be compared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from inboxes.badges import name_some
from inboxes.times import time_element
from messaging.administration.troubles import MANY, Trouble, list_url, page_url
from messaging.models import Comparison, Number, NumberConnection
from messaging.models.connections import CONNECTING_TIME


def find_troubles(now: datetime) -> Iterator[Trouble]:
    yield from _find_not_receiving()
    yield from _find_unfinished(now)
    yield from _find_not_checked(now)
    yield from _find_not_compared()


def not_compared() -> list[Number]:
    """Return the numbers in use whose last comparison told nothing, with it."""
    troubled = Comparison.objects.exclude(trouble="").filter(number__account__is_active=True)
    found = troubled.select_related("number").order_by("number__address")[:MANY]
    return [comparison.number for comparison in found]


def not_receiving() -> QuerySet[Number]:
    """Pick the numbers whose texts go elsewhere, as the carrier told last."""
    changed = NumberConnection.objects.not_receiving().filter(
        address=OuterRef("address"), account=OuterRef("account")
    )
    return Number.objects.filter(Exists(changed)).order_by("address")


def not_checked(now: datetime) -> QuerySet[Number]:
    """Pick the numbers of which their carrier has told nothing for hours."""
    silent = NumberConnection.objects.not_checked(now)
    return Number.objects.filter(address__in=silent.values("address")).order_by("address")


def _find_not_receiving() -> Iterator[Trouble]:
    numbers = list(not_receiving()[:MANY])
    if not numbers:
        return
    is_one = len(numbers) == 1
    shown = name_some([number.display for number in numbers])
    yield Trouble(
        "not_receiving",
        len(numbers),
        "A number receives no texts" if is_one else "Numbers receive no texts",
        f"New texts to {shown} do not reach Partyline: this was changed at the carrier.",
        page_url("number", numbers[0].pk) if is_one else list_url("number", "watch=not_receiving"),
        "See the number" if is_one else "See the numbers",
    )


def _find_unfinished(now: datetime) -> Iterator[Trouble]:
    """Find numbers whose connecting broke off, routed to an inbox or not yet."""
    broken_off = NumberConnection.objects.filter(
        Q(claimed_at=None) | Q(claimed_at__lt=now - CONNECTING_TIME),
        state=NumberConnection.State.CONNECTING,
        account__is_active=True,
    )
    found = list(broken_off.order_by("address")[:MANY])
    if not found:
        return
    is_one = len(found) == 1
    query = urlencode({"q": found[0].address}) if is_one else ""
    url = reverse("admin:messaging_carrieraccount_numbers", args=[found[0].account_id])
    yield Trouble(
        "not_connected",
        len(found),
        "Connecting a number isn't finished" if is_one else "Connecting numbers isn't finished",
        f"{name_some([one.display for one in found])}: it broke off, so new texts may not come "
        "here. Go on, or take it back.",
        f"{url}?{query}" if query else url,
        "See the number" if is_one else "See the numbers",
    )


def _find_not_checked(now: datetime) -> Iterator[Trouble]:
    numbers = list(not_checked(now)[:MANY])
    if not numbers:
        return
    is_one = len(numbers) == 1
    since = NumberConnection.objects.not_checked(now).aggregate(first=Min("good_at"))["first"]
    yield Trouble(
        "not_checked",
        len(numbers),
        "A number could not be checked" if is_one else "Numbers could not be checked",
        format_html(
            "Whether new texts to {} still come here can't be told since {}. "
            "The number's page says why.",
            name_some([number.display for number in numbers]),
            time_element(since, "inline"),
        ),
        page_url("number", numbers[0].pk) if is_one else list_url("number", "watch=not_checked"),
        "See the number" if is_one else "See the numbers",
    )


def _find_not_compared() -> Iterator[Trouble]:
    numbers = not_compared()
    if not numbers:
        return
    is_one = len(numbers) == 1
    yield Trouble(
        "not_compared",
        len(numbers),
        "Texts can't be compared with the carrier's list",
        f"If a text to {name_some([number.display for number in numbers])} gets lost, "
        "nobody finds it.",
        page_url("number", numbers[0].pk) if is_one else list_url("number", "compared=failing"),
        "See the number" if is_one else "See the numbers",
    )
