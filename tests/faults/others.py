"""Everybody else: callers, page loads, replies and open pages, while one party attacks."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import psutil

from tests.bench.traffic import Audience, Schedule, spread
from tests.bench.wire import Line, get, post
from tests.faults.ground import Member, Site

LAST_TEXTS = 15.0
"""Seconds in which what was taken may still reach the pages."""

LOOK_EVERY = 0.1
SETTLE = 30.0
VIEWERS = "127.0.0.2"
"""The address from which pages are loaded."""


@dataclass(frozen=True)
class Rates:
    """Of a second."""

    webhooks: float
    views: float
    replies: float


@dataclass
class Phase:
    """What others had of some seconds. The numbers are p95s in seconds."""

    webhook: float
    view: float
    live: float
    refused: int
    """Requests of theirs that were not answered as they should be."""
    closed: int
    """Pages of theirs whose socket was closed."""
    unseen: int
    """How often a text that was taken was not on a page that stayed."""
    gained: float
    """Bytes of memory that the program had more than before, at the worst."""

    def worst(self, calm: Phase) -> float:
        """The largest of the p95s as a multiple of the calm one."""
        mine, theirs = ((one.webhook, one.view, one.live) for one in (self, calm))
        return max(a / b for a, b in zip(mine, theirs, strict=True))


class Memory:
    """What the program's processes hold, database and proxy left out; the most is remembered."""

    def __init__(self, pid: int) -> None:
        self._program = psutil.Process(pid)
        self.first = self.most = self._now()

    async def watch(self) -> None:
        """Ends when cancelled."""
        while True:
            self.most = max(self.most, self._now())
            await asyncio.sleep(LOOK_EVERY)

    def _now(self) -> int:
        held = 0
        for process in (self._program, *self._program.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                if "python" in process.name():
                    held += process.memory_info().rss
        return held


@dataclass
class Others:
    site: Site
    pages: list[Member]
    rates: Rates
    accepted: set[str] = field(default_factory=set)
    """Names of the webhooks that were answered 2xx."""
    replies: dict[str, float] = field(default_factory=dict)
    """Each text that an agent wrote, and when the page had taken it."""

    def __post_init__(self) -> None:
        self.mark = f"e10-{time.time_ns()}"
        self._count = 0

    async def live(
        self, seconds: float, begin: Callable[[], Awaitable[None]] | None = None
    ) -> Phase:
        """Come and go as always for so many seconds; `begin` is awaited once pages are open."""
        site, audience, first = self.site, Audience(), self._count
        pages = [site.page(member, site.threads[0][0]) for member in self.pages]
        await audience.open(site.program.port, pages, trust=site.tls)
        memory = Memory(site.program.process.pid)
        watching = asyncio.create_task(memory.watch())
        if begin is not None:
            await begin()
        port, rates, tls = site.program.port, self.rates, site.tls
        webhooks = Schedule(port, self._texts(seconds), rates.webhooks, trust=tls)
        views = Schedule(port, self._gets(seconds), rates.views, trust=tls, source=VIEWERS)
        await asyncio.gather(
            webhooks.run(),
            views.run(),
            asyncio.to_thread(self._write, int(rates.replies * seconds)),
        )
        numbers = {first + number for number in webhooks.accepted}
        self.accepted |= {self._name(number) for number in numbers}
        unseen = await _wait_for(audience, numbers)
        watching.cancel()
        closed = audience.closed
        audience.close()
        took = [
            max(audience.heard[n]) - webhooks.due[n - first] for n in numbers if audience.heard[n]
        ]
        statuses = webhooks.statuses + views.statuses
        return Phase(
            webhook=spread(webhooks.took)["p95"],
            view=spread(views.took)["p95"],
            live=spread(took).get("p95", math.inf),
            refused=sum(count for status, count in statuses.items() if status != 200),
            closed=closed,
            unseen=unseen,
            gained=memory.most - memory.first,
        )

    async def settle(self, view: float) -> None:
        """Return once a page takes so many seconds at most again, or SETTLE later: what an attack
        has left behind is not counted for the next one."""
        request = next(self._gets(1.0))
        end = time.perf_counter() + SETTLE
        while time.perf_counter() < end:
            line = await Line.open(self.site.program.port, self.site.tls, VIEWERS)
            begun = time.perf_counter()
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                await line.ask(request)
            line.close()
            if time.perf_counter() - begun <= view:
                return

    def _name(self, number: int) -> str:
        return f"SM{self.mark}-{number}"

    def _texts(self, seconds: float) -> Iterator[bytes]:
        for _ in range(int(seconds * self.rates.webhooks)):
            number, self._count = self._count, self._count + 1
            _, sender = self.site.threads[number % len(self.site.threads)]
            body = f"Did a parcel arrive? mark-{number}-"
            call = self.site.text(self._name(number), body, sender=sender)
            yield post(call.path, self.site.program.port, call.body, **call.headers)

    def _gets(self, seconds: float) -> Iterator[bytes]:
        for number in range(int(seconds * self.rates.views)):
            thread, _ = self.site.threads[number % len(self.site.threads)]
            path = f"/threads/{thread}/" if number % 2 else f"/inboxes/{self.site.inbox}/"
            cookie = self.pages[number % len(self.pages)].cookie
            yield get(path, self.site.program.port, Cookie=cookie)

    def _write(self, count: int) -> None:
        """So many replies by the page's form, one a moment."""
        with self.site.browser() as browser:
            for number in range(count):
                begun = time.monotonic()
                body = f"reply {self.mark} {len(self.replies)}"
                thread, _ = self.site.threads[number % len(self.site.threads)]
                self.site.send(browser, thread, body)
                self.replies[body] = time.time()
                time.sleep(max(0.0, 1 / self.rates.replies - (time.monotonic() - begun)))


async def _wait_for(audience: Audience, numbers: set[int]) -> int:
    """How often a text is still not on a page that stayed, LAST_TEXTS later at the latest."""
    unseen = 0
    for _ in range(int(LAST_TEXTS / LOOK_EVERY)):
        stayed = [socket for socket in audience.sockets if socket.is_alive]
        unseen = sum(len(numbers - audience.known(socket)) for socket in stayed)
        if not unseen:
            break
        await asyncio.sleep(LOOK_EVERY)
    return unseen
