"""The table of leases by itself, with a clock that the test turns."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from threads.presence import (
    MODES,
    TYPING_LEASE,
    VIEWING_LEASE,
    Mode,
    Person,
    Table,
    typing_words,
)

ROOM = (3, 45)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def person(agent: int = 1, mode: Mode = "reading", *, types: bool = False) -> Person:
    names = {1: "Ana Ruiz", 2: "Ben Okafor", 3: "Cho Park", 4: "Dov Levi", 5: "Ana Bell"}
    return Person(agent, names[agent], names[agent].split()[0], mode, types)


def table(clock: Clock, source: str = "here") -> Table:
    return Table(source, clock)


def seen(of: Table) -> list[tuple[int, str, bool]]:
    return [(one.agent, one.mode, one.is_typing) for one in of.people(ROOM)]


def test_viewing_ends_after_its_lease_and_not_before() -> None:
    clock = Clock()
    room = table(clock)
    room.stay("tab", ROOM, person())
    clock.now += VIEWING_LEASE - 0.01
    room.lapse()
    assert seen(room) == [(1, "reading", False)]
    room.take_changes()
    clock.now += 0.02
    room.lapse()
    assert seen(room) == []
    assert room.take_changes() == {ROOM}
    assert len(room) == 0


def test_a_renewal_every_ten_seconds_holds_the_lease_and_changes_nothing() -> None:
    clock = Clock()
    room = table(clock)
    room.stay("tab", ROOM, person())
    room.take_changes()
    for _ in range(20):
        clock.now += 10
        room.stay("tab", ROOM, person())
        room.lapse()
        assert room.take_changes() == set()
    assert seen(room) == [(1, "reading", False)]


def test_typing_ends_eight_seconds_after_the_last_refresh_and_viewing_goes_on() -> None:
    clock = Clock()
    room = table(clock)
    room.stay("tab", ROOM, person(mode="replying", types=True))
    clock.now += 3
    room.stay("tab", ROOM, person(mode="replying", types=True))
    clock.now += TYPING_LEASE - 0.01
    room.lapse()
    room.take_changes()
    assert seen(room) == [(1, "replying", True)]
    clock.now += 0.02
    room.lapse()
    assert room.take_changes() == {ROOM}
    assert seen(room) == [(1, "replying", False)]


def test_leaving_ends_everything_at_once() -> None:
    room = table(Clock())
    room.stay("tab", ROOM, person(types=True))
    room.take_changes()
    room.leave("tab")
    assert seen(room) == []
    assert room.take_changes() == {ROOM}


def test_going_to_another_thread_leaves_the_first() -> None:
    room = table(Clock())
    room.stay("tab", ROOM, person())
    room.stay("tab", (3, 46), person())
    assert seen(room) == []
    assert set(room.threads(3)) == {46}


def test_tabs_of_one_agent_are_one_person_in_the_strongest_state() -> None:
    clock = Clock()
    room = table(clock)
    room.stay("one", ROOM, person())
    room.stay("two", ROOM, person(mode="internal", types=True))
    assert seen(room) == [(1, "internal", True)]
    clock.now += TYPING_LEASE
    room.stay("one", ROOM, person(mode="replying", types=True))
    assert seen(room) == [(1, "replying", True)]
    room.leave("two")
    assert seen(room) == [(1, "replying", True)]
    room.leave("one")
    assert seen(room) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["type", "stop", "leave", "stay"]),
            st.integers(2, 4),
            st.integers(0, 1),
            st.floats(0, 2.9),
        ),
        max_size=30,
    )
)
def test_nothing_that_others_do_ends_the_typing_of_one(
    deeds: list[tuple[str, int, int, float]],
) -> None:
    """Ana refreshes every three seconds at the latest; the others do whatever they like."""
    clock = Clock()
    room = table(clock)
    for deed, agent, tab, pause in deeds:
        room.stay("ana", ROOM, person(1, "replying", types=True))
        clock.now += pause
        if deed == "leave":
            room.leave((agent, tab))
        else:
            room.stay((agent, tab), ROOM, person(agent, types=deed == "type"))
        room.lapse()
        assert (1, "replying", True) in seen(room)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["stay", "leave", "wait"]),
        st.integers(1, 3),
        st.integers(0, 1),
        st.sampled_from(MODES),
        st.booleans(),
        st.floats(0, 12),
    ),
    max_size=40,
)


@given(STEPS)
def test_the_table_is_what_the_leases_say(
    steps: list[tuple[str, int, int, Mode, bool, float]],
) -> None:
    """Against a model that keeps every event and computes from scratch; and every difference
    that is seen was announced."""
    clock = Clock()
    room = table(clock)
    said: dict[tuple[int, int], tuple[float, Mode, bool]] = {}
    known: Sequence[tuple[int, str, bool]] = []
    for deed, agent, tab, mode, types, pause in steps:
        if deed == "stay":
            room.stay((agent, tab), ROOM, person(agent, mode, types=types))
            said[agent, tab] = clock.now, mode, types
        elif deed == "leave":
            room.leave((agent, tab))
            said.pop((agent, tab), None)
        else:
            clock.now += pause
        room.lapse()
        states: dict[int, list[tuple[bool, int]]] = {}
        for (who, _), (at, how, typed) in said.items():
            if clock.now < at + VIEWING_LEASE:
                typing = typed and clock.now < at + TYPING_LEASE
                states.setdefault(who, []).append((typing, MODES.index(how)))
        best = {who: max(several) for who, several in states.items()}
        expected = [(who, MODES[rank], typing) for who, (typing, rank) in sorted(best.items())]
        assert seen(room) == expected
        assert (ROOM in room.take_changes()) == (expected != known)
        known = expected


def tell(teller: Table, hearer: Table, number: int) -> None:
    hearer.hear(ROOM[0], teller.source, number, teller.summary(ROOM[0]))


def test_what_another_process_tells_counts_like_our_own() -> None:
    clock = Clock()
    ours, theirs = table(clock, "ours"), table(clock, "theirs")
    ours.stay("tab", ROOM, person(1))
    theirs.stay("tab", ROOM, person(2, "replying", types=True))
    theirs.stay("tab of ana", ROOM, person(1, "internal"))
    tell(theirs, ours, 1)
    assert seen(ours) == [(1, "internal", False), (2, "replying", True)]
    assert [line[1] for line in ours.summary(3)] == [1]
    theirs.leave("tab")
    tell(theirs, ours, 2)
    assert seen(ours) == [(1, "internal", False)]


def test_a_summary_replaces_the_last_one_of_its_process_alone_and_may_not_come_late() -> None:
    clock = Clock()
    ours = table(clock, "ours")
    one, other = table(clock, "one"), table(clock, "other")
    one.stay("tab", ROOM, person(1))
    other.stay("tab", ROOM, person(2))
    late = one.summary(3)
    tell(one, ours, 1)
    tell(other, ours, 1)
    one.leave("tab")
    tell(one, ours, 3)
    assert seen(ours) == [(2, "reading", False)]
    ours.hear(3, "one", 2, late)
    assert seen(ours) == [(2, "reading", False)]


def test_a_process_that_dies_is_gone_with_its_leases() -> None:
    clock = Clock()
    ours, theirs = table(clock, "ours"), table(clock, "theirs")
    theirs.stay("tab", ROOM, person(2, "replying", types=True))
    clock.now += 5
    tell(theirs, ours, 1)
    clock.now += 3.01
    ours.lapse()
    assert seen(ours) == [(2, "replying", False)]
    clock.now += 22
    ours.lapse()
    assert seen(ours) == []
    assert len(ours) == 0
    clock.now += 5
    ours.lapse()
    assert not ours._heard


def test_leases_told_are_never_longer_than_our_own() -> None:
    clock = Clock()
    ours = table(clock, "ours")
    ours.hear(3, "liar", 1, [(45, 2, "Ben Okafor", "Ben", "reading", 1e9, 1e9)])
    clock.now += TYPING_LEASE + 0.01
    ours.lapse()
    assert seen(ours) == [(2, "reading", False)]
    clock.now += VIEWING_LEASE
    ours.lapse()
    assert seen(ours) == []


def test_what_is_typed_is_told_in_words() -> None:
    everyone = [person(agent, types=True) for agent in (1, 2, 3, 4)]
    assert typing_words([]) == ""
    assert typing_words([person(1)]) == ""
    assert typing_words([person(1), *everyone[1:2]]) == "Ben is typing"
    assert typing_words(everyone[:2]) == "Ana and Ben are typing"
    assert typing_words(everyone[:3]) == "Ana, Ben and Cho are typing"
    assert typing_words(everyone) == "Several people are typing"
    assert typing_words([everyone[0], person(5, types=True)]) == "Ana Ruiz and Ana Bell are typing"
