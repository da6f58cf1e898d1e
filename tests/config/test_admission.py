"""Limits of what is open at once: sign-ins, and sockets of one address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from config import admission, asgi
from config.admission import SignInQueue, SocketLimit, client_network
from tests.stack import Stack, running_stack

PUBLIC = "https://localhost"
OFFICE, HOME = "198.51.100.7", "198.51.100.8"


class Application:
    """Answer as an ASGI application, but only when the test says so."""

    def __init__(self) -> None:
        self.running = 0
        self.go_on = asyncio.Event()
        self.fails = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.running += 1
        try:
            await self.go_on.wait()
        finally:
            self.running -= 1
        if self.fails:
            raise ValueError
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def call_application(application: Any, **scope: Any) -> Any:
    """Return the status of the answer, or the type of the first message."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    defaults = {"type": "http", "method": "POST", "path": "/sign-in/"}
    await application(defaults | scope, receive, send)
    return sent[0].get("status", sent[0]["type"])


async def wait_until(is_so: Any) -> None:
    for _ in range(10_000):
        if is_so():
            return
        await asyncio.sleep(0.001)
    raise AssertionError


async def test_a_few_sign_ins_go_through_at_once_and_the_others_wait() -> None:
    inner = Application()
    outer = SignInQueue(inner, at_once=2)
    tasks = [asyncio.create_task(call_application(outer)) for _ in range(6)]
    await wait_until(lambda: inner.running == 2)
    await asyncio.sleep(0.02)
    assert inner.running == 2
    others = asyncio.create_task(call_application(outer, path="/webhooks/x/y/"))
    page = asyncio.create_task(call_application(outer, method="GET"))
    await wait_until(lambda: inner.running == 4)
    inner.go_on.set()
    assert await asyncio.gather(*tasks, others, page) == [200] * 8


@pytest.mark.parametrize("path", ["/sign-in/", "/sign-in/confirm/", "/account/password/"])
async def test_a_sign_in_is_refused_if_too_many_wait(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "SIGN_INS_WAITING", 1)
    inner = Application()
    outer = SignInQueue(inner, at_once=1)
    others = [asyncio.create_task(call_application(outer, path=path)) for _ in range(2)]
    await wait_until(lambda: inner.running == outer._waiting == 1)
    assert await call_application(outer, path=path) == 503
    inner.go_on.set()
    assert await asyncio.gather(*others) == [200, 200]


async def test_a_sign_in_that_waits_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MAX_WAIT_SECONDS", 0.05)
    inner = Application()
    outer = SignInQueue(inner, at_once=1)
    first = asyncio.create_task(call_application(outer))
    await wait_until(lambda: inner.running == 1)
    assert await call_application(outer) == 503
    inner.go_on.set()
    assert await first == 200
    assert await call_application(outer) == 200


def test_sign_ins_wait_before_they_reach_django() -> None:
    assert isinstance(asgi.pages.application, SignInQueue)


async def test_a_socket_that_ends_with_an_error_frees_its_place() -> None:
    inner = Application()
    outer = SocketLimit(inner, limit=2)
    scope = {"type": "websocket", "client": [OFFICE, 1]}
    failing, dropped = (asyncio.create_task(call_application(outer, **scope)) for _ in range(2))
    await wait_until(lambda: inner.running == 2)
    assert await call_application(outer, **scope) == "websocket.close"
    dropped.cancel()
    inner.fails = True
    inner.go_on.set()
    done = await asyncio.gather(failing, dropped, return_exceptions=True)
    assert [type(outcome) for outcome in done] == [ValueError, asyncio.CancelledError]
    assert not outer._open


