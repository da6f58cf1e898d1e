"""Send requests by the clock, and record when open pages show each text.

The load process (`tests.bench.load`) uses it.
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

from tests.bench.clients import HttpConnection, Socket

MARK = re.compile(rb"mark-(\d+)-")  # part of the body of each text, with its number

LAST_FRAMES = 15.0  # seconds for the last texts to reach the pages


class RequestSchedule:
    """Send each request when it is due, whether or not earlier ones have been answered.

    Latencies count from the time at which a request was due, so each of them includes a stall that
    delayed it.
    """

    def __init__(
        self,
        port: int,
        requests: Iterable[bytes],
        per_second: float,
        *,
        tls: SSLContext | None = None,
        source: str = "127.0.0.1",
    ) -> None:
        self.took: list[float] = []
        self.due: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.accepted: set[int] = set()
        self.is_over = False  # Set it to send nothing more
        self.max_lag = 0.0  # the longest time in seconds that this process was behind
        self._port = port
        self._tls = tls
        self._source = source
        self._requests = requests
        self._per_second = per_second
        self._idle_connections: list[HttpConnection] = []

    async def run(self) -> None:
        started_at = time.perf_counter()
        tasks = []
        for number, request in enumerate(self._requests):
            due = started_at + number / self._per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if self.is_over:
                break
            self.max_lag = max(self.max_lag, time.perf_counter() - due)
            self.due.append(due)
            tasks.append(asyncio.create_task(self._send_request(number, request, due)))
        await asyncio.gather(*tasks)
        for connection in self._idle_connections:
            connection.close()

    async def _send_request(self, number: int, request: bytes, due: float) -> None:
        """Record a broken connection, or no answer, as status 0."""
        try:
            status = await self._request_status(request)
        except (OSError, EOFError, TimeoutError):
            status = 0
        self.took.append(time.perf_counter() - due)
        self.statuses[status] += 1
        if 200 <= status < 300:
            self.accepted.add(number)

    async def _request_status(self, request: bytes) -> int:
        if self._idle_connections:
            connection = self._idle_connections.pop()
        else:
            connection = await HttpConnection.open(self._port, self._tls, self._source)
        try:
            status = (await connection.send_request(request)).status
        except BaseException:
            connection.close()
            raise
        self._idle_connections.append(connection)
        return status

    @property
    def summary(self) -> dict[str, Any]:
        return {"statuses": dict(self.statuses), "max_lag": self.max_lag}


class OpenPages:
    """Hold open pages, and record when each of them first showed each text."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.frames = 0
        self.bytes = 0
        # By number of the text: the times at which pages showed it, ascending.
        self.shown_at: defaultdict[int, list[float]] = defaultdict(list)
        self._shown_on: defaultdict[Socket, set[int]] = defaultdict(set)
        self._count = self._expected = 0
        self._is_all_shown = asyncio.Event()

    async def open(
        self, port: int, pages: list[dict[str, str]], tls: SSLContext | None = None
    ) -> None:
        """Open pages, each from an address of its own.

        A page may have `report`, which it repeats in `keep_reporting`.
        """
        for number, page in enumerate(pages):
            source = f"127.0.{1 + number // 250}.{1 + number % 250}"
            socket = await Socket.open(
                port, page["path"], page["cookie"], self._record_frame, tls=tls, source=source
            )
            self.sockets.append(socket)

    async def keep_reporting(self, pages: list[dict[str, str]], every: float) -> None:
        """Have each page report its presence, one after the other, until cancelled."""
        while True:
            for socket, page in zip(self.sockets, pages, strict=True):
                if "report" in page and socket.is_alive:
                    socket.send_frame(page["report"].encode())
                await asyncio.sleep(every / len(pages))

    async def wait_for_texts(self, texts: int) -> None:
        """Return once all pages have all texts, or LAST_FRAMES later."""
        self._expected = texts
        if not self.count_missing(texts):
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_FRAMES):
                await self._is_all_shown.wait()

    def count_missing(self, texts: int) -> int:
        """Return how often a page has not shown one of so many texts."""
        return texts * len(self.sockets) - self._count

    def texts_shown_on(self, socket: Socket) -> set[int]:
        """Return the numbers of the texts that the page has shown."""
        return self._shown_on[socket]

    @property
    def closed_count(self) -> int:
        return sum(not socket.is_alive for socket in self.sockets)

    def close(self) -> None:
        for socket in self.sockets:
            socket.close()

    def _record_frame(self, socket: Socket, text: bytes, at: float) -> None:
        self.frames += 1
        self.bytes += len(text)
        shown = self._shown_on[socket]
        for token in MARK.findall(text):
            number = int(token)
            if number not in shown:
                shown.add(number)
                self.shown_at[number].append(at)
                self._count += 1
        if self._expected and not self.count_missing(self._expected):
            self._is_all_shown.set()


async def run_mixed_load(
    port: int,
    pages: list[dict[str, str]],
    texts: list[bytes],
    texts_per_second: float,
    gets: list[bytes],
    gets_per_second: float,
    report_every: float,
    warm_up: float,
) -> dict[str, Any]:
    """Send both kinds of requests at once while the pages are open.

    Requests of the first `warm_up` seconds are sent but not reported. The text with the number N
    has the mark `mark-N-` in its body.
    """
    open_pages = OpenPages()
    await open_pages.open(port, pages)
    reporting = asyncio.create_task(open_pages.keep_reporting(pages, report_every))
    webhooks = RequestSchedule(port, texts, texts_per_second)
    views = RequestSchedule(port, gets, gets_per_second)
    await asyncio.gather(webhooks.run(), views.run())
    await open_pages.wait_for_texts(len(webhooks.accepted))
    reporting.cancel()
    closed = open_pages.closed_count
    open_pages.close()
    first = int(warm_up * texts_per_second)
    each, last = _delays(open_pages, webhooks.due[first:], first)
    return {
        "webhooks": percentiles(webhooks.took[first:]) | webhooks.summary,
        "views": percentiles(views.took[int(warm_up * gets_per_second) :]) | views.summary,
        "each": percentiles(each),
        "last": percentiles(last),
        "missing": open_pages.count_missing(len(webhooks.accepted)),
        "closed": closed,
        "frames": open_pages.frames,
        "bytes": open_pages.bytes,
    }


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return the median, the 95th percentile and the maximum; empty if there are no values."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    middle, high = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    return {"p50": middle, "p95": high, "max": ordered[-1]}


def _delays(
    open_pages: OpenPages, due: list[float], first: int
) -> tuple[list[float], list[float]]:
    """Return the seconds from when a text was due to its frame on each page, and on the last."""
    each: list[float] = []
    last: list[float] = []
    for number, at in enumerate(due, first):
        if shown_at := open_pages.shown_at[number]:
            each += [one - at for one in shown_at]
            last.append(max(shown_at) - at)
    return each, last
