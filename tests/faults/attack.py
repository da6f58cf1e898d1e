"""One party's attack on the others, bounded in count and time, from this machine."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.bench.wire import HOST, Line, Socket

SOURCE = "127.0.66.6"
"""The attacker's address: what is counted by address is counted for nobody else."""

GRACE = 3.0
"""Seconds after the end in which the server may still close what it was sent."""


@dataclass
class Attack:
    """`pages` have path and cookie of a member's socket; `texts` are webhooks to be sent."""

    port: int
    seconds: float
    amount: int
    cafile: str | None = None
    pages: list[dict[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    listen: int = 0
    """The port on which the push service of `push_service` is."""

    def __post_init__(self) -> None:
        self.end = time.perf_counter() + self.seconds
        self.trust = ssl.create_default_context(cafile=self.cafile) if self.cafile else None
        self.done: Counter[str] = Counter()

    @property
    def is_over(self) -> bool:
        return time.perf_counter() >= self.end

    @property
    def is_ending(self) -> bool:
        """Half of the time is over: too late to begin what the server should have time to end."""
        return time.perf_counter() >= self.end - self.seconds / 2

    @property
    def origin(self) -> str:
        return f"{'https' if self.trust else 'http'}://{HOST}:{self.port}"

    async def socket(self, number: int) -> Socket:
        """One of a member's. Raises OSError, TimeoutError where the server does not want it."""
        page = self.pages[number % len(self.pages)]
        opened = await Socket.open(
            self.port, page["path"], page["cookie"], _deaf, trust=self.trust, source=SOURCE
        )
        self.done["sockets"] += 1
        return opened

    async def line(self) -> Line:
        return await Line.open(self.port, self.trust, SOURCE)

    @asynccontextmanager
    async def raw(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection(
            HOST, self.port, ssl=self.trust, local_addr=(SOURCE, 0)
        )
        self.done["connections"] += 1
        try:
            yield reader, writer
        finally:
            writer.close()

    async def in_parallel(self, one: Callable[[int], Awaitable[None]]) -> None:
        """`amount` at once, which look at `is_over`; what hangs then is given up a little later.
        A line that breaks, or an answer that makes no sense, is what it is about."""

        async def shielded(number: int) -> None:
            with contextlib.suppress(OSError, EOFError, TimeoutError, ValueError):
                async with asyncio.timeout(max(0.1, self.end + GRACE - time.perf_counter())):
                    await one(number)

        await asyncio.gather(*(shielded(number) for number in range(self.amount)))


def _deaf(socket: Socket, text: bytes, at: float) -> None:
    pass
