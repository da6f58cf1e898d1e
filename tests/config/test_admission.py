"""How much one kind of caller may have open at once."""

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
from config.admission import SignIns, SocketsByAddress, network_of
from tests.stack import Stack, running_stack

PUBLIC = "https://localhost"
OFFICE, HOME = "198.51.100.7", "198.51.100.8"


class Application:
    """One that is busy until it is told."""

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


async def ask(application: Any, **scope: Any) -> Any:
    """What came of it: a status, or a type of message."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    defaults = {"type": "http", "method": "POST", "path": "/sign-in/"}
    await application(defaults | scope, receive, send)
    return sent[0].get("status", sent[0]["type"])


async def until(is_so: Any) -> None:
    for _ in range(10_000):
        if is_so():
            return
        await asyncio.sleep(0.001)
    raise AssertionError


async def test_a_few_sign_ins_go_at_once_and_the_next_ones_wait_their_turn() -> None:
    inner = Application()
    outer = SignIns(inner, at_once=2)
    tasks = [asyncio.create_task(ask(outer)) for _ in range(6)]
    await until(lambda: inner.running == 2)
    await asyncio.sleep(0.02)
    assert inner.running == 2
    others = asyncio.create_task(ask(outer, path="/webhooks/x/y/"))
    page = asyncio.create_task(ask(outer, method="GET"))
    await until(lambda: inner.running == 4)
    inner.go_on.set()
    assert await asyncio.gather(*tasks, others, page) == [200] * 8


@pytest.mark.parametrize("path", ["/sign-in/", "/admin/login/"])
async def test_who_finds_too_many_waiting_is_told(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "SIGN_INS_WAITING", 1)
    inner = Application()
    outer = SignIns(inner, at_once=1)
    others = [asyncio.create_task(ask(outer, path=path)) for _ in range(2)]
    await until(lambda: inner.running == outer._waiting == 1)
    assert await ask(outer, path=path) == 503
    inner.go_on.set()
    assert await asyncio.gather(*others) == [200, 200]


async def test_who_waits_too_long_for_a_turn_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "PATIENCE", 0.05)
    inner = Application()
    outer = SignIns(inner, at_once=1)
    first = asyncio.create_task(ask(outer))
    await until(lambda: inner.running == 1)
    assert await ask(outer) == 503
    inner.go_on.set()
    assert await first == 200
    assert await ask(outer) == 200


def test_sign_ins_wait_before_django_is_asked() -> None:
    assert isinstance(asgi.pages.application, SignIns)


async def test_a_socket_that_ends_badly_makes_room_too() -> None:
    inner = Application()
    outer = SocketsByAddress(inner, limit=2)
    scope = {"type": "websocket", "client": [OFFICE, 1]}
    failing, dropped = (asyncio.create_task(ask(outer, **scope)) for _ in range(2))
    await until(lambda: inner.running == 2)
    assert await ask(outer, **scope) == "websocket.close"
    dropped.cancel()
    inner.fails = True
    inner.go_on.set()
    done = await asyncio.gather(failing, dropped, return_exceptions=True)
    assert [type(one) for one in done] == [ValueError, asyncio.CancelledError]
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
def test_an_address_is_what_one_customer_of_a_provider_has(client: Any, network: str) -> None:
    assert network_of(client) == network


@pytest.fixture(scope="module")
def house() -> Iterator[Stack]:
    """Behind a proxy, as every house with an https address is."""
    with running_stack("admission", PUBLIC_URL=PUBLIC, SOCKETS_PER_ADDRESS="2") as stack:
        yield stack


def browser(house: Stack, address: str) -> httpx.Client:
    headers = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https", "Origin": PUBLIC}
    return httpx.Client(base_url=house.url, trust_env=False, headers=headers)


def sign_in(http: httpx.Client, name: str, password: str) -> httpx.Response:
    """Cookies are carried by hand: they are for https only."""
    page = http.get("/sign-in/")
    token = page.cookies["__Host-csrftoken"]
    http.headers["Cookie"] = f"__Host-csrftoken={token}"
    form = {"username": name, "password": password, "csrfmiddlewaretoken": token}
    return http.post("/sign-in/", data=form)


def test_an_address_has_so_many_sockets_and_another_has_its_own(house: Stack) -> None:
    with browser(house, OFFICE) as http:
        session = sign_in(http, "ana", "partyline").cookies["__Host-sessionid"]

    def open_one(address: str) -> ClientConnection:
        headers = {"Cookie": f"__Host-sessionid={session}", "X-Forwarded-For": address}
        where = f"ws://127.0.0.1:{house.port}/live/"
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
        # The server hears of it a moment later.
        for _ in range(500):
            try:
                open_one(OFFICE)
                break
            except InvalidStatus:
                continue
        else:
            pytest.fail(house.log)


def test_the_address_that_is_locked_out_is_the_one_the_proxy_tells(house: Stack) -> None:
    with browser(house, OFFICE) as http:
        assert sign_in(http, "nobody", "wrong").status_code == 200
        with psycopg.connect(house.database_url, autocommit=True) as connection:
            connection.execute("UPDATE axes_accessattempt SET failures_since_start = 50")
        assert sign_in(http, "ana", "partyline").status_code == 429
    with browser(house, HOME) as http:
        assert sign_in(http, "ana", "partyline").status_code == 302


def peak(house: Stack) -> int:
    """The most memory that the process ever had, in MB."""
    status = Path(f"/proc/{house.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def test_twenty_sign_ins_at_once_cost_no_500_and_little_memory(house: Stack) -> None:
    async def one(http: httpx.AsyncClient, token: str, number: int) -> int:
        form = {"username": f"n{number}", "password": "wrong", "csrfmiddlewaretoken": token}
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        return (await http.post("/sign-in/", data=form, headers=headers)).status_code

    async def all_at_once() -> list[int]:
        headers = {"X-Forwarded-Proto": "https", "Origin": PUBLIC}
        async with httpx.AsyncClient(
            base_url=house.url, trust_env=False, headers=headers, timeout=20
        ) as http:
            token = (await http.get("/sign-in/")).cookies["__Host-csrftoken"]
            http.headers["Cookie"] = f"__Host-csrftoken={token}"
            return list(await asyncio.gather(*(one(http, token, number) for number in range(20))))

    before = peak(house)
    assert set(asyncio.run(all_at_once())) <= {200, 503}
    assert peak(house) < before + 100
