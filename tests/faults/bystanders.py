"""Generate the traffic of bystanders: webhooks, page loads, replies and open pages."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import psutil

from tests.bench.clients import HttpConnection, get_request, post_request
from tests.bench.traffic import OpenPages, RequestSchedule, percentiles
from tests.faults.sites import Member, Site

# Accepted texts may take so many seconds to reach the pages.
MAX_WAIT = 15.0

POLL_SECONDS = 0.1
MAX_SETTLING = 30.0

# The address from which pages are loaded.
VIEWERS = "127.0.0.2"


@dataclass(frozen=True)
class Rates:
    """Hold rates per second."""

    webhooks: float
    views: float
    replies: float


@dataclass
class Phase:
    """Hold how the bystanders fared for some seconds.

    `webhook`, `view` and `live` are 95th percentiles in seconds. `refused` counts requests with a
    wrong answer, `closed` pages whose socket was closed, and `unseen` accepted texts to the thread
    that the pages have open, where one of them did not show it: a row shows its thread's newest
    message alone, so those of other threads may rightly never be seen. `gained` is the program's
    peak growth of memory in bytes.
    """

    webhook: float
    view: float
    live: float
    refused: int
    closed: int
    unseen: int
    gained: float

    def slowdown(self, calm: Phase) -> float:
        """Return the largest of the percentiles as a multiple of the calm one."""
        ours, theirs = ((phase.webhook, phase.view, phase.live) for phase in (self, calm))
        return max(a / b for a, b in zip(ours, theirs, strict=True))


class Memory:
    """Watch the memory of the program's processes, without database and proxy."""

    def __init__(self, pid: int) -> None:
        self._program = psutil.Process(pid)
        self.first = self.peak = self._used_bytes()

    async def watch_peak(self) -> None:
        """Record the peak until cancelled."""
        while True:
            self.peak = max(self.peak, self._used_bytes())
            await asyncio.sleep(POLL_SECONDS)

    def _used_bytes(self) -> int:
        used = 0
        for process in (self._program, *self._program.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                if "python" in process.name():
                    used += process.memory_info().rss
        return used


@dataclass
class Bystanders:
    """Generate traffic; `accepted` names the webhooks answered 2xx, `replies` says when each reply
    was accepted."""

    site: Site
    pages: list[Member]
    rates: Rates
    accepted: set[str] = field(default_factory=set)
    replies: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.prefix = f"e10-{time.time_ns()}"
        self._count = 0

    async def run_phase(
        self, seconds: float, begin: Callable[[], Awaitable[None]] | None = None
    ) -> Phase:
        """Generate traffic for so many seconds; `begin` is awaited once the pages are open."""
        site, open_pages, first = self.site, OpenPages(), self._count
        pages = [site.page_address(member, site.threads[0][0]) for member in self.pages]
        await open_pages.open(site.program.port, pages, tls=site.tls)
        memory = Memory(site.program.process.pid)
        watching = asyncio.create_task(memory.watch_peak())
        if begin is not None:
            await begin()
        port, rates, tls = site.program.port, self.rates, site.tls
        webhooks = RequestSchedule(port, self._text_requests(seconds), rates.webhooks, tls=tls)
        views = RequestSchedule(
            port, self._page_requests(seconds), rates.views, tls=tls, source=VIEWERS
        )
        await asyncio.gather(
            webhooks.run(),
            views.run(),
            asyncio.to_thread(self._write_replies, int(rates.replies * seconds)),
        )
        numbers = {first + number for number in webhooks.accepted}
        self.accepted |= {self._webhook_name(number) for number in numbers}
        unseen = await _count_unseen(open_pages, {n for n in numbers if _is_to_open_thread(n)})
        watching.cancel()
        closed = open_pages.closed_count
        open_pages.close()
        took = [
            max(open_pages.shown_at[n]) - webhooks.due[n - first]
            for n in numbers
            if open_pages.shown_at[n]
        ]
        statuses = webhooks.statuses + views.statuses
        return Phase(
            webhook=percentiles(webhooks.took)["p95"],
            view=percentiles(views.took)["p95"],
            live=percentiles(took).get("p95", math.inf),
            refused=sum(count for status, count in statuses.items() if status != 200),
            closed=closed,
            unseen=unseen,
            gained=memory.peak - memory.first,
        )

    async def wait_until_fast(self, view: float) -> None:
        """Return once a page loads within `view` seconds again, or after MAX_SETTLING.

        The aftermath of one attack must not count for the next.
        """
        request = next(self._page_requests(1.0))
        end = time.perf_counter() + MAX_SETTLING
        while time.perf_counter() < end:
            connection = await HttpConnection.open(self.site.program.port, self.site.tls, VIEWERS)
            begun = time.perf_counter()
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                await connection.send_request(request)
            connection.close()
            if time.perf_counter() - begun <= view:
                return

    def _webhook_name(self, number: int) -> str:
        return f"SM{self.prefix}-{number}"

    def _text_requests(self, seconds: float) -> Iterator[bytes]:
        for _ in range(int(seconds * self.rates.webhooks)):
            number, self._count = self._count, self._count + 1
            opened, *others = self.site.threads
            is_to_open = _is_to_open_thread(number)
            _, sender = opened if is_to_open else others[number // 2 % len(others)]
            body = f"Did a parcel arrive? mark-{number}-"
            call = self.site.text_call(self._webhook_name(number), body, sender=sender)
            yield post_request(call.path, self.site.program.port, call.body, **call.headers)

    def _page_requests(self, seconds: float) -> Iterator[bytes]:
        for number in range(int(seconds * self.rates.views)):
            thread, _ = self.site.threads[number % len(self.site.threads)]
            path = f"/threads/{thread}/" if number % 2 else f"/inboxes/{self.site.inbox}/"
            cookie = self.pages[number % len(self.pages)].cookie
            yield get_request(path, self.site.program.port, Cookie=cookie)

    def _write_replies(self, count: int) -> None:
        """Write replies by the page's form, at the given rate."""
        with self.site.signed_in_browser() as browser:
            for number in range(count):
                begun = time.monotonic()
                body = f"reply {self.prefix} {len(self.replies)}"
                thread, _ = self.site.threads[number % len(self.site.threads)]
                self.site.send_text(browser, thread, body)
                self.replies[body] = time.time()
                time.sleep(max(0.0, 1 / self.rates.replies - (time.monotonic() - begun)))


def _is_to_open_thread(number: int) -> bool:
    """Return True for every second text: it goes to the thread that all pages show."""
    return number % 2 == 0


async def _count_unseen(open_pages: OpenPages, numbers: set[int]) -> int:
    """Return how often an open page still lacks an accepted text, after MAX_WAIT at the latest."""
    unseen = 0
    for _ in range(int(MAX_WAIT / POLL_SECONDS)):
        stayed = [socket for socket in open_pages.sockets if socket.is_alive]
        unseen = sum(len(numbers - open_pages.texts_shown_on(socket)) for socket in stayed)
        if not unseen:
            break
        await asyncio.sleep(POLL_SECONDS)
    return unseen
