"""The hub knows which pages are open in this process and updates them after a bell."""

from __future__ import annotations

import asyncio
import logging
from weakref import WeakKeyDictionary

from django.db import DatabaseError, InterfaceError

from inboxes.bell import Kind, bell_loop
from inboxes.integers import read_integer
from inboxes.models import Inbox
from inboxes.sessions import live_sessions
from messaging.live import reading
from messaging.live.frames import HEARTBEAT, pack_frames
from messaging.live.pages import (
    NEEDS_SECOND_STEP,
    REMOVED,
    SIGNED_OUT,
    Page,
    PageView,
    Target,
)
from messaging.live.presence import PresenceTracker
from messaging.live.readers import (
    CoalescedTask,
    InboxReader,
    PageCounters,
    draw_missed,
    draw_new_inboxes,
    draw_personal,
    draw_recent_notifications,
    run_in_thread,
)
from messaging.live.rendering import no_counts_part
from messaging.live.subscriber import Subscriber
from messaging.live.supervision import keep_running
from messaging.notifications import missed
from threads.filters import parse_token
from threads.models import Thread

log = logging.getLogger(__name__)

# Seconds between heartbeats. A page that receives nothing for 9 s shows that it is offline. At
# each heartbeat the pages are compared with the database, so that a lost bell, or access that
# another process or plain SQL removed, is noticed within one interval.
HEARTBEAT_INTERVAL = 4.0

# Seconds between notes of who has a page open, for the e-mails about what was missed.
NOTING_INTERVAL = 20.0


