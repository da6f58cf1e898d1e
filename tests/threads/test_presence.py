"""The table of presence leases, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from threads.presence import (
    MODES,
    TYPING_LEASE,
    VIEWING_LEASE,
    LeaseTable,
    Mode,
    Person,
    typing_sentence,
)

ROOM = (3, 45)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def make_person(agent: int = 1, mode: Mode = "reading", *, types: bool = False) -> Person:
    names = {1: "Ana Ruiz", 2: "Ben Okafor", 3: "Cho Park", 4: "Dov Levi", 5: "Ana Bell"}
    return Person(agent, names[agent], names[agent].split()[0], mode, types)


def make_table(clock: Clock, source: str = "here") -> LeaseTable:
    return LeaseTable(source, clock)


def people_in_room(table: LeaseTable) -> list[tuple[int, str, bool]]:
    return [(one.agent, one.mode, one.is_typing) for one in table.people_in(ROOM)]


def test_viewing_ends_after_its_lease_and_not_before() -> None:
    clock = Clock()
    room = make_table(clock)
    room.renew("tab", ROOM, make_person())
    clock.now += VIEWING_LEASE - 0.01
    room.expire()
    assert people_in_room(room) == [(1, "reading", False)]
    room.take_changed_threads()
    clock.now += 0.02
    room.expire()
    assert people_in_room(room) == []
    assert room.take_changed_threads() == {ROOM}
    assert len(room) == 0


def test_a_renewal_every_ten_seconds_holds_the_lease_and_changes_nothing() -> None:
    clock = Clock()
    room = make_table(clock)
    room.renew("tab", ROOM, make_person())
    room.take_changed_threads()
    for _ in range(20):
        clock.now += 10
        room.renew("tab", ROOM, make_person())
        room.expire()
        assert room.take_changed_threads() == set()
    assert people_in_room(room) == [(1, "reading", False)]


def test_typing_ends_eight_seconds_after_the_last_refresh_and_viewing_goes_on() -> None:
    clock = Clock()
    room = make_table(clock)
    room.renew("tab", ROOM, make_person(mode="replying", types=True))
    clock.now += 3
    room.renew("tab", ROOM, make_person(mode="replying", types=True))
    clock.now += TYPING_LEASE - 0.01
    room.expire()
    room.take_changed_threads()
    assert people_in_room(room) == [(1, "replying", True)]
    clock.now += 0.02
    room.expire()
    assert room.take_changed_threads() == {ROOM}
    assert people_in_room(room) == [(1, "replying", False)]


def test_leaving_ends_everything_at_once() -> None:
    room = make_table(Clock())
    room.renew("tab", ROOM, make_person(types=True))
    room.take_changed_threads()
    room.release("tab")
    assert people_in_room(room) == []
    assert room.take_changed_threads() == {ROOM}


def test_going_to_another_thread_leaves_the_first() -> None:
    room = make_table(Clock())
    room.renew("tab", ROOM, make_person())
    room.renew("tab", (3, 46), make_person())
    assert people_in_room(room) == []
    assert set(room.occupied_threads(3)) == {46}


def test_tabs_of_one_agent_are_one_person_in_the_strongest_state() -> None:
    clock = Clock()
    room = make_table(clock)
    room.renew("one", ROOM, make_person())
    room.renew("two", ROOM, make_person(mode="internal", types=True))
    assert people_in_room(room) == [(1, "internal", True)]
    clock.now += TYPING_LEASE
    room.renew("one", ROOM, make_person(mode="replying", types=True))
    assert people_in_room(room) == [(1, "replying", True)]
    room.release("two")
    assert people_in_room(room) == [(1, "replying", True)]
    room.release("one")
    assert people_in_room(room) == []


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
def test_other_agents_never_end_somebodys_typing(
    steps: list[tuple[str, int, int, float]],
) -> None:
    """Ana refreshes every three seconds at the latest; the others do whatever they like."""
    clock = Clock()
    room = make_table(clock)
    for step, agent, tab, pause in steps:
        room.renew("ana", ROOM, make_person(1, "replying", types=True))
        clock.now += pause
        if step == "leave":
            room.release((agent, tab))
        else:
            room.renew((agent, tab), ROOM, make_person(agent, types=step == "type"))
        room.expire()
        assert (1, "replying", True) in people_in_room(room)


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
def test_the_table_agrees_with_a_model_of_the_leases(
    steps: list[tuple[str, int, int, Mode, bool, float]],
) -> None:
    """Compare the table with a model that keeps every event and computes from scratch; every
    difference has to be announced."""
    clock = Clock()
    room = make_table(clock)
    reports: dict[tuple[int, int], tuple[float, Mode, bool]] = {}
    known: Sequence[tuple[int, str, bool]] = []
    for step, agent, tab, mode, types, pause in steps:
        if step == "stay":
            room.renew((agent, tab), ROOM, make_person(agent, mode, types=types))
            reports[agent, tab] = clock.now, mode, types
        elif step == "leave":
            room.release((agent, tab))
            reports.pop((agent, tab), None)
        else:
            clock.now += pause
        room.expire()
        states: dict[int, list[tuple[bool, int]]] = {}
        for (who, _), (at, how, typed) in reports.items():
            if clock.now < at + VIEWING_LEASE:
                typing = typed and clock.now < at + TYPING_LEASE
                states.setdefault(who, []).append((typing, MODES.index(how)))
        best = {who: max(several) for who, several in states.items()}
        expected = [(who, MODES[rank], typing) for who, (typing, rank) in sorted(best.items())]
        assert people_in_room(room) == expected
        assert (ROOM in room.take_changed_threads()) == (expected != known)
        known = expected


def deliver_summary(sender: LeaseTable, receiver: LeaseTable, number: int) -> None:
    receiver.receive_summary(ROOM[0], sender.source, number, sender.summary(ROOM[0]))


def test_leases_of_another_process_count_like_our_own() -> None:
    clock = Clock()
    ours, theirs = make_table(clock, "ours"), make_table(clock, "theirs")
    ours.renew("tab", ROOM, make_person(1))
    theirs.renew("tab", ROOM, make_person(2, "replying", types=True))
    theirs.renew("tab of ana", ROOM, make_person(1, "internal"))
    deliver_summary(theirs, ours, 1)
    assert people_in_room(ours) == [(1, "internal", False), (2, "replying", True)]
    assert [line[1] for line in ours.summary(3)] == [1]
    theirs.release("tab")
    deliver_summary(theirs, ours, 2)
    assert people_in_room(ours) == [(1, "internal", False)]


def test_a_summary_replaces_only_the_last_one_of_its_process_and_a_late_one_is_ignored() -> None:
    clock = Clock()
    ours = make_table(clock, "ours")
    one, other = make_table(clock, "one"), make_table(clock, "other")
    one.renew("tab", ROOM, make_person(1))
    other.renew("tab", ROOM, make_person(2))
    late = one.summary(3)
    deliver_summary(one, ours, 1)
    deliver_summary(other, ours, 1)
    one.release("tab")
    deliver_summary(one, ours, 3)
    assert people_in_room(ours) == [(2, "reading", False)]
    ours.receive_summary(3, "one", 2, late)
    assert people_in_room(ours) == [(2, "reading", False)]


def test_the_leases_of_a_process_that_dies_run_out() -> None:
    clock = Clock()
    ours, theirs = make_table(clock, "ours"), make_table(clock, "theirs")
    theirs.renew("tab", ROOM, make_person(2, "replying", types=True))
    clock.now += 5
    deliver_summary(theirs, ours, 1)
    clock.now += 3.01
    ours.expire()
    assert people_in_room(ours) == [(2, "replying", False)]
    clock.now += 22
    ours.expire()
    assert people_in_room(ours) == []
    assert len(ours) == 0
    clock.now += 5
    ours.expire()
    assert not ours._last_summaries


def test_leases_from_another_process_last_no_longer_than_our_own() -> None:
    clock = Clock()
    ours = make_table(clock, "ours")
    ours.receive_summary(3, "liar", 1, [(45, 2, "Ben Okafor", "Ben", "reading", 1e9, 1e9)])
    clock.now += TYPING_LEASE + 0.01
    ours.expire()
    assert people_in_room(ours) == [(2, "reading", False)]
    clock.now += VIEWING_LEASE
    ours.expire()
    assert people_in_room(ours) == []


def test_a_sentence_says_who_is_typing() -> None:
    everyone = [make_person(agent, types=True) for agent in (1, 2, 3, 4)]
    assert typing_sentence([]) == ""
    assert typing_sentence([make_person(1)]) == ""
    assert typing_sentence([make_person(1), *everyone[1:2]]) == "Ben is typing"
    assert typing_sentence(everyone[:2]) == "Ana and Ben are typing"
    assert typing_sentence(everyone[:3]) == "Ana, Ben and Cho are typing"
    assert typing_sentence(everyone) == "Several people are typing"
    assert (
        typing_sentence([everyone[0], make_person(5, types=True)])
        == "Ana Ruiz and Ana Bell are typing"
    )
