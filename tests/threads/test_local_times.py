from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inboxes import times
from threads import local_times

DENVER = ZoneInfo("America/Denver")
ZONES = st.sampled_from(sorted(times.zone_names())).map(ZoneInfo)
START = datetime(2024, 1, 1, tzinfo=UTC)
# Five years, with all their changes of clocks.
MOMENTS = st.integers(0, 5 * 365 * 24 * 60).map(lambda minute: START + timedelta(minutes=minute))


def names(address: str, chosen: str = "") -> list[str]:
    return [str(zone) for zone in local_times.possible_zones(address, chosen)]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("+13035550149", ["America/Denver"]),
        ("+12085550100", ["America/Boise", "America/Los_Angeles"]),
        ("+4915112345678", ["Europe/Berlin"]),
        ("+18005550100", []),  # toll-free: it belongs to no place
        ("+15005550006", []),
        ("+80012345678", []),
        ("72645", []),
        ("BANK", []),
    ],
)
def test_a_number_tells_where_somebody_may_be(address: str, expected: list[str]) -> None:
    assert names(address) == expected


def test_what_a_member_chose_counts_more_than_the_number() -> None:
    assert names("+13035550149", "Europe/Paris") == ["Europe/Paris"]
    assert names("72645", "Europe/Paris") == ["Europe/Paris"]
    assert names("+13035550149", "Nowhere/Land") == ["America/Denver"]


@pytest.mark.parametrize(
    ("clock", "is_quiet"),
    [("07:59:59", True), ("08:00:00", False), ("20:59:59", False), ("21:00:00", True)],
)
def test_the_day_is_from_eight_to_nine_in_the_evening(clock: str, is_quiet: bool) -> None:
    at = datetime.fromisoformat(f"2026-11-28T{clock}").replace(tzinfo=DENVER)
    assert local_times.is_quiet(DENVER, at) is is_quiet


def test_zones_may_disagree() -> None:
    zones = local_times.possible_zones("+12085550100")
    between = datetime(2026, 11, 28, 4, 30, tzinfo=UTC)  # 9:30 PM in Boise, 8:30 PM in Los Angeles
    assert local_times.find_quiet(zones, between) == "somewhere"
    assert local_times.find_quiet(zones, between + timedelta(hours=1)) == "everywhere"
    assert local_times.find_quiet(zones, between - timedelta(hours=3)) == "nowhere"
    assert local_times.find_quiet([], between) == "nowhere"


@given(zone=ZONES, after=MOMENTS)
def test_the_next_morning_is_at_eight_whatever_the_clocks_do(
    zone: ZoneInfo, after: datetime
) -> None:
    morning = local_times.next_morning([zone], after)
    assert morning is not None
    assert after < morning <= after + timedelta(hours=49)
    assert morning.astimezone(zone).strftime("%H:%M:%S") == "08:00:00"
    # None was skipped: all moments of a quarter of an hour between them show another time.
    steps = int((morning - after) / timedelta(minutes=15))
    earlier = (morning - timedelta(minutes=15) * step for step in range(1, steps + 1))
    assert all(
        moment.astimezone(zone).strftime("%H:%M") != "08:00"
        for moment in earlier
        if moment > after
    )


@given(zones=st.lists(ZONES, min_size=1, max_size=4), after=MOMENTS)
def test_a_morning_for_several_zones_is_quiet_in_none(
    zones: list[ZoneInfo], after: datetime
) -> None:
    morning = local_times.next_morning(zones, after)
    if morning is None:
        return
    assert local_times.find_quiet(zones, morning) == "nowhere"
    assert local_times.zone_of_morning(zones, morning) in zones


def test_zones_that_never_wake_together_have_no_morning() -> None:
    apart = [ZoneInfo(name) for name in ("UTC", "Asia/Shanghai", "America/Los_Angeles")]
    now = datetime(2026, 11, 28, tzinfo=UTC)
    moments = [now + timedelta(minutes=15) * step for step in range(96)]
    assert all(local_times.find_quiet(apart, moment) != "nowhere" for moment in moments)
    assert local_times.next_morning(apart, now) is None


def test_the_local_time_is_worded_in_the_readers_own_way() -> None:
    late = datetime(2026, 11, 29, 5, 12, tzinfo=UTC)
    shown = local_times.read_local_time("+13035550149", "", late)
    assert shown is not None
    assert (shown.words, shown.place, shown.is_guessed) == ("10:12 PM", "Denver time", True)
    with times.reading("de", "Europe/Berlin"):
        assert shown.words == "22:12"
    either = local_times.read_local_time("+12085550100", "", late)
    assert either is not None
    assert (either.words, either.place) == ("9:12 PM to 10:12 PM", "")
    assert local_times.read_local_time("72645", "", late) is None