class Hub:
    """Hold the pages of one event loop. All of its methods run on that loop."""

    def __init__(self) -> None:
        self.by_inbox: dict[int, set[Page]] = {}
        self.by_agent: dict[int, set[Page]] = {}
        self.readers: dict[int, InboxReader] = {}
        self.agent_reads: dict[int, CoalescedTask] = {}
        self.agent_seqs: dict[int, int] = {}
        self.presence = PresenceTracker(self.by_inbox)
        self.agent_bell_count = 0
        self._subscriber: Subscriber | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._start_lock = asyncio.Lock()

    async def add_page(self, page: Page, view: PageView) -> None:
        """Subscribe first and read afterwards, so that no change after the page's first load is
        missed."""
        self.by_agent.setdefault(page.agent_id, set()).add(page)
        await self._start_tasks()
        await self._subscribe("agent", page.agent_id)
        bells_before = self.agent_bell_count
        access = await run_in_thread(reading.read_agent_inboxes, page.agent_id)
        if access is None:
            await page.close(SIGNED_OUT)
            return
        self.agent_seqs.setdefault(page.agent_id, access.agent.seq)
        if page.agent_id not in self.agent_reads:
            self.agent_reads[page.agent_id] = CoalescedTask(
                lambda: self._read_agent(page.agent_id)
            )
        await self._follow_inboxes(page, access.inboxes)
        await self.change_view(page, view)
        await page.send(*await run_in_thread(draw_recent_notifications, page.agent_id))
        if self.agent_bell_count != bells_before and page.agent_id in self.agent_reads:
            # A membership may have ended between reading and following.
            self.agent_reads[page.agent_id].request_run()

    async def remove_page(self, page: Page) -> None:
        self.presence.end_lease(page)
        for inbox_id in list(page.inboxes):
            await self._unfollow_inbox(page, inbox_id)
        pages = self.by_agent.get(page.agent_id)
        if pages is not None:
            pages.discard(page)
            if not pages:
                del self.by_agent[page.agent_id]
                self.agent_seqs.pop(page.agent_id, None)
                self.agent_reads.pop(page.agent_id, None)
                await self._unsubscribe("agent", page.agent_id)
        if not self.by_agent:
            await self._stop_tasks()

    async def change_view(self, page: Page, view: PageView) -> None:
        """Take note of what a page shows now, and bring it up to date."""
        page.is_catching_up = True
        if view.thread != page.view.thread:
            self.presence.end_lease(page)
        try:
            page.view, page.thread_inbox = view, None
            if view.thread is not None:
                page.thread_inbox = await run_in_thread(_find_inbox_id, view.thread)
                if page.thread_inbox not in page.inboxes:
                    page.thread_inbox = None
            await self.presence.send_current_presence(page)
            await self._catch_up_page(page, view)
        finally:
            page.is_catching_up = False

    def receive_bell(self, kind: Kind, key: int) -> None:
        if kind == "inbox":
            reader = self.readers.get(key)
            if reader is not None:
                reader.task.request_run()
            return
        self.agent_bell_count += 1
        if key in self.agent_reads:
            self.agent_reads[key].request_run()

    def wake_all_readers(self) -> None:
        """Read everything again, because bells may have been missed."""
        self.agent_bell_count += 1
        self.presence.request_summaries(*self.by_inbox)
        for reader in self.readers.values():
            reader.task.request_run()
        for read in self.agent_reads.values():
            read.request_run()

    # Following inboxes

    async def _follow_inboxes(self, page: Page, inboxes: dict[int, Inbox]) -> None:
        for inbox_id, inbox in inboxes.items():
            if inbox_id in page.inboxes:
                continue
            pages = self.by_inbox.setdefault(inbox_id, set())
            if inbox_id not in self.readers:
                self.readers[inbox_id] = InboxReader(inbox_id, inbox.seq, pages)
            page.inboxes.add(inbox_id)
            pages.add(page)
            await self._subscribe("inbox", inbox_id)
            if len(pages) == 1:
                self.presence.request_summaries(inbox_id)

    async def _unfollow_inbox(self, page: Page, inbox_id: int) -> None:
        page.inboxes.discard(inbox_id)
        if page.thread_inbox == inbox_id:
            self.presence.end_lease(page)
        pages = self.by_inbox.get(inbox_id)
        if pages is None:
            return
        pages.discard(page)
        if not pages:
            del self.by_inbox[inbox_id]
            self.readers.pop(inbox_id, None)
            self.presence.forget_inbox(inbox_id)
            await self._unsubscribe("inbox", inbox_id)

    # Catching up

    async def _catch_up_page(self, page: Page, view: PageView) -> None:
        if view.list == "top":
            named = [read_integer(key[1:]) for key in view.seqs if key[:1] == "i"]
            known = {key for key in named if key is not None}
            await self._remove_inboxes(page, known - page.inboxes)
            await self._send_inbox_rows(page, page.inboxes - known)
        if _lacks_access(page, view):
            await page.send(*pack_frames(go="/"))
            return
        shown = set(page.inboxes) if view.list == "top" else {view.list, page.thread_inbox}
        counters = await run_in_thread(
            reading.read_inbox_counters, [key for key in shown if isinstance(key, int)]
        )
        for inbox_id, counter in counters.items():
            target = Target.from_page(page, inbox_id, with_seqs=True)
            keys = [f"i{inbox_id}", f"l{inbox_id}", f"t{target.thread}"]
            if all(view.seqs.get(key, counter) >= counter for key in keys):
                continue
            missed: PageCounters | None = PageCounters.from_seqs(inbox_id, target, view.seqs)
            while missed is not None and not page.is_closed:
                frames, missed = await run_in_thread(draw_missed, inbox_id, target, missed)
                await page.send(*frames)
        await self._catch_up_agent(page, view.seqs.get(f"a{page.agent_id}"))

    async def _catch_up_agent(self, page: Page, since: int | None) -> None:
        access = await run_in_thread(reading.read_agent_inboxes, page.agent_id)
        if access is None or since is None or since >= access.agent.seq:
            return
        variant = (page.view.list, page.view.only, page.view.until, True)
        reached = since
        while reached < access.agent.seq and not page.is_closed:
            reached, frames = await run_in_thread(draw_personal, access, reached, [variant])
            await page.send(*frames[variant])

    async def _send_inbox_rows(self, page: Page, inbox_ids: set[int]) -> None:
        """Send the rows of inboxes that are new to a page, if it shows the top list."""
        if not inbox_ids or page.view.list != "top":
            return
        access = await run_in_thread(reading.read_agent_inboxes, page.agent_id)
        if access is None:
            return
        new = [access.inboxes[key] for key in inbox_ids if key in access.inboxes]
        shown = parse_token(page.view.only)
        parts, rows = await run_in_thread(draw_new_inboxes, access.agent, new, shown)
        seqs = {f"i{inbox.pk}": inbox.seq for inbox in new}
        await page.send(*pack_frames(parts=parts, rows=rows, seqs=seqs))

    async def _remove_inboxes(self, page: Page, inbox_ids: set[int], go: str = "") -> None:
        """Take inboxes that the agent may not see any more out of a page."""
        if not inbox_ids:
            return
        keys = sorted(inbox_ids)
        parts = [no_counts_part(key) for key in keys]
        gone = [f"inbox-{key}" for key in keys]
        await page.send(*pack_frames(parts=parts, gone=gone, go=go))

    # Reading for one agent

    async def _read_agent(self, agent_id: int) -> None:
        pages = set(self.by_agent.get(agent_id, ()))
        access = await run_in_thread(reading.read_agent_inboxes, agent_id)
        alive = await run_in_thread(live_sessions, {page.session_key for page in pages})
        allowed = reading.Access.of(access.agent) if access else None
        for page in list(pages):
            if why := _why_closed(page, alive, allowed):
                pages.discard(page)
                await self._end_page(page, why)
        if access is None or not pages:
            return
        for page in list(pages):
            if not await self._follow_membership(page, access):
                pages.discard(page)
        variants = {
            page: (page.view.list, page.view.only, page.view.until, not page.is_catching_up)
            for page in pages
        }
        since = self.agent_seqs.get(agent_id, access.agent.seq)
        self.agent_seqs[agent_id], frames = await run_in_thread(
            draw_personal, access, since, set(variants.values())
        )
        for page, variant in variants.items():
            # A page that shows something else by now has been read anew.
            if (page.view.list, page.view.only) == variant[:2]:
                await page.send(*frames[variant])
        if agent_id in self.agent_reads and self.agent_seqs[agent_id] < access.agent.seq:
            self.agent_reads[agent_id].request_run()  # more than one batch

    async def _end_page(self, page: Page, code: int) -> None:
        self.presence.end_lease(page)
        await page.close(code)

    async def _follow_membership(self, page: Page, access: reading.AgentInboxes) -> bool:
        """Follow new inboxes and drop lost ones.

        Returns False if the page was inside a lost one; its socket is closed then.
        """
        lost = page.inboxes - set(access.inboxes)
        new = set(access.inboxes) - page.inboxes
        was_inside = any(page.is_inside(inbox_id) for inbox_id in lost)
        for inbox_id in lost:
            await self._unfollow_inbox(page, inbox_id)
        await self._remove_inboxes(page, lost, go="/" if was_inside else "")
        if was_inside:
            await page.close(REMOVED)
            return False
        await self._follow_inboxes(page, access.inboxes)
        await self._send_inbox_rows(page, new)
        return True

    # Background tasks

    async def _start_tasks(self) -> None:
        async with self._start_lock:
            if self._subscriber is not None:
                return
            bell_loop.attach_running_loop()
            subscriber = Subscriber(
                self.receive_bell, self.presence.receive_message, self.wake_all_readers
            )
            await subscriber.start()
            self._subscriber = subscriber
            self._tasks = [
                asyncio.create_task(keep_running(name, work))
                for name, work in {
                    "heartbeats": self._send_heartbeats,
                    "the comparison with the database": self._keep_comparing,
                    "noting open pages": self._keep_noting_open_pages,
                    "showing presence": self.presence.keep_showing_changes,
                    "telling other processes about presence": self.presence.keep_sending_summaries,
                }.items()
            ]

    async def _stop_tasks(self) -> None:
        subscriber, self._subscriber = self._subscriber, None
        for task in self._tasks:
            task.cancel()
        self._tasks = []
        if subscriber is not None:
            await subscriber.stop()

    async def _subscribe(self, kind: Kind, key: int) -> None:
        if self._subscriber is not None:
            await self._subscriber.join_group(kind, key)

    async def _unsubscribe(self, kind: Kind, key: int) -> None:
        if self._subscriber is not None:
            await self._subscriber.leave_group(kind, key)

    async def _send_heartbeats(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_INTERVAL)
            for pages in list(self.by_agent.values()):
                for page in list(pages):
                    await page.send(HEARTBEAT)

    async def _keep_comparing(self) -> None:
        """Compare with the database at each heartbeat, whatever bells were received."""
        while True:
            await asyncio.sleep(HEARTBEAT_INTERVAL)
            try:
                await self.compare_with_database()
            except (DatabaseError, InterfaceError) as error:
                log.warning("The comparison failed and will be repeated: %s", type(error).__name__)

    async def _keep_noting_open_pages(self) -> None:
        while True:
            await asyncio.sleep(NOTING_INTERVAL)
            try:
                await run_in_thread(missed.note_open_pages, list(self.by_agent))
            except (DatabaseError, InterfaceError) as error:
                log.warning("Open pages were not noted: %s", type(error).__name__)

    async def compare_with_database(self) -> None:
        """Bring the pages up to what the database says now, in five queries for any number of
        pages."""
        await self._compare_inboxes()
        await self._compare_agents()

    async def _compare_inboxes(self) -> None:
        counters = await run_in_thread(reading.read_inbox_counters, list(self.readers))
        for inbox_id, reader in self.readers.items():
            if counters.get(inbox_id, 0) > reader.seq:
                reader.task.request_run()

    async def _compare_agents(self) -> None:
        """Close the pages whose agent or session is gone; read again for agents who changed."""
        pages = [page for theirs in self.by_agent.values() for page in theirs]
        alive = await run_in_thread(live_sessions, {page.session_key for page in pages})
        allowed = await run_in_thread(reading.read_access, {page.agent_id for page in pages})
        for page in pages:
            found = allowed.get(page.agent_id)
            if why := _why_closed(page, alive, found):
                await self._end_page(page, why)
            elif (
                found is not None
                and page.agent_id in self.agent_reads
                and (page.inboxes != found.inboxes or self.agent_seqs[page.agent_id] < found.seq)
            ):
                self.agent_reads[page.agent_id].request_run()


def _why_closed(page: Page, alive: set[str], access: reading.Access | None) -> int | None:
    """Return the code with which a page is closed whose agent or session may not see it now."""
    if access is None or page.session_key not in alive:
        return SIGNED_OUT
    if page.session_hash != access.session_hash:
        return SIGNED_OUT
    return NEEDS_SECOND_STEP if access.needs_second_step and not page.gave_second_step else None


def _lacks_access(page: Page, view: PageView) -> bool:
    """Return True if the page shows something that its agent may not see."""
    is_foreign_list = isinstance(view.list, int) and view.list not in page.inboxes
    return is_foreign_list or (view.thread is not None and page.thread_inbox is None)


def _find_inbox_id(thread_id: int) -> int | None:
    return Thread.objects.filter(pk=thread_id).values_list("inbox", flat=True).first()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub_of_this_loop() -> Hub:
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
