"""Presence: the agents who look at a thread or type in it now, as leases in memory.

Each process keeps one table. A lease has a holder: a tab of this process, or one agent in the
summary of another process. An agent who holds several leases in a thread is one person there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

Mode = Literal["reading", "replying", "internal"]
# In ascending order: of an agent's tabs, the one with the highest mode is shown.
MODES: tuple[Mode, ...] = get_args(Mode)

# Seconds without news after which an agent no longer looks at a thread, or no longer types.
VIEWING_LEASE = 30.0
TYPING_LEASE = 8.0

# Primary keys of an inbox and of a thread in it.
ThreadKey = tuple[int, int]

# Thread, agent, display name, short name, mode, and the seconds for which the viewing lease and
# the typing lease still run. Seconds instead of times, because the processes' clocks may differ.
AgentSummary = tuple[int, int, str, str, str, float, float]


@dataclass(frozen=True, slots=True)
class Person:
    """An agent in a thread, as the others see them."""

    agent: int
    name: str
    short_name: str
    mode: Mode = "reading"
    is_typing: bool = False

    @property
    def activity(self) -> str:
        """Return what the person does, as the page says it."""
        return "writing internally" if self.mode == "internal" else self.mode

    @property
    def classes(self) -> str:
        """Return the CSS classes."""
        return f"person {self.mode}{' is-typing' if self.is_typing else ''}"

    @property
    def icon(self) -> str:
        """Return the heroicon of what they do; readers have none."""
        return {"internal": "eye", "replying": "pencil"}.get(self.mode, "")

    @property
    def rank(self) -> tuple[bool, int]:
        return self.is_typing, MODES.index(self.mode)


@dataclass(frozen=True, slots=True)
class Lease:
    """One holder's presence in a thread. `typing_until` counts, not `person.is_typing`."""

    source: str
    person: Person
    viewing_until: float
    typing_until: float

    def person_at(self, now: float) -> Person:
        return replace(self.person, is_typing=now < self.typing_until)


