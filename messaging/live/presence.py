"""Presence: from a page into the lease table, and from there to pages and other processes."""

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
from messaging.live.frames import pack_frames
from messaging.live.pages import BadMessage, Page, is_primary_key
from threads.presence import MODES, LeaseTable, Mode, Person, ThreadKey, typing_sentence

log = logging.getLogger(__name__)

CHECK_INTERVAL = 0.25  # Seconds between checks of the clock; a lease ends this late at most

COALESCE_TIME = 0.02  # Seconds in which several changes become one frame

# Seconds between summaries to other processes. While nothing changes they are repeated, more often
# while somebody types, so that leases do not lapse.
MIN_SUMMARY_INTERVAL = 0.1
SUMMARY_INTERVAL = 10.0
TYPING_SUMMARY_INTERVAL = 3.0

# People who are named below a thread, those who type first; the rest are counted.
MAX_NAMES = 24

PRESENCE = "presence"  # The type of the messages between processes

RowPresence = dict[int, str]


@dataclass(frozen=True, slots=True)
class PresenceReport:
    """Hold a page's report that its agent looks at a thread, and what they do there."""

    thread: int
    mode: Mode
    is_typing: bool

    @classmethod
    def parse(cls, data: object) -> PresenceReport:
        """Read what a page sent. Raises BadMessage."""
        if not isinstance(data, dict):
            raise BadMessage
        thread, mode, is_typing = data.get("thread"), data.get("mode"), data.get("is_typing")
        if not is_primary_key(thread) or mode not in MODES or not isinstance(is_typing, bool):
            raise BadMessage
        return cls(thread=thread, mode=mode, is_typing=is_typing)


