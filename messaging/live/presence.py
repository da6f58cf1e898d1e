"""Presence on its way: from a page into the table, from the table to pages and processes."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from inboxes.bell import is_single_process, send_to_group
from messaging.live.frames import pack
from messaging.live.pages import BadLook, Page, is_key
from threads.presence import MODES, LeaseTable, Mode, Person, ThreadKey, typing_sentence

log = logging.getLogger(__name__)

TICK = 0.25
"""Seconds between looks at the clock; leases end this late at most."""

GATHER = 0.02
"""Seconds in which several changes become one frame."""

TELL_AT_MOST_EVERY = 0.1
TELL_EVERY = 10.0
TELL_TYPING_EVERY = 3.0
"""Seconds between summaries to other processes while nothing changes: leases are to hold."""

MOST_NAMES = 24
"""People who are named below a thread, those who type first; of the others the number is told."""

PRESENCE = "presence"
"""The type of what processes tell each other here."""

Marks = dict[int, str]


@dataclass(frozen=True, slots=True)
class Here:
    """A page says that somebody is looking at its thread, and what they do there."""

    thread: int
    mode: Mode
    is_typing: bool

    @classmethod
    def parse(cls, data: object) -> Here:
        """From what the page sent; raises BadLook."""
        if not isinstance(data, dict):
            raise BadLook
        thread, mode, is_typing = data.get("thread"), data.get("mode"), data.get("is_typing")
        if not is_key(thread) or mode not in MODES or not isinstance(is_typing, bool):
            raise BadLook
        return cls(thread=thread, mode=mode, is_typing=is_typing)


class Desk:
    """The presence of one event loop's pages. It queries nothing: it knows what the pages know."""

    def __init__(
        self, pages: Mapping[int, set[Page]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.source = secrets.token_hex(8)
        self.table = LeaseTable(self.source, clock)
        self._pages = pages
        self._clock = clock
        self._is_changed = asyncio.Event()
        self._is_untold = asyncio.Event()
        self._asking: set[int] = set()
        self._told_at: dict[int, float] = {}
        self._numbers = itertools.count(1)

    # What pages say

    def here(self, page: Page, said: Here) -> None:
        """Only for the thread that the page shows and may show; else it comes too late."""
        inbox = page.thread_inbox
        if inbox is None or inbox not in page.inboxes or said.thread != page.look.thread:
            return
        person = Person(page.agent_id, page.name, page.short_name, said.mode, said.is_typing)
        self.table.renew(page, (inbox, said.thread), person)
        self._wake()

    def leave(self, page: Page) -> None:
        self.table.release(page)
        self._wake()

    async def looked(self, page: Page) -> None:
        """Tell a page that was just opened, or shows something else, who is there."""
        if page.thread_inbox is not None and page.look.thread is not None:
            people = self.table.people_in((page.thread_inbox, page.look.thread))
            await self._send(page, people, None, is_fresh=True)
        if isinstance(page.look.list, int) and page.look.list in page.inboxes:
            await self._send(
                page, None, self.table.occupied_threads(page.look.list), is_fresh=True
            )

    # What other processes say

    def hear(self, message: Mapping[str, Any]) -> None:
        """A summary from another process, or the question for ours."""
        try:
            inbox, source = int(message["id"]), str(message["source"])
            if source == self.source:
                return
            if message["people"] is None:
                self.table.unannounced_inboxes.add(inbox)
            elif inbox in self._pages:
                self.table.receive_summary(
                    inbox, source, int(message["number"]), message["people"]
                )
        except (KeyError, TypeError, ValueError) as error:
            # Of another version, or of somebody else.
            log.warning("Another process said what is no presence: %s", type(error).__name__)
        self._wake()

    def ask(self, *inboxes: int) -> None:
        """Have the other processes tell now, and tell them: we were not there to hear it."""
        self._asking.update(inboxes)
        self.table.unannounced_inboxes.update(set(inboxes) & self.table.own_inboxes())
        self._wake()

    def forget(self, inbox: int) -> None:
        """No page here looks at the inbox any more."""
        self.table.forget_other_processes(inbox)
        self._told_at.pop(inbox, None)

    # Chores

    async def show(self) -> None:
        """Bring changes to the pages; ends when cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._is_changed.wait()
            await asyncio.sleep(GATHER if self._is_changed.is_set() else 0)
            self._is_changed.clear()
            await self.show_changes()

    async def show_changes(self) -> None:
        self.table.expire()
        by_inbox: dict[int, set[ThreadKey]] = {}
        for place in self.table.take_changed_threads():
            by_inbox.setdefault(place[0], set()).add(place)
        for inbox, places in by_inbox.items():
            threads = self.table.occupied_threads(inbox)
            for page in list(self._pages.get(inbox, ())):
                place = inbox, page.thread_in(inbox) or 0
                people = self.table.people_in(place) if place in places else None
                shown = threads if page.look.list == inbox else None
                await self._send(page, people, shown)
        if self.table.unannounced_inboxes:
            self._is_untold.set()

    async def tell(self) -> None:
        """Bring our own part to the other processes; ends when cancelled, or if there are none."""
        while not is_single_process():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._is_untold.wait()
            self._is_untold.clear()
            await self._tell_now()
            await asyncio.sleep(TELL_AT_MOST_EVERY)

    async def _tell_now(self) -> None:
        asking, self._asking = self._asking, set()
        due, self.table.unannounced_inboxes = self.table.unannounced_inboxes | self._due(), set()
        questions = [self._say(inbox, None) for inbox in asking]
        answers = [self._say(inbox, self.table.summary(inbox)) for inbox in due]
        taken = await asyncio.gather(*questions, *answers)
        for inbox, is_taken in zip(asking, taken, strict=False):
            if not is_taken and inbox in self._pages:
                self._asking.add(inbox)
        for inbox, is_taken in zip(due, taken[len(questions) :], strict=True):
            if not is_taken:
                self.table.unannounced_inboxes.add(inbox)

    def _due(self) -> set[int]:
        now = self._clock()
        return {
            inbox
            for inbox in self.table.own_inboxes()
            if now - self._told_at.get(inbox, 0)
            >= (TELL_TYPING_EVERY if self.table.is_anyone_typing(inbox) else TELL_EVERY)
        }

    async def _say(self, inbox: int, people: list[Any] | None) -> bool:
        if people is not None:
            self._told_at[inbox] = self._clock()
        message = {
            "type": PRESENCE,
            "id": inbox,
            "source": self.source,
            "number": next(self._numbers),
            "people": people,
        }
        return await send_to_group("inbox", inbox, message)

    def _wake(self) -> None:
        self._is_changed.set()
        if self.table.unannounced_inboxes or self._asking:
            self._is_untold.set()

    # Frames

    async def _send(
        self,
        page: Page,
        people: tuple[Person, ...] | None,
        threads: Mapping[int, tuple[Person, ...]] | None,
        *,
        is_fresh: bool = False,
    ) -> None:
        """One frame with what differs from what the page was told; none if nothing does."""
        parts: dict[str, Any] = {}
        thread, shown = page.look.thread, page.look.list
        if people is not None and thread is not None:
            others = tuple(person for person in people if person.agent != page.agent_id)
            known = page.known_people if page.known_people[0] == thread else (thread, ())
            if others != known[1] or (is_fresh and others):
                parts["presence"] = {"thread": thread, **_drawn(others)}
            page.known_people = thread, others
        if threads is not None:
            marks = _marks_for(page.agent_id, threads)
            known_marks = page.known_marks[1] if page.known_marks[0] == shown else {}
            if marks != known_marks or (is_fresh and marks):
                parts["marks"] = {"list": shown, "threads": marks}
            page.known_marks = shown, marks
        if parts:
            await page.send(*pack(parts=parts.items()))


def _marks_for(agent: int, threads: Mapping[int, tuple[Person, ...]]) -> Marks:
    """For the list's rows: somebody else is in the thread, or is writing in it."""
    marks: Marks = {}
    for thread, people in threads.items():
        modes = {person.mode for person in people if person.agent != agent}
        if modes:
            marks[thread] = "viewing" if modes == {"reading"} else "replying"
    return marks


def _drawn(people: tuple[Person, ...]) -> dict[str, str]:
    shown = people
    if len(people) > MOST_NAMES:
        typists = [person for person in people if person.is_typing]
        readers = [person for person in people if not person.is_typing]
        shown = tuple([*typists, *readers][:MOST_NAMES])
    chips = [_chip(person) for person in people if person in shown]
    if more := len(people) - len(shown):
        chips.append(render_to_string("threads/_more_people.html", {"count": more}).strip())
    return {"people": "".join(chips), "typing": typing_sentence(people)}


@functools.lru_cache(maxsize=2_000)
def _chip(person: Person) -> str:
    return render_to_string("threads/_person.html", {"person": person}).strip()