class LeaseTable:
    """The leases known to one process.

    `unannounced_inboxes` collects the inboxes where this process's own leases changed, so that
    the other processes need a new summary.
    """

    def __init__(self, source: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.source = source
        self.unannounced_inboxes: set[int] = set()
        self._clock = clock
        self._leases: dict[ThreadKey, dict[Hashable, Lease]] = {}
        self._thread_by_holder: dict[Hashable, ThreadKey] = {}
        self._shown: dict[ThreadKey, tuple[Person, ...]] = {}
        self._next_expiry: dict[ThreadKey, float] = {}
        self._changed_threads: set[ThreadKey] = set()
        self._last_summaries: dict[tuple[int, str], tuple[int, float]] = {}

    # Leases of this process's own tabs

    def renew(self, holder: Hashable, key: ThreadKey, person: Person) -> None:
        """Start or extend a tab's lease; a lease that it held in another thread ends."""
        if self._thread_by_holder.get(holder, key) != key:
            self.release(holder)
        now = self._clock()
        typing_until = now + TYPING_LEASE if person.is_typing else now
        lease = Lease(self.source, person, now + VIEWING_LEASE, typing_until)
        self._thread_by_holder[holder] = key
        leases = self._leases.setdefault(key, {})
        before, leases[holder] = leases.get(holder), lease
        # Most reports of pages only say that nothing has changed.
        if before is None or before.person_at(now) != person or before.viewing_until <= now:
            self._update_shown(key, is_own=True)

    def release(self, holder: Hashable) -> None:
        """End a tab's lease, if it holds one."""
        key = self._thread_by_holder.pop(holder, None)
        if key is not None:
            self._leases[key].pop(holder, None)
            self._update_shown(key, is_own=True)

    # Summaries between processes

    def summary(self, inbox: int) -> list[AgentSummary]:
        """Return this process's own leases in an inbox, one line for each agent and thread."""
        now = self._clock()
        lines: list[AgentSummary] = []
        for (leased_inbox, thread), leases in self._leases.items():
            if leased_inbox != inbox:
                continue
            own = [
                lease
                for lease in leases.values()
                if lease.source == self.source and now < lease.viewing_until
            ]
            for one in merge_by_agent(lease.person_at(now) for lease in own):
                theirs = [lease for lease in own if lease.person.agent == one.agent]
                viewing = max(lease.viewing_until for lease in theirs) - now
                typing = max(0.0, max(lease.typing_until for lease in theirs) - now)
                names = one.name, one.short_name
                lines.append((thread, one.agent, *names, one.mode, viewing, typing))
        return lines

    def receive_summary(
        self, inbox: int, source: str, number: int, lines: Iterable[AgentSummary]
    ) -> None:
        """Replace another process's last summary of an inbox by this one.

        A summary that arrives after a later one is ignored. Raises TypeError or ValueError for
        anything that is no summary.
        """
        now = self._clock()
        last, _ = self._last_summaries.get((inbox, source), (0, now))
        if source == self.source or number <= last:
            return
        fresh = {}
        for thread, agent, name, short_name, mode, viewing, typing in lines:
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
        self._last_summaries[inbox, source] = number, now + VIEWING_LEASE
        touched = {key for key, _ in fresh.values()}
        for key, leases in self._leases.items():
            if key[0] == inbox:
                for holder in [
                    holder for holder, lease in leases.items() if lease.source == source
                ]:
                    del leases[holder]
                    touched.add(key)
        for holder, (key, lease) in fresh.items():
            self._leases.setdefault(key, {})[holder] = lease
        for key in touched:
            self._update_shown(key, is_own=False)

    def forget_other_processes(self, inbox: int) -> None:
        """Drop what other processes reported of an inbox that no page here shows any more."""
        for known in [known for known in self._last_summaries if known[0] == inbox]:
            del self._last_summaries[known]
        for key in [key for key in self._leases if key[0] == inbox]:
            leases = self._leases[key]
            for holder in [
                holder for holder, lease in leases.items() if lease.source != self.source
            ]:
                del leases[holder]
            self._update_shown(key, is_own=False)

    # Reading the table

    def people_in(self, key: ThreadKey) -> tuple[Person, ...]:
        """Return the people in a thread, one entry for each agent, in the order of their names."""
        now = self._clock()
        leases = self._leases.get(key, {}).values()
        return merge_by_agent(
            lease.person_at(now) for lease in leases if now < lease.viewing_until
        )

    def occupied_threads(self, inbox: int) -> dict[int, tuple[Person, ...]]:
        """Return the people by thread, for the threads of an inbox that have any."""
        found = {key[1]: self.people_in(key) for key in self._leases if key[0] == inbox}
        return {thread: people for thread, people in found.items() if people}

    def is_anyone_typing(self, inbox: int) -> bool:
        """Return True while an agent types in the inbox in a tab of this process."""
        now = self._clock()
        return any(
            lease.source == self.source and now < lease.typing_until
            for key, leases in self._leases.items()
            if key[0] == inbox
            for lease in leases.values()
        )

    def own_inboxes(self) -> set[int]:
        """Return the inboxes in which a tab of this process holds a lease."""
        return {inbox for inbox, _ in self._thread_by_holder.values()}

    def expire(self) -> None:
        """Drop leases that have run out. Call it often: nothing else notices the time."""
        now = self._clock()
        for key in [key for key, end in self._next_expiry.items() if end <= now]:
            leases = self._leases[key]
            ended = [holder for holder, lease in leases.items() if lease.viewing_until <= now]
            is_own = any(leases[holder].source == self.source for holder in ended)
            for holder in ended:
                del leases[holder]
                self._thread_by_holder.pop(holder, None)
            self._update_shown(key, is_own=is_own)
        for known, (_, until) in list(self._last_summaries.items()):
            if until <= now:
                del self._last_summaries[known]

    def take_changed_threads(self) -> set[ThreadKey]:
        """Return the threads whose people changed since the last call."""
        changed, self._changed_threads = self._changed_threads, set()
        return changed

    def __len__(self) -> int:
        return sum(len(leases) for leases in self._leases.values())

    def _update_shown(self, key: ThreadKey, *, is_own: bool) -> None:
        if not self._leases.get(key, True):
            del self._leases[key]
        self._note_next_expiry(key)
        people = self.people_in(key)
        if people == self._shown.get(key, ()):
            return
        self._changed_threads.add(key)
        if is_own:
            self.unannounced_inboxes.add(key[0])
        if people:
            self._shown[key] = people
        else:
            del self._shown[key]

    def _note_next_expiry(self, key: ThreadKey) -> None:
        """Note the time at which the first lease of the thread runs out, if it has any."""
        now = self._clock()
        leases = self._leases.get(key, {}).values()
        ends = [end for one in leases for end in (one.viewing_until, one.typing_until)]
        self._next_expiry.pop(key, None)
        if leases:
            self._next_expiry[key] = min((end for end in ends if end > now), default=now)


def merge_by_agent(people: Iterable[Person]) -> tuple[Person, ...]:
    """Return one entry for each agent, the one of the highest rank, in the order of names."""
    highest: dict[int, Person] = {}
    for person in people:
        other = highest.get(person.agent)
        if other is None or person.rank > other.rank:
            highest[person.agent] = person
    return tuple(sorted(highest.values(), key=lambda one: (one.name.casefold(), one.agent)))


def typing_sentence(people: Iterable[Person]) -> str:
    """Return a sentence like "Ana is typing"; an empty one if nobody types."""
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
