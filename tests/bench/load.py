"""The outside world as a process of its own: callers and open pages.

Reads one JSON command a line, answers each with one line. Ends with its input.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections import Counter
from typing import Any

from tests.bench.traffic import mix
from tests.bench.wire import PATIENCE, Line, Socket


class Pages:
    """A set of open sockets, and who of them has heard a mark."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self._mark = b""
        self._heard: dict[Socket, float] = {}
        self._frame = b""
        self._all_heard = asyncio.Event()
        self.frames = 0
        self.bytes = 0

    async def open(self, port: int, pages: list[dict[str, str]]) -> None:
        for page in pages:
            socket = await Socket.open(port, page["path"], page["cookie"], self._hear)
            self.sockets.append(socket)

    def expect(self, mark: bytes) -> None:
        self._mark, self._heard = mark, {}
        self._all_heard.clear()

    async def wait(self) -> tuple[list[float], bytes]:
        """When each page had heard it, ascending, and what was heard."""
        async with asyncio.timeout(PATIENCE):
            await self._all_heard.wait()
        return sorted(self._heard.values()), self._frame

    def close(self) -> None:
        for socket in self.sockets:
            socket.close()
        self.sockets.clear()

    def _hear(self, socket: Socket, text: bytes, at: float) -> None:
        self.frames += 1
        self.bytes += len(text)
        if not self._mark or self._mark not in text or socket in self._heard:
            return
        self._heard[socket] = at
        self._frame = text
        if len(self._heard) == len(self.sockets):
            self._all_heard.set()


class World:
    def __init__(self) -> None:
        self.pages: dict[str, Pages] = {}

    async def post(self, port: int, requests: list[str], lines: int) -> dict[str, Any]:
        """Send all requests over some kept-alive lines, as fast as they are answered."""
        waiting = [base64.b64decode(request) for request in reversed(requests)]
        statuses: Counter[int] = Counter()
        took: list[float] = []

        async def work(line: Line) -> None:
            while waiting:
                request = waiting.pop()
                begun = time.perf_counter()
                answer = await line.ask(request)
                took.append(time.perf_counter() - begun)
                statuses[answer.status] += 1

        opened = [await Line.open(port) for _ in range(lines)]
        begun = time.perf_counter()
        await asyncio.gather(*(work(line) for line in opened))
        seconds = time.perf_counter() - begun
        for line in opened:
            line.close()
        return {"seconds": seconds, "statuses": dict(statuses), "took": sorted(took)}

    async def get(self, port: int, requests: list[str]) -> dict[str, Any]:
        """One after the other on one line: seconds, status and bytes of each."""
        line = await Line.open(port)
        answers = []
        for request in requests:
            begun = time.perf_counter()
            answer = await line.ask(base64.b64decode(request))
            seconds = time.perf_counter() - begun
            body = base64.b64encode(answer.body).decode()
            head = answer.head.decode("latin-1")
            answers.append(
                {"seconds": seconds, "status": answer.status, "size": answer.size}
                | {"body": body, "head": head}
            )
        line.close()
        return {"answers": answers}

    async def open(self, name: str, port: int, pages: list[dict[str, str]]) -> dict[str, Any]:
        self.pages[name] = Pages()
        begun = time.perf_counter()
        await self.pages[name].open(port, pages)
        return {"seconds": time.perf_counter() - begun}

    async def close(self, name: str) -> dict[str, Any]:
        self.pages.pop(name).close()
        return {}

    async def text(self, name: str, port: int, request: str, mark: str) -> dict[str, Any]:
        """Seconds from a webhook's first byte to each page's frame with the mark in it."""
        pages = self.pages[name]
        line = await Line.open(port)
        pages.expect(mark.encode())
        begun = time.perf_counter()
        asking = asyncio.create_task(line.ask(base64.b64decode(request)))
        heard, frame = await pages.wait()
        answer = await asking
        line.close()
        took = [at - begun for at in heard]
        return {"status": answer.status, "took": took, "frame": frame.decode()}

    async def echo(self, name: str, text: str, mark: str) -> dict[str, Any]:
        """The same from one socket's word to each socket's echo."""
        pages = self.pages[name]
        pages.expect(mark.encode())
        begun = time.perf_counter()
        pages.sockets[0].say(text.encode())
        heard, _ = await pages.wait()
        return {"took": [at - begun for at in heard]}

    async def stay(self, name: str, text: str, every: float, seconds: float) -> dict[str, Any]:
        """Have each page say the text again and again; what came to all of them meanwhile."""
        pages = self.pages[name]
        pages.frames = pages.bytes = 0
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            for socket in pages.sockets if text else ():
                socket.say(text.encode())
            await asyncio.sleep(min(every, left))
        return {"frames": pages.frames, "bytes": pages.bytes}

    async def mix(self, texts: list[str], gets: list[str], **details: Any) -> dict[str, Any]:
        """Callers, page loads and open pages at once; see `tests.bench.traffic`."""
        used = time.process_time()
        unpacked = [[base64.b64decode(one) for one in many] for many in (texts, gets)]
        done = await mix(texts=unpacked[0], gets=unpacked[1], **details)
        return done | {"used": time.process_time() - used}


async def main() -> None:
    world = World()
    while command := await asyncio.to_thread(sys.stdin.readline):
        wanted = json.loads(command)
        try:
            result = await getattr(world, wanted.pop("do"))(**wanted)
        except (OSError, EOFError, TimeoutError) as error:
            result = {"error": repr(error)}
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