@pytest.mark.parametrize(
    ("client", "network"),
    [
        (["198.51.100.7", 1], "198.51.100.7"),
        (["::ffff:198.51.100.7", 1], "198.51.100.7"),
        (["2001:db8:1:2:3:4:5:6", 1], "2001:db8:1:2::/64"),
        (["unix", 1], "unix"),
        (None, ""),
    ],
)
def test_an_ipv6_address_counts_by_its_64(client: Any, network: str) -> None:
    assert client_network(client) == network


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Run a server behind a proxy, as every installation with an https address does."""
    with running_stack("admission", PUBLIC_URL=PUBLIC, SOCKETS_PER_ADDRESS="2") as stack:
        yield stack


def open_browser(stack: Stack, address: str) -> httpx.Client:
    headers = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https", "Origin": PUBLIC}
    return httpx.Client(base_url=stack.url, trust_env=False, headers=headers)


def sign_in(http: httpx.Client, name: str, password: str) -> httpx.Response:
    """Send the cookies by hand, because httpx sends them only over https."""
    page = http.get("/sign-in/")
    token = page.cookies["__Host-csrftoken"]
    http.headers["Cookie"] = f"__Host-csrftoken={token}"
    form = {"username": name, "password": password, "csrfmiddlewaretoken": token}
    return http.post("/sign-in/", data=form)


def test_each_address_has_a_limit_of_sockets_of_its_own(stack: Stack) -> None:
    with open_browser(stack, OFFICE) as http:
        session = sign_in(http, "ana", "partyline").cookies["__Host-sessionid"]

    def open_one(address: str) -> ClientConnection:
        headers = {"Cookie": f"__Host-sessionid={session}", "X-Forwarded-For": address}
        where = f"ws://127.0.0.1:{stack.port}/live/"
        return opened.enter_context(
            connect(where, origin=Origin(PUBLIC), additional_headers=headers, proxy=None)
        )

    with ExitStack() as opened:
        first, _ = open_one(OFFICE), open_one(OFFICE)
        with pytest.raises(InvalidStatus) as refused:
            open_one(OFFICE)
        assert refused.value.response.status_code == 403
        open_one(HOME)
        first.close()
        # The server notices it a moment later.
        for _ in range(500):
            try:
                open_one(OFFICE)
                break
            except InvalidStatus:
                continue
        else:
            pytest.fail(stack.log)


def test_a_lockout_applies_to_the_address_that_the_proxy_forwards(stack: Stack) -> None:
    with open_browser(stack, OFFICE) as http:
        assert sign_in(http, "nobody", "wrong").status_code == 200
        with psycopg.connect(stack.database_url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO inboxes_signinfailure (address, subject, at)"
                " SELECT address, 'x', at FROM inboxes_signinfailure, generate_series(1, 49)"
            )
        assert sign_in(http, "ana", "partyline").status_code == 429
    with open_browser(stack, HOME) as http:
        assert sign_in(http, "ana", "partyline").status_code == 302


def peak_memory(stack: Stack) -> int:
    """Return the highest memory use of the process so far, in MB."""
    status = Path(f"/proc/{stack.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def test_twenty_sign_ins_at_once_cost_no_500_and_little_memory(stack: Stack) -> None:
    async def sign_in_once(http: httpx.AsyncClient, token: str, number: int) -> int:
        form = {"username": f"n{number}", "password": "wrong", "csrfmiddlewaretoken": token}
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        return (await http.post("/sign-in/", data=form, headers=headers)).status_code

    async def all_at_once() -> list[int]:
        headers = {"X-Forwarded-Proto": "https", "Origin": PUBLIC}
        async with httpx.AsyncClient(
            base_url=stack.url, trust_env=False, headers=headers, timeout=20
        ) as http:
            token = (await http.get("/sign-in/")).cookies["__Host-csrftoken"]
            http.headers["Cookie"] = f"__Host-csrftoken={token}"
            return list(
                await asyncio.gather(*(sign_in_once(http, token, number) for number in range(20)))
            )

    before = peak_memory(stack)
    assert set(asyncio.run(all_at_once())) <= {200, 503}
    assert peak_memory(stack) < before + 100
