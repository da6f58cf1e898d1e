"""Connect browser and server by a TCP proxy on loopback that can be cut.

Chromium's own "offline" switch leaves open sockets alone, so the connection is cut underneath.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

# The carrier's calls go by the public address too, but they do not come from a browser.
_PASSES = (b"POST /webhooks/", b"POST /simulator/carrier/")


class Cable:
    """Forward connections to a port of 127.0.0.1.

    `cut` ends open connections and refuses new ones. `hush` passes no byte on and closes nothing,
    as a pulled cable does; it may name one host, and then leaves browsers alone that use another
    name. `hold` keeps new connections waiting if their first request begins as given.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._is_cut = False
        self._held = b""
        self._goes_on = asyncio.Event()
        self._flows = asyncio.Event()
        self._hushed_host = b""
        self._writers: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[None] | None] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(5)

    def cut(self) -> None:
        self._run(self._cut)

    def hush(self, host: str = "") -> None:
        self._hushed_host = f"\r\nhost: {host}".encode()
        self._run(self._flows.clear)

    def hold(self, path: str) -> None:
        self._held = f"GET {path}".encode()
        self._run(self._goes_on.clear)

    def restore(self) -> None:
        self._run(self._restore)

    def close(self) -> None:
        self._run(self._cut)
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _run(self, action: Callable[[], None]) -> None:
        async def do() -> None:
            action()

        asyncio.run_coroutine_threadsafe(do(), self._loop).result(5)

    async def _start(self) -> asyncio.Server:
        self._flows.set()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _stop(self) -> None:
        self._server.close()
        ours = asyncio.all_tasks() - {asyncio.current_task()}
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)
        await asyncio.sleep(0.05)  # what was aborted is closed by the loop's next rounds

    def _cut(self) -> None:
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def _restore(self) -> None:
        self._is_cut = False
        self._held = b""
        self._goes_on.set()
        self._flows.set()

    async def _serve(self, down: asyncio.StreamReader, up: asyncio.StreamWriter) -> None:
        """Serve one connection, from its first bytes to its end."""
        server: asyncio.StreamWriter | None = None
        pumps: list[asyncio.Task[None]] = []
        # The loop itself holds tasks but weakly.
        task = asyncio.current_task()
        self._connections.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            first = await down.read(65536)
            if self._held and first.startswith(self._held):
                await self._goes_on.wait()
            is_browser = not first.startswith(_PASSES)
            if first and not (is_browser and self._is_cut):
                answers, server = await asyncio.open_connection("127.0.0.1", self.target)
                if is_browser:
                    self._writers |= {up, server}
                head = first.lower() if is_browser else None
                pumps += [
                    asyncio.create_task(self._pump(down, server, first, head)),
                    asyncio.create_task(self._pump(answers, up, b"", head)),
                ]
                await asyncio.gather(*pumps)
        # One that broke takes the other along.
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for writer in filter(None, (up, server)):
            self._writers.discard(writer)
            writer.transport.abort()
        self._connections.discard(task)

    async def _pump(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        chunk: bytes,
        head: bytes | None,
    ) -> None:
        """Copy until the end. `head` is how a browser's first request began."""
        try:
            chunk = chunk or await source.read(65536)
            while chunk:
                if head is not None and self._hushed_host in head:
                    await self._flows.wait()
                sink.write(chunk)
                await sink.drain()
                chunk = await source.read(65536)
        finally:
            if sink.can_write_eof() and not sink.transport.is_closing():
                sink.write_eof()
