"""Who has a page open in this process, and what follows from a bell."""

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
from messaging.live.frames import BEAT, pack
from messaging.live.pages import REMOVED, SIGNED_OUT, Look, Page, Target
from messaging.live.presence import Desk
from messaging.live.readers import (
    Burst,
    InboxReader,
    Missed,
    draw_inboxes,
    draw_missed,
    draw_notices,
    draw_personal,
    in_thread,
)
from messaging.live.subscriber import Ear
from messaging.live.supervision import keep_running
from threads.models import Thread

log = logging.getLogger(__name__)

BEAT_EVERY = 4.0
"""Seconds between beats; a page that heard nothing for 9 s calls itself offline. At each beat the
pages are compared with the database, so that a lost bell, and access that another process or plain
SQL took away, is noticed within one beat."""


class Hub:
    """The pages of one event loop. Everything in it runs on that loop."""

    def __init__(self) -> None:
        self.by_inbox: dict[int, set[Page]] = {}
        self.by_agent: dict[int, set[Page]] = {}
        self.readers: dict[int, InboxReader] = {}
        self.agents: dict[int, Burst] = {}
        self.agent_seqs: dict[int, int] = {}
        self.presence = Desk(self.by_inbox)
        self.agent_bells = 0
        self._ear: Ear | None = None
        self._chores: list[asyncio.Task[None]] = []
        self._starting = asyncio.Lock()

    async def join(self, page: Page, look: Look) -> None:
        """Hear first, read afterwards: nothing falls between the page's first load and here."""
        self.by_agent.setdefault(page.agent_id, set()).add(page)
        await self._start()
        await self._listen("agent", page.agent_id)
        bells = self.agent_bells
        standing = await in_thread(reading.read_standing, page.agent_id)
        if standing is None:
            await page.close(SIGNED_OUT)
            return
        self.agent_seqs.setdefault(page.agent_id, standing.agent.seq)
        if page.agent_id not in self.agents:
            self.agents[page.agent_id] = Burst(lambda: self._read_agent(page.agent_id))
        await self._follow(page, standing.inboxes)
        await self.look(page, look)
        await page.send(*await in_thread(draw_notices, page.agent_id))
        if self.agent_bells != bells and page.agent_id in self.agents:
            # A seat may have been taken between the reading and the following.
            self.agents[page.agent_id].wake()

    async def leave(self, page: Page) -> None:
        self.presence.leave(page)
        for inbox_id in list(page.inboxes):
            await self._unfollow(page, inbox_id)
        pages = self.by_agent.get(page.agent_id)
        if pages is not None:
            pages.discard(page)
            if not pages:
                del self.by_agent[page.agent_id]
                self.agent_seqs.pop(page.agent_id, None)
                self.agents.pop(page.agent_id, None)
                await self._ear_leave("agent", page.agent_id)
        if not self.by_agent:
            await self._stop()

    async def look(self, page: Page, look: Look) -> None:
        """The page shows something else, or is back: bring it up to date."""
        page.is_catching_up = True
        if look.thread != page.look.thread:
            self.presence.leave(page)
        try:
            page.look, page.thread_inbox = look, None
            if look.thread is not None:
                page.thread_inbox = await in_thread(_inbox_of, look.thread)
                if page.thread_inbox not in page.inboxes:
                    page.thread_inbox = None
            await self.presence.looked(page)
            await self._catch_up_page(page, look)
        finally:
            page.is_catching_up = False

    def hear(self, kind: Kind, key: int) -> None:
        if kind == "inbox":
            reader = self.readers.get(key)
            if reader is not None:
                reader.burst.wake()
            return
        self.agent_bells += 1
        if key in self.agents:
            self.agents[key].wake()

    def wake_all(self) -> None:
        """Bells may have been missed: look at everything."""
        self.agent_bells += 1
        self.presence.ask(*self.by_inbox)
        for reader in self.readers.values():
            reader.burst.wake()
        for burst in self.agents.values():
            burst.wake()

    # Following inboxes

    async def _follow(self, page: Page, inboxes: dict[int, Inbox]) -> None:
        for inbox_id, inbox in inboxes.items():
            if inbox_id in page.inboxes:
                continue
            pages = self.by_inbox.setdefault(inbox_id, set())
            if inbox_id not in self.readers:
                self.readers[inbox_id] = InboxReader(inbox_id, inbox.seq, pages)
            page.inboxes.add(inbox_id)
            pages.add(page)
            await self._listen("inbox", inbox_id)
            if len(pages) == 1:
                self.presence.ask(inbox_id)

    async def _unfollow(self, page: Page, inbox_id: int) -> None:
        page.inboxes.discard(inbox_id)
        if page.thread_inbox == inbox_id:
            self.presence.leave(page)
        pages = self.by_inbox.get(inbox_id)
        if pages is None:
            return
        pages.discard(page)
        if not pages:
            del self.by_inbox[inbox_id]
            self.readers.pop(inbox_id, None)
            self.presence.forget(inbox_id)
            await self._ear_leave("inbox", inbox_id)

    # Catching up

    async def _catch_up_page(self, page: Page, look: Look) -> None:
        if look.list == "top":
            named = [read_integer(key[1:]) for key in look.seqs if key[:1] == "i"]
            known = {key for key in named if key is not None}
            gone = sorted(known - page.inboxes)
            if gone:
                await page.send(*pack(gone=[f"inbox-{inbox_id}" for inbox_id in gone]))
            await self._bring(page, page.inboxes - known)
        if _stands_outside(page, look):
            await page.send(*pack(go="/"))
            return
        shown = set(page.inboxes) if look.list == "top" else {look.list, page.thread_inbox}
        counters = await in_thread(
            reading.inbox_counters, [key for key in shown if isinstance(key, int)]
        )
        for inbox_id, counter in counters.items():
            target = Target.of(page, inbox_id, with_seqs=True)
            keys = [f"i{inbox_id}", f"l{inbox_id}", f"t{target.thread}"]
            if all(look.seqs.get(key, counter) >= counter for key in keys):
                continue
            missed: Missed | None = Missed.of(inbox_id, target, look.seqs)
            while missed is not None and not page.is_over:
                frames, missed = await in_thread(draw_missed, inbox_id, target, missed)
                await page.send(*frames)
        await self._catch_up_agent(page, look.seqs.get(f"a{page.agent_id}"))

    async def _catch_up_agent(self, page: Page, since: int | None) -> None:
        standing = await in_thread(reading.read_standing, page.agent_id)
        if standing is None or since is None or since >= standing.agent.seq:
            return
        view = (page.look.list, page.look.only, True)
        reached = since
        while reached < standing.agent.seq and not page.is_over:
            reached, frames = await in_thread(draw_personal, standing, reached, [view])
            await page.send(*frames[view])

    async def _bring(self, page: Page, inbox_ids: set[int]) -> None:
        """Show inboxes that are new to a page which stands on the top list."""
        if not inbox_ids or page.look.list != "top":
            return
        standing = await in_thread(reading.read_standing, page.agent_id)
        if standing is None:
            return
        new = [standing.inboxes[key] for key in inbox_ids if key in standing.inboxes]
        shared = [inbox for inbox in new if not inbox.is_personal]
        rows = await in_thread(draw_inboxes, standing.agent, shared)
        await page.send(*pack(rows=rows, seqs={f"i{i.pk}": i.seq for i in new}))

    # What concerns one agent

    async def _read_agent(self, agent_id: int) -> None:
        pages = set(self.by_agent.get(agent_id, ()))
        standing = await in_thread(reading.read_standing, agent_id)
        alive = await in_thread(live_sessions, {page.session_key for page in pages})
        session_hash = standing.agent.get_session_auth_hash() if standing else None
        for page in list(pages):
            if page.session_key not in alive or page.session_hash != session_hash:
                pages.discard(page)
                await self._sign_out(page)
        if standing is None or not pages:
            return
        for page in list(pages):
            if not await self._follow_membership(page, standing):
                pages.discard(page)
        views = {page: (page.look.list, page.look.only, not page.is_catching_up) for page in pages}
        since = self.agent_seqs.get(agent_id, standing.agent.seq)
        self.agent_seqs[agent_id], frames = await in_thread(
            draw_personal, standing, since, set(views.values())
        )
        for page, view in views.items():
            # A page that moved on meanwhile was read anew, and asked for what it lacks.
            if (page.look.list, page.look.only) == view[:2]:
                await page.send(*frames[view])
        if agent_id in self.agents and self.agent_seqs[agent_id] < standing.agent.seq:
            self.agents[agent_id].wake()  # more than one batch

    async def _sign_out(self, page: Page) -> None:
        self.presence.leave(page)
        await page.close(SIGNED_OUT)

    async def _follow_membership(self, page: Page, standing: reading.Standing) -> bool:
        """Give and take inboxes; False when the page stood in one that was taken."""
        lost = page.inboxes - set(standing.inboxes)
        new = set(standing.inboxes) - page.inboxes
        was_inside = any(page.shows(inbox_id) for inbox_id in lost)
        for inbox_id in lost:
            await self._unfollow(page, inbox_id)
        if lost:
            gone = [f"inbox-{inbox_id}" for inbox_id in sorted(lost)]
            await page.send(*pack(gone=gone, go="/" if was_inside else ""))
        if was_inside:
            await page.close(REMOVED)
            return False
        await self._follow(page, standing.inboxes)
        await self._bring(page, new)
        return True

    # Chores

    async def _start(self) -> None:
        async with self._starting:
            if self._ear is not None:
                return
            bell_loop.attach_running_loop()
            ear = Ear(self.hear, self.presence.hear, self.wake_all)
            await ear.start()
            self._ear = ear
            self._chores = [
                asyncio.create_task(keep_running(name, work))
                for name, work in {
                    "the beats": self._beat,
                    "the comparison with the database": self._keep_comparing,
                    "showing presence": self.presence.show,
                    "telling other processes of presence": self.presence.tell,
                }.items()
            ]

    async def _stop(self) -> None:
        ear, self._ear = self._ear, None
        for chore in self._chores:
            chore.cancel()
        self._chores = []
        if ear is not None:
            await ear.stop()

    async def _listen(self, kind: Kind, key: int) -> None:
        if self._ear is not None:
            await self._ear.join(kind, key)

    async def _ear_leave(self, kind: Kind, key: int) -> None:
        if self._ear is not None:
            await self._ear.leave(kind, key)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            for pages in list(self.by_agent.values()):
                for page in list(pages):
                    await page.send(BEAT)

    async def _keep_comparing(self) -> None:
        """The database is the truth: look at it with each beat, whatever bells were heard."""
        while True:
            await asyncio.sleep(BEAT_EVERY)
            try:
                await self.compare()
            except (DatabaseError, InterfaceError) as error:
                log.warning("The comparison failed and comes again: %s", type(error).__name__)

    async def compare(self) -> None:
        """Bring the pages up to what the database says now; five queries, however many look."""
        await self._compare_inboxes()
        await self._compare_agents()

    async def _compare_inboxes(self) -> None:
        counters = await in_thread(reading.inbox_counters, list(self.readers))
        for inbox_id, reader in self.readers.items():
            if counters.get(inbox_id, 0) > reader.seq:
                reader.burst.wake()

    async def _compare_agents(self) -> None:
        """Close the pages whose agent or session is gone; read again for agents who changed."""
        pages = [page for theirs in self.by_agent.values() for page in theirs]
        alive = await in_thread(live_sessions, {page.session_key for page in pages})
        access = await in_thread(reading.read_access, {page.agent_id for page in pages})
        for page in pages:
            found = access.get(page.agent_id)
            if (
                found is None
                or page.session_key not in alive
                or page.session_hash != found.session_hash
            ):
                await self._sign_out(page)
            elif page.agent_id in self.agents and (
                page.inboxes != found.inboxes or self.agent_seqs[page.agent_id] < found.seq
            ):
                self.agents[page.agent_id].wake()


def _stands_outside(page: Page, look: Look) -> bool:
    """Whether the page shows something that its agent may not see (any more)."""
    is_foreign_list = isinstance(look.list, int) and look.list not in page.inboxes
    return is_foreign_list or (look.thread is not None and page.thread_inbox is None)


def _inbox_of(thread_id: int) -> int | None:
    return Thread.objects.filter(pk=thread_id).values_list("inbox", flat=True).first()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub_of_this_loop() -> Hub:
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
