"""Count rejections with their reasons, at a bounded cost."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from messaging.inbound import rejections
from messaging.inbound.rejections import MAX_REASONS, MAX_WRITES_PER_SECOND, count_rejection
from messaging.models import Rejection
from tests.cast import CUSTOMER, Cast, client_of
from tests.messaging.carrier_calls import FORM, post_webhook, text_fields


@pytest.fixture(autouse=True)
def _as_if_started_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejections, "_recent_writes", {})


class Time:
    """Replace the module `time`."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(rejections, "time", clock)
    return clock


def test_each_reason_is_counted_and_shown_with_its_times(cast: Cast) -> None:
    for _ in range(2):
        Client().post(cast.account.webhook_path, "x=1", content_type=FORM)
    post_webhook(cast.account, text_fields("Forged words"), token="wrong")
    counts = dict(Rejection.objects.values_list("reason", "count"))
    assert counts["the signature header is missing"] == 2
    assert sum(counts.values()) == 3
    cast.account.refresh_from_db()
    assert cast.account.rejected_count == 3
    address = reverse("admin:messaging_carrieraccount_change", args=[cast.account.pk])
    page = client_of(cast.admin).get(address).content.decode()
    assert all(reason in page for reason in counts)
    kept = repr(list(Rejection.objects.values()))
    assert "Forged" not in kept
    assert CUSTOMER not in kept


def test_only_the_latest_reasons_are_kept(cast: Cast, time: Time) -> None:
    for number in range(MAX_REASONS + 5):
        time.now += 1
        count_rejection(account=cast.account, reason=f"reason {number}")
    assert Rejection.objects.count() == MAX_REASONS
    assert not Rejection.objects.filter(reason="reason 4").exists()
    cast.account.refresh_from_db()
    assert cast.account.rejected_count == MAX_REASONS + 5
    assert cast.account.last_rejection == f"reason {MAX_REASONS + 4}"


def test_signatures_of_different_ages_share_one_reason(cast: Cast) -> None:
    for seconds in (301, 302):
        count_rejection(account=cast.account, reason=f"signed well, but {seconds} s old (check)")
    assert Rejection.objects.get().reason == "signed well, but some seconds old (check)"
    cast.account.refresh_from_db()
    assert "302 s" in cast.account.last_rejection


def test_a_flood_is_counted_with_a_few_writes_a_second(cast: Cast, time: Time) -> None:
    count_rejection(account=cast.account, reason="forged")
    with CaptureQueriesContext(connection) as queries:
        for _ in range(500):
            count_rejection(account=cast.account, reason="forged")
    assert len(queries) == MAX_WRITES_PER_SECOND - 1
    time.now += 1
    count_rejection(account=cast.account, reason="forged")
    cast.account.refresh_from_db()
    assert cast.account.rejected_count == Rejection.objects.get().count == 502
