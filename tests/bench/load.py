"""Act for the outside world, as a process of its own: callers and open pages.

It reads one JSON command a line, answers each with one line, and ends with its input.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections import Counter
from typing import Any

from tests.bench.clients import TIMEOUT, HttpConnection, Socket
from tests.bench.traffic import run_mixed_load


class PageSet:
    """Hold open sockets, and record which of them have shown a mark."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self._mark = b""
        self._shown_at: dict[Socket, float] = {}
        self._frame = b""
        self._is_shown_everywhere = asyncio.Event()
        self.frames = 0
        self.bytes = 0

    async def open(self, port: int, pages: list[dict[str, str]]) -> None:
        for page in pages:
            socket = await Socket.open(port, page["path"], page["cookie"], self._record_frame)
            self.sockets.append(socket)

    def expect(self, mark: bytes) -> None:
        self._mark, self._shown_at = mark, {}
        self._is_shown_everywhere.clear()

    async def wait_until_shown(self) -> tuple[list[float], bytes]:
        """Return when each page showed the mark, ascending, and the frame that had it."""
        async with asyncio.timeout(TIMEOUT):
            await self._is_shown_everywhere.wait()
        return sorted(self._shown_at.values()), self._frame

    def close(self) -> None:
        for socket in self.sockets:
            socket.close()
        self.sockets.clear()

    def _record_frame(self, socket: Socket, text: bytes, at: float) -> None:
        self.frames += 1
        self.bytes += len(text)
        if not self._mark or self._mark not in text or socket in self._shown_at:
            return
        self._shown_at[socket] = at
        self._frame = text
        if len(self._shown_at) == len(self.sockets):
            self._is_shown_everywhere.set()


class Commands:
    def __init__(self) -> None:
        self.pages: dict[str, PageSet] = {}

    async def post_all(self, port: int, requests: list[str], connections: int) -> dict[str, Any]:
        """Send all requests over some kept-alive connections, as fast as they are answered."""
        waiting = [base64.b64decode(request) for request in reversed(requests)]
        statuses: Counter[int] = Counter()
        took: list[float] = []

        async def send_waiting(connection: HttpConnection) -> None:
            while waiting:
                request = waiting.pop()
                started_at = time.perf_counter()
                answer = await connection.send_request(request)
                took.append(time.perf_counter() - started_at)
                statuses[answer.status] += 1

        open_connections = [await HttpConnection.open(port) for _ in range(connections)]
        started_at = time.perf_counter()
        await asyncio.gather(*(send_waiting(connection) for connection in open_connections))
        seconds = time.perf_counter() - started_at
        for connection in open_connections:
            connection.close()
        return {"seconds": seconds, "statuses": dict(statuses), "took": sorted(took)}

    async def get_all(self, port: int, requests: list[str]) -> dict[str, Any]:
        """Send requests one after the other; return seconds, status and bytes of each."""
        connection = await HttpConnection.open(port)
        answers = []
        for request in requests:
            started_at = time.perf_counter()
            answer = await connection.send_request(base64.b64decode(request))
            seconds = time.perf_counter() - started_at
            body = base64.b64encode(answer.body).decode()
            head = answer.head.decode("latin-1")
            answers.append(
                {"seconds": seconds, "status": answer.status, "size": answer.size}
                | {"body": body, "head": head}
            )
        connection.close()
        return {"answers": answers}

    async def open_pages(
        self, name: str, port: int, pages: list[dict[str, str]]
    ) -> dict[str, Any]:
        self.pages[name] = PageSet()
        started_at = time.perf_counter()
        await self.pages[name].open(port, pages)
        return {"seconds": time.perf_counter() - started_at}

    async def close_pages(self, name: str) -> dict[str, Any]:
        self.pages.pop(name).close()
        return {}

    async def send_text(self, name: str, port: int, request: str, mark: str) -> dict[str, Any]:
        """Measure the seconds from a webhook's first byte to each page's frame with the mark."""
        pages = self.pages[name]
        connection = await HttpConnection.open(port)
        pages.expect(mark.encode())
        started_at = time.perf_counter()
        request_task = asyncio.create_task(connection.send_request(base64.b64decode(request)))
        shown_at, frame = await pages.wait_until_shown()
        answer = await request_task
        connection.close()
        took = [at - started_at for at in shown_at]
        return {"status": answer.status, "took": took, "frame": frame.decode()}

    async def send_echo(self, name: str, text: str, mark: str) -> dict[str, Any]:
        """Measure the seconds from one socket's text to each socket's echo."""
        pages = self.pages[name]
        pages.expect(mark.encode())
        started_at = time.perf_counter()
        pages.sockets[0].send_frame(text.encode())
        shown_at, _ = await pages.wait_until_shown()
        return {"took": [at - started_at for at in shown_at]}

    async def keep_open(
        self, name: str, text: str, every: float, seconds: float
    ) -> dict[str, Any]:
        """Have each page send the text repeatedly; count what they receive meanwhile."""
        pages = self.pages[name]
        pages.frames = pages.bytes = 0
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            for socket in pages.sockets if text else ():
                socket.send_frame(text.encode())
            await asyncio.sleep(min(every, left))
        return {"frames": pages.frames, "bytes": pages.bytes}

    async def run_mixed_load(
        self, texts: list[str], gets: list[str], **details: Any
    ) -> dict[str, Any]:
        """Run callers, page loads and open pages at once; see `tests.bench.traffic`."""
        used = time.process_time()
        unpacked = [[base64.b64decode(one) for one in many] for many in (texts, gets)]
        done = await run_mixed_load(texts=unpacked[0], gets=unpacked[1], **details)
        return done | {"used": time.process_time() - used}


async def main() -> None:
    commands = Commands()
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        try:
            result = await getattr(commands, order.pop("command"))(**order)
        except (OSError, EOFError, TimeoutError) as error:
            result = {"error": repr(error)}
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
