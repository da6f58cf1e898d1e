"""Who is in which thread at this moment: leases in memory, never stored.

A table for one process. A seat is one tab of this process, or what another process told about
one agent; an agent with several seats in a thread is one person there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

Mode = Literal["reading", "replying", "internal"]
MODES: tuple[Mode, ...] = get_args(Mode)
"""From the weakest to the strongest: of an agent's tabs, the strongest is shown."""

VIEWING_LEASE = 30.0
TYPING_LEASE = 8.0
"""Seconds after which somebody of whom nothing was heard is gone, or types no more."""

Place = tuple[int, int]
"""An inbox and a thread in it."""

Told = tuple[int, int, str, str, str, float, float]
"""What one process tells of one agent: thread, agent, display name, short name, mode, and the
seconds that the leases still run (the processes' clocks need not agree)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a thread, as the others see them."""

    agent: int
    name: str
    short_name: str
    mode: Mode = "reading"
    is_typing: bool = False

    @property
    def doing(self) -> str:
        """What they do, in words."""
        return "writing internally" if self.mode == "internal" else self.mode

    @property
    def strength(self) -> tuple[bool, int]:
        return self.is_typing, MODES.index(self.mode)


@dataclass(frozen=True, slots=True)
class Lease:
    """A seat's share in a thread. `person.is_typing` is out of use here: the time decides."""

    source: str
    person: Person
    viewing_until: float
    typing_until: float

    def at(self, now: float) -> Person:
        return replace(self.person, is_typing=now < self.typing_until)


