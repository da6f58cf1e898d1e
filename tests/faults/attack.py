"""Hold one attack: bounded in count and time, from an address of its own on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.bench.clients import HOST, HttpConnection, Socket

# The attacker's own address, so that limits by address affect nobody else.
SOURCE = "127.0.66.6"

# So many seconds after the end the server may still close connections.
GRACE = 3.0


@dataclass
class Attack:
    """Hold the target, the limits and the outcomes of an attack.

    `pages` hold path and cookie of members' sockets; `texts` are webhooks to send. `listen` is the
    port of the push service that `push_service` runs.
    """

    port: int
    seconds: float
    amount: int
    cafile: str | None = None
    pages: list[dict[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    listen: int = 0

    def __post_init__(self) -> None:
        self.end = time.perf_counter() + self.seconds
        self.trust = ssl.create_default_context(cafile=self.cafile) if self.cafile else None
        self.outcomes: Counter[str] = Counter()

    @property
    def is_over(self) -> bool:
        return time.perf_counter() >= self.end

    @property
    def is_ending(self) -> bool:
        """Return True once half of the time is over, and nothing new should begin."""
        return time.perf_counter() >= self.end - self.seconds / 2

    @property
    def origin(self) -> str:
        return f"{'https' if self.trust else 'http'}://{HOST}:{self.port}"

    async def open_socket(self, number: int) -> Socket:
        """Open a member's socket. Raises OSError or TimeoutError if the server refuses it."""
        page = self.pages[number % len(self.pages)]
        opened = await Socket.open(
            self.port, page["path"], page["cookie"], _ignore_frame, tls=self.trust, source=SOURCE
        )
        self.outcomes["sockets"] += 1
        return opened

    async def open_http_connection(self) -> HttpConnection:
        return await HttpConnection.open(self.port, self.trust, SOURCE)

    @asynccontextmanager
    async def open_connection(
        self,
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection(
            HOST, self.port, ssl=self.trust, local_addr=(SOURCE, 0)
        )
        self.outcomes["connections"] += 1
        try:
            yield reader, writer
        finally:
            writer.close()

    async def run_in_parallel(self, run_one: Callable[[int], Awaitable[None]]) -> None:
        """Run `amount` coroutines at once; each stops when `is_over`, or is cancelled after GRACE.

        Broken connections and meaningless answers are expected, and ignored.
        """

        async def run_guarded(number: int) -> None:
            with contextlib.suppress(OSError, EOFError, TimeoutError, ValueError):
                async with asyncio.timeout(max(0.1, self.end + GRACE - time.perf_counter())):
                    await run_one(number)

        await asyncio.gather(*(run_guarded(number) for number in range(self.amount)))


def _ignore_frame(socket: Socket, text: bytes, at: float) -> None:
    pass