class PresenceTracker:
    """Keep the presence of one event loop's pages. It makes no queries: it uses what the pages
    know."""

    def __init__(
        self, pages: Mapping[int, set[Page]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.source = secrets.token_hex(8)
        self.table = LeaseTable(self.source, clock)
        self._pages = pages
        self._clock = clock
        self._is_changed = asyncio.Event()
        self._has_unsent_summaries = asyncio.Event()
        self._requested_inboxes: set[int] = set()
        self._summary_sent_at: dict[int, float] = {}
        self._numbers = itertools.count(1)

    # From pages

    def record_report(self, page: Page, report: PresenceReport) -> None:
        """Renew the page's lease; ignore a report about a thread that the page no longer shows."""
        inbox = page.thread_inbox
        if inbox is None or inbox not in page.inboxes or report.thread != page.view.thread:
            return
        person = Person(page.agent_id, page.name, page.short_name, report.mode, report.is_typing)
        self.table.renew(page, (inbox, report.thread), person)
        self._notify_tasks()

    def end_lease(self, page: Page) -> None:
        self.table.release(page)
        self._notify_tasks()

    async def send_current_presence(self, page: Page) -> None:
        """Send who is present to a page that was just opened or shows something else."""
        if page.thread_inbox is not None and page.view.thread is not None:
            people = self.table.people_in((page.thread_inbox, page.view.thread))
            await self._send_differences(page, people, None, is_fresh=True)
        if isinstance(page.view.list, int) and page.view.list in page.inboxes:
            await self._send_differences(
                page, None, self.table.occupied_threads(page.view.list), is_fresh=True
            )

    # From other processes

    def receive_message(self, message: Mapping[str, Any]) -> None:
        """Take another process's summary, or its request for ours."""
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
            # Sent by another version, or by another program.
            log.warning("Another process sent no valid presence: %s", type(error).__name__)
        self._notify_tasks()

    def request_summaries(self, *inboxes: int) -> None:
        """Exchange summaries with the other processes; earlier ones may have been missed."""
        self._requested_inboxes.update(inboxes)
        self.table.unannounced_inboxes.update(set(inboxes) & self.table.own_inboxes())
        self._notify_tasks()

    def forget_inbox(self, inbox: int) -> None:
        """Drop what other processes sent about an inbox that no page here shows any more."""
        self.table.forget_other_processes(inbox)
        self._summary_sent_at.pop(inbox, None)

    # Background tasks

    async def keep_showing_changes(self) -> None:
        """Send changes to the pages until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_INTERVAL):
                    await self._is_changed.wait()
            await asyncio.sleep(COALESCE_TIME if self._is_changed.is_set() else 0)
            self._is_changed.clear()
            await self.show_changes()

    async def show_changes(self) -> None:
        self.table.expire()
        by_inbox: dict[int, set[ThreadKey]] = {}
        for key in self.table.take_changed_threads():
            by_inbox.setdefault(key[0], set()).add(key)
        for inbox, changed_keys in by_inbox.items():
            threads = self.table.occupied_threads(inbox)
            for page in list(self._pages.get(inbox, ())):
                key = inbox, page.thread_in(inbox) or 0
                people = self.table.people_in(key) if key in changed_keys else None
                shown = threads if page.view.list == inbox else None
                await self._send_differences(page, people, shown)
        if self.table.unannounced_inboxes:
            self._has_unsent_summaries.set()

    async def keep_sending_summaries(self) -> None:
        """Send our summaries to the other processes until cancelled; return if there are none."""
        while not is_single_process():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._has_unsent_summaries.wait()
            self._has_unsent_summaries.clear()
            await self._send_summaries()
            await asyncio.sleep(MIN_SUMMARY_INTERVAL)

    async def _send_summaries(self) -> None:
        requested, self._requested_inboxes = self._requested_inboxes, set()
        due, self.table.unannounced_inboxes = (
            self.table.unannounced_inboxes | self._inboxes_due(),
            set(),
        )
        requests = [self._publish_summary(inbox, None) for inbox in requested]
        answers = [self._publish_summary(inbox, self.table.summary(inbox)) for inbox in due]
        outcomes = await asyncio.gather(*requests, *answers)
        for inbox, is_published in zip(requested, outcomes, strict=False):
            if not is_published and inbox in self._pages:
                self._requested_inboxes.add(inbox)
        for inbox, is_published in zip(due, outcomes[len(requests) :], strict=True):
            if not is_published:
                self.table.unannounced_inboxes.add(inbox)

    def _inboxes_due(self) -> set[int]:
        now = self._clock()
        return {
            inbox
            for inbox in self.table.own_inboxes()
            if now - self._summary_sent_at.get(inbox, 0)
            >= (
                TYPING_SUMMARY_INTERVAL if self.table.is_anyone_typing(inbox) else SUMMARY_INTERVAL
            )
        }

    async def _publish_summary(self, inbox: int, people: list[Any] | None) -> bool:
        if people is not None:
            self._summary_sent_at[inbox] = self._clock()
        message = {
            "type": PRESENCE,
            "id": inbox,
            "source": self.source,
            "number": next(self._numbers),
            "people": people,
        }
        return await send_to_group("inbox", inbox, message)

    def _notify_tasks(self) -> None:
        self._is_changed.set()
        if self.table.unannounced_inboxes or self._requested_inboxes:
            self._has_unsent_summaries.set()

    # Frames

    async def _send_differences(
        self,
        page: Page,
        people: tuple[Person, ...] | None,
        threads: Mapping[int, tuple[Person, ...]] | None,
        *,
        is_fresh: bool = False,
    ) -> None:
        """Send one frame with what differs from what the page was last sent, or none."""
        parts: dict[str, Any] = {}
        thread, shown = page.view.thread, page.view.list
        if people is not None and thread is not None:
            others = tuple(person for person in people if person.agent != page.agent_id)
            known = page.known_people if page.known_people[0] == thread else (thread, ())
            if others != known[1] or (is_fresh and others):
                parts["presence"] = {"thread": thread, **_draw_people(others)}
            page.known_people = thread, others
        if threads is not None:
            row_presence = _row_presence_for(page.agent_id, threads)
            known_rows = page.known_row_presence[1] if page.known_row_presence[0] == shown else {}
            if row_presence != known_rows or (is_fresh and row_presence):
                parts["marks"] = {"list": shown, "threads": row_presence}
            page.known_row_presence = shown, row_presence
        if parts:
            await page.send(*pack_frames(parts=parts.items()))


def _row_presence_for(agent: int, threads: Mapping[int, tuple[Person, ...]]) -> RowPresence:
    """Return how the list marks each thread in which other agents are: "viewing" or "replying"."""
    row_presence: RowPresence = {}
    for thread, people in threads.items():
        modes = {person.mode for person in people if person.agent != agent}
        if modes:
            row_presence[thread] = "viewing" if modes == {"reading"} else "replying"
    return row_presence


def _draw_people(people: tuple[Person, ...]) -> dict[str, str]:
    shown = people
    if len(people) > MAX_NAMES:
        typists = [person for person in people if person.is_typing]
        readers = [person for person in people if not person.is_typing]
        shown = tuple([*typists, *readers][:MAX_NAMES])
    chips = [_render_chip(person) for person in people if person in shown]
    if more := len(people) - len(shown):
        chips.append(render_to_string("threads/_more_people.html", {"count": more}).strip())
    return {"people": "".join(chips), "typing": typing_sentence(people)}


@functools.lru_cache(maxsize=2_000)
def _render_chip(person: Person) -> str:
    return render_to_string("threads/_person.html", {"person": person}).strip()