class Table:
    """The leases known to one process. `changed` collects the places that look different since
    `take_changes`; `untold` the inboxes whose own part other processes should hear again."""

    def __init__(self, source: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.source = source
        self.untold: set[int] = set()
        self._clock = clock
        self._leases: dict[Place, dict[Hashable, Lease]] = {}
        self._places: dict[Hashable, Place] = {}
        self._shown: dict[Place, tuple[Person, ...]] = {}
        self._next_ends: dict[Place, float] = {}
        self._changed: set[Place] = set()
        self._heard: dict[tuple[int, str], tuple[int, float]] = {}

    # This process's own tabs

    def stay(self, seat: Hashable, place: Place, person: Person) -> None:
        """The tab is in the place, and says so again before its lease ends."""
        if self._places.get(seat, place) != place:
            self.leave(seat)
        now = self._clock()
        typing_until = now + TYPING_LEASE if person.is_typing else now
        lease = Lease(self.source, person, now + VIEWING_LEASE, typing_until)
        self._places[seat] = place
        leases = self._leases.setdefault(place, {})
        before, leases[seat] = leases.get(seat), lease
        # Most of what pages say is that nothing has changed.
        if before is None or before.at(now) != person or before.viewing_until <= now:
            self._renew(place, is_own=True)

    def leave(self, seat: Hashable) -> None:
        """The tab is gone from wherever it was."""
        place = self._places.pop(seat, None)
        if place is not None:
            self._leases[place].pop(seat, None)
            self._renew(place, is_own=True)

    # What other processes tell

    def summary(self, inbox: int) -> list[Told]:
        """What this process has to tell of an inbox: its own seats, one line for each agent."""
        now = self._clock()
        told: list[Told] = []
        for (of, thread), leases in self._leases.items():
            if of != inbox:
                continue
            own = [
                lease
                for lease in leases.values()
                if lease.source == self.source and now < lease.viewing_until
            ]
            for one in merged(lease.at(now) for lease in own):
                theirs = [lease for lease in own if lease.person.agent == one.agent]
                viewing = max(lease.viewing_until for lease in theirs) - now
                typing = max(0.0, max(lease.typing_until for lease in theirs) - now)
                names = one.name, one.short_name
                told.append((thread, one.agent, *names, one.mode, viewing, typing))
        return told

    def hear(self, inbox: int, source: str, number: int, told: Iterable[Told]) -> None:
        """Put a process's summary in the place of its last one. One that was overtaken by a
        later one on its way is left out. Raises TypeError or ValueError on anything else."""
        now = self._clock()
        last, _ = self._heard.get((inbox, source), (0, now))
        if source == self.source or number <= last:
            return
        fresh = {}
        for thread, agent, name, short_name, mode, viewing, typing in told:
            if mode not in MODES:
                raise ValueError(mode)
            person = Person(int(agent), str(name), str(short_name), mode)
            lease = Lease(
                source,
                person,
                now + min(float(viewing), VIEWING_LEASE),
                now + min(float(typing), TYPING_LEASE),
            )
            fresh[(source, inbox, int(thread), int(agent))] = ((inbox, int(thread)), lease)
        self._heard[inbox, source] = number, now + VIEWING_LEASE
        touched = {place for place, _ in fresh.values()}
        for place, leases in self._leases.items():
            if place[0] == inbox:
                for seat in [key for key, lease in leases.items() if lease.source == source]:
                    del leases[seat]
                    touched.add(place)
        for seat, (place, lease) in fresh.items():
            self._leases.setdefault(place, {})[seat] = lease
        for place in touched:
            self._renew(place, is_own=False)

    def forget(self, inbox: int) -> None:
        """Nobody here looks at the inbox any more: drop what others told of it."""
        for key in [key for key in self._heard if key[0] == inbox]:
            del self._heard[key]
        for place in [place for place in self._leases if place[0] == inbox]:
            leases = self._leases[place]
            for seat in [key for key, lease in leases.items() if lease.source != self.source]:
                del leases[seat]
            self._renew(place, is_own=False)

    # What is shown

    def people(self, place: Place) -> tuple[Person, ...]:
        """Everybody in a thread, one entry for each agent, in the order of their names."""
        now = self._clock()
        leases = self._leases.get(place, {}).values()
        return merged(lease.at(now) for lease in leases if now < lease.viewing_until)

    def threads(self, inbox: int) -> dict[int, tuple[Person, ...]]:
        """The threads of an inbox in which somebody is."""
        found = {place[1]: self.people(place) for place in self._leases if place[0] == inbox}
        return {thread: people for thread, people in found.items() if people}

    def is_typed_in(self, inbox: int) -> bool:
        """Whether anybody of this process types in the inbox."""
        now = self._clock()
        return any(
            lease.source == self.source and now < lease.typing_until
            for place, leases in self._leases.items()
            if place[0] == inbox
            for lease in leases.values()
        )

    def own_inboxes(self) -> set[int]:
        """The inboxes in which somebody of this process is."""
        return {inbox for inbox, _ in self._places.values()}

    def lapse(self) -> None:
        """Drop what ran out. Call it often: what is shown changes by the clock alone."""
        now = self._clock()
        for place in [place for place, end in self._next_ends.items() if end <= now]:
            leases = self._leases[place]
            ended = [seat for seat, lease in leases.items() if lease.viewing_until <= now]
            is_own = any(leases[seat].source == self.source for seat in ended)
            for seat in ended:
                del leases[seat]
                self._places.pop(seat, None)
            self._renew(place, is_own=is_own)
        for key, (_, until) in list(self._heard.items()):
            if until <= now:
                del self._heard[key]

    def take_changes(self) -> set[Place]:
        """The places that look different since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def __len__(self) -> int:
        return sum(len(leases) for leases in self._leases.values())

    def _renew(self, place: Place, *, is_own: bool) -> None:
        if not self._leases.get(place, True):
            del self._leases[place]
        self._note_next_end(place)
        people = self.people(place)
        if people == self._shown.get(place, ()):
            return
        self._changed.add(place)
        if is_own:
            self.untold.add(place[0])
        if people:
            self._shown[place] = people
        else:
            del self._shown[place]

    def _note_next_end(self, place: Place) -> None:
        """Note when the place may next change by the clock alone; never, if it is empty."""
        now = self._clock()
        leases = self._leases.get(place, {}).values()
        ends = [end for one in leases for end in (one.viewing_until, one.typing_until)]
        self._next_ends.pop(place, None)
        if leases:
            self._next_ends[place] = min((end for end in ends if end > now), default=now)


def merged(people: Iterable[Person]) -> tuple[Person, ...]:
    """One entry for each agent, the strongest, in the order of their names."""
    strongest: dict[int, Person] = {}
    for person in people:
        other = strongest.get(person.agent)
        if other is None or person.strength > other.strength:
            strongest[person.agent] = person
    return tuple(sorted(strongest.values(), key=lambda one: (one.name.casefold(), one.agent)))


def typing_words(people: Iterable[Person]) -> str:
    """Words like "Ana is typing" for those of the people who do; empty if nobody does."""
    typists = [person for person in people if person.is_typing]
    if len(typists) > 3:
        return "Several people are typing"
    short = [person.short_name for person in typists]
    is_clear = len(set(short)) == len(short)
    names = short if is_clear else [person.name for person in typists]
    if not names:
        return ""
    if len(names) == 1:
        return f"{names[0]} is typing"
    return f"{', '.join(names[:-1])} and {names[-1]} are typing"
