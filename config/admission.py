"""How much one kind of caller may have open at once, before Django is asked."""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse

from config.statics import encoded, standing_headers
from inboxes import passwords

SIGN_INS_AT_ONCE = 4
SIGN_INS_WAITING = 50
PATIENCE = 10.0  # seconds


class Crowded(Exception):
    """More wait already than there is room for, or the wait took too long."""


class SignIns:
    """An ASGI application around another: a few sign-ins at once, and the next ones wait here.

    Each takes a thread and a connection to the database and then waits for its hash, so a hundred
    of them would leave none to the others. One that waits here holds neither.
    """

    def __init__(self, application: Any, at_once: int = SIGN_INS_AT_ONCE) -> None:
        self.application = application
        self.paths = {reverse("login"), reverse("admin:login")}
        self._turns = asyncio.Semaphore(at_once)
        self._waiting = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in self.paths:
            await self.application(scope, receive, send)
            return
        try:
            async with self._turn():
                await self.application(scope, receive, send)
        except Crowded:
            await _refuse(send)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= SIGN_INS_WAITING:
            raise Crowded
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE):
                await self._turns.acquire()
        except TimeoutError:
            raise Crowded from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()


async def _refuse(send: Any) -> None:
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Retry-After": str(passwords.RETRY_AFTER_SECONDS),
        **standing_headers(),
    }
    body = render_to_string("passwords_busy.html").encode()
    start = {"type": "http.response.start", "status": 503, "headers": encoded(headers.items())}
    await send(start)
    await send({"type": "http.response.body", "body": body})


class SocketsByAddress:
    """An ASGI application around another: so many sockets at once for one network address.

    One more is refused with 403, before it costs a query; a page takes that for a line that is
    down and tries again, ever more slowly. IPv6 addresses count by their /64, which is what one
    customer of a provider gets.
    """

    def __init__(self, application: Any, limit: int) -> None:
        self.application = application
        self.limit = limit
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        place = network_of(scope.get("client"))
        if self._open[place] >= self.limit:
            await receive()
            await send({"type": "websocket.close"})
            return
        self._open[place] += 1
        try:
            await self.application(scope, receive, send)
        finally:
            self._open[place] -= 1
            if not self._open[place]:
                del self._open[place]


def network_of(client: Any) -> str:
    """The address of ASGI's `client`, or the /64 around it. "" where there is none."""
    text = str(client[0]) if client else ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if address.version == 4:
        return text
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.ip_network((int(address), 64), strict=False))
