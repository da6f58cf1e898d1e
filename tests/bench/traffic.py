"""Requests that are sent by the clock, and open pages that note when each text reached them.

Runs in the load process (`tests.bench.load`).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from ssl import SSLContext
from typing import Any

from tests.bench.wire import Line, Socket

MARK = re.compile(rb"mark-(\d+)-")
"""Stands in each text's body, with its number."""

LAST_FRAMES = 15.0
"""Seconds in which the last texts may still reach the pages."""


class Schedule:
    """Sends each request when it is due, whether the ones before were answered or not.

    Latencies count from the moment at which a request was due, so a stall that delays several
    is seen in each of them.
    """

    def __init__(
        self,
        port: int,
        requests: Iterable[bytes],
        per_second: float,
        *,
        trust: SSLContext | None = None,
        source: str = "127.0.0.1",
    ) -> None:
        self.took: list[float] = []
        self.due: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.accepted: set[int] = set()
        self.is_over = False
        """Set it, and what is not sent yet never is."""
        self.late = 0.0
        """Seconds that this process itself was behind at the worst."""
        self._port = port
        self._trust = trust
        self._source = source
        self._requests = requests
        self._per_second = per_second
        self._idle: list[Line] = []

    async def run(self) -> None:
        begun = time.perf_counter()
        asking = []
        for number, request in enumerate(self._requests):
            due = begun + number / self._per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if self.is_over:
                break
            self.late = max(self.late, time.perf_counter() - due)
            self.due.append(due)
            asking.append(asyncio.create_task(self._ask(number, request, due)))
        await asyncio.gather(*asking)
        for line in self._idle:
            line.close()

    async def _ask(self, number: int, request: bytes, due: float) -> None:
        """Note a broken line or no answer as status 0."""
        try:
            status = await self._answer(request)
        except (OSError, EOFError, TimeoutError):
            status = 0
        self.took.append(time.perf_counter() - due)
        self.statuses[status] += 1
        if 200 <= status < 300:
            self.accepted.add(number)

    async def _answer(self, request: bytes) -> int:
        if self._idle:
            line = self._idle.pop()
        else:
            line = await Line.open(self._port, self._trust, self._source)
        try:
            status = (await line.ask(request)).status
        except BaseException:
            line.close()
            raise
        self._idle.append(line)
        return status

    @property
    def report(self) -> dict[str, Any]:
        return {"statuses": dict(self.statuses), "late": self.late}


class Audience:
    """Open pages, and when each of them was first shown each text."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.frames = 0
        self.bytes = 0
        self.heard: defaultdict[int, list[float]] = defaultdict(list)
        """By the text's number: when it was on the first page, the second and so on."""
        self._known: defaultdict[Socket, set[int]] = defaultdict(set)
        self._count = self._expected = 0
        self._all_heard = asyncio.Event()

    async def open(
        self, port: int, pages: list[dict[str, str]], trust: SSLContext | None = None
    ) -> None:
        """Each comes from an address of its own, and may have `says`, which it repeats in
        `keep_saying`."""
        for number, page in enumerate(pages):
            source = f"127.0.{1 + number // 250}.{1 + number % 250}"
            socket = await Socket.open(
                port, page["path"], page["cookie"], self._hear, trust=trust, source=source
            )
            self.sockets.append(socket)

    async def keep_saying(self, pages: list[dict[str, str]], every: float) -> None:
        """Have each page say where it is, one after the other; ends when cancelled."""
        while True:
            for socket, page in zip(self.sockets, pages, strict=True):
                if "says" in page and socket.is_alive:
                    socket.say(page["says"].encode())
                await asyncio.sleep(every / len(pages))

    async def wait_for(self, texts: int) -> None:
        """Return once all pages have all texts, or LAST_FRAMES later."""
        self._expected = texts
        if not self.missing(texts):
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_FRAMES):
                await self._all_heard.wait()

    def missing(self, texts: int) -> int:
        """How often a page has not heard one of so many texts."""
        return texts * len(self.sockets) - self._count

    def known(self, socket: Socket) -> set[int]:
        """The numbers of the texts that the page has shown."""
        return self._known[socket]

    @property
    def closed(self) -> int:
        return sum(not socket.is_alive for socket in self.sockets)

    def close(self) -> None:
        for socket in self.sockets:
            socket.close()

    def _hear(self, socket: Socket, text: bytes, at: float) -> None:
        self.frames += 1
        self.bytes += len(text)
        known = self._known[socket]
        for found in MARK.findall(text):
            number = int(found)
            if number not in known:
                known.add(number)
                self.heard[number].append(at)
                self._count += 1
        if self._expected and not self.missing(self._expected):
            self._all_heard.set()


async def mix(
    port: int,
    pages: list[dict[str, str]],
    texts: list[bytes],
    texts_per_second: float,
    gets: list[bytes],
    gets_per_second: float,
    says_every: float,
    warm_up: float,
) -> dict[str, Any]:
    """Send both kinds of requests at once while the pages are open.

    The first `warm_up` seconds are sent and not reported. The text with the number N has the
    mark `mark-N-` in its body.
    """
    audience = Audience()
    await audience.open(port, pages)
    saying = asyncio.create_task(audience.keep_saying(pages, says_every))
    webhooks = Schedule(port, texts, texts_per_second)
    views = Schedule(port, gets, gets_per_second)
    await asyncio.gather(webhooks.run(), views.run())
    await audience.wait_for(len(webhooks.accepted))
    saying.cancel()
    closed = audience.closed
    audience.close()
    first = int(warm_up * texts_per_second)
    each, last = _lived(audience, webhooks.due[first:], first)
    return {
        "webhooks": spread(webhooks.took[first:]) | webhooks.report,
        "views": spread(views.took[int(warm_up * gets_per_second) :]) | views.report,
        "each": spread(each),
        "last": spread(last),
        "missing": audience.missing(len(webhooks.accepted)),
        "closed": closed,
        "frames": audience.frames,
        "bytes": audience.bytes,
    }


def spread(seconds: list[float]) -> dict[str, float]:
    """The median, the 95th percentile and the maximum; empty for nothing."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    middle, high = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    return {"p50": middle, "p95": high, "max": ordered[-1]}


def _lived(audience: Audience, due: list[float], first: int) -> tuple[list[float], list[float]]:
    """Seconds from when a text was due to its frame on each page, and on the last one."""
    each: list[float] = []
    last: list[float] = []
    for number, at in enumerate(due, first):
        if heard := audience.heard[number]:
            each += [one - at for one in heard]
            last.append(max(heard) - at)
    return each, last
