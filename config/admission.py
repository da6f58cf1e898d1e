"""ASGI middleware that limits what is open at once: sign-ins, and sockets of one address."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse

from config.static_files import encode_headers, security_headers
from inboxes import passwords
from inboxes.networks import network_of

SIGN_INS_AT_ONCE = 4
SIGN_INS_WAITING = 50
MAX_WAIT_SECONDS = 10.0  # seconds
# What strangers and agents can have hashed
HASHING = ("account_login", "account_reauthenticate", "account_change_password")


class TooManySignIns(Exception):
    """Too many sign-ins wait already, or this one waited too long."""


class SignInQueue:
    """Lets a few sign-ins through at once and makes the others wait.

    A sign-in takes a thread and a database connection while it waits for its hash, so a hundred of
    them would leave none for other requests. One that waits here holds neither.
    """

    def __init__(self, application: Any, at_once: int = SIGN_INS_AT_ONCE) -> None:
        self.application = application
        self.paths = {reverse(name) for name in HASHING}
        self._slots = asyncio.Semaphore(at_once)
        self._waiting = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in self.paths:
            await self.application(scope, receive, send)
            return
        try:
            async with self._wait_for_slot():
                await self.application(scope, receive, send)
        except TooManySignIns:
            await _send_busy_page(send)

    @asynccontextmanager
    async def _wait_for_slot(self) -> AsyncIterator[None]:
        if self._waiting >= SIGN_INS_WAITING:
            raise TooManySignIns
        self._waiting += 1
        try:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise TooManySignIns from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()


async def _send_busy_page(send: Any) -> None:
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Retry-After": str(passwords.RETRY_AFTER_SECONDS),
        **security_headers(),
    }
    body = render_to_string("passwords_busy.html").encode()
    start = {
        "type": "http.response.start",
        "status": 503,
        "headers": encode_headers(headers.items()),
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})


class SocketLimit:
    """Limits the open sockets of one network address.

    A socket above the limit is refused with 403 before it costs a query; its page tries again with
    growing pauses, as after a lost connection. IPv6 addresses count by their /64, which is what
    a provider gives to one customer.
    """

    def __init__(self, application: Any, limit: int) -> None:
        self.application = application
        self.limit = limit
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        network = client_network(scope.get("client"))
        if self._open[network] >= self.limit:
            await receive()
            await send({"type": "websocket.close"})
            return
        self._open[network] += 1
        try:
            await self.application(scope, receive, send)
        finally:
            self._open[network] -= 1
            if not self._open[network]:
                del self._open[network]


def client_network(client: Any) -> str:
    """Return the address of ASGI's `client`, or its /64 for IPv6; "" if there is none."""
    return network_of(str(client[0])) if client else ""
