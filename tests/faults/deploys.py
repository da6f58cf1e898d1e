"""E8: a new version is rolled out, one process after the other, under load and with pages open."""

from __future__ import annotations

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.bench.figures import Figure
from tests.faults.ground import Ground, Told, meanwhile, repeat
from tests.faults.ingest import none


@dataclass(frozen=True)
class Size:
    rounds: int
    pages: int
    calls: int
    away: float = 15.0
    """Seconds that a page may be without its socket."""


SHORT = Size(rounds=1, pages=6, calls=150)
LONG = Size(rounds=5, pages=200, calls=3_000)
AT_ONCE = 16


class Pages:
    """Open sockets of ana's that come back when they are closed, at once: worse than browsers,
    which wait a random while."""

    def __init__(self, ground: Ground, count: int) -> None:
        look: dict[str, Any] = {"list": None, "thread": ground.threads[0][0], "seqs": {}}
        url = ground.cluster.url
        self.address = f"{url.replace('http', 'ws', 1)}/live/?look={quote(json.dumps(look))}"
        self.origin = Origin(url)
        cookies = "; ".join(f"{name}={value}" for name, value in ground.cookies.items())
        self.headers = {"Cookie": cookies}
        self.trust = ground.trust
        self.count = count
        self.closed = 0
        self.away = 0.0
        """The longest that one page had no socket."""
        self.lock = threading.Lock()
        self.turn = threading.Semaphore(AT_ONCE)
        self.open_now = 0

    def __call__(self, is_over: threading.Event) -> None:
        with ThreadPoolExecutor(self.count) as pool:
            for done in [pool.submit(self._stay, is_over) for _ in range(self.count)]:
                done.result()

    def _stay(self, is_over: threading.Event) -> None:
        left_at = None
        while not is_over.is_set():
            socket = self._open(is_over)
            if socket is None:
                return
            with socket:
                with self.lock:
                    self.open_now += 1
                    if left_at is not None:
                        self.away = max(self.away, time.monotonic() - left_at)
                self._listen(socket, is_over)
                left_at = time.monotonic()
                with self.lock:
                    self.open_now -= 1
                    self.closed += not is_over.is_set()

    def connect(self) -> ClientConnection:
        """To be entered with `with`."""
        return connect(
            self.address,
            origin=self.origin,
            ssl=self.trust,
            additional_headers=self.headers,
            proxy=None,
            close_timeout=2,
        )

    def _open(self, is_over: threading.Event) -> ClientConnection | None:
        while not is_over.is_set():
            try:
                with self.turn:
                    return self.connect()
            except (OSError, InvalidHandshake, TimeoutError):
                time.sleep(0.2)
        return None

    def _listen(self, socket: ClientConnection, is_over: threading.Event) -> None:
        while not is_over.is_set():
            try:
                socket.recv(timeout=1)
            except TimeoutError:
                continue
            except ConnectionClosed:
                return


def e8(ground: Ground, size: Size) -> list[Figure]:
    told, pages = Told(), Pages(ground, size.pages)
    mark = f"SMdeploy{time.time_ns()}"
    calls = [ground.text(f"{mark}-{n}", f"Text {n}") for n in range(size.calls)]
    rolled = 0

    def roll(is_over: threading.Event) -> None:
        nonlocal rolled
        while rolled < size.rounds:
            ground.cluster.restart_in_turn()
            rolled += 1

    seen = len(ground.cluster.log)
    with meanwhile(pages):
        ground.wait_until(lambda: pages.open_now == size.pages)
        with meanwhile(roll):
            repeat(ground, calls, told, lines=4)
        ground.wait_until(lambda: pages.open_now == size.pages)
    exits = [float(s) for s in re.findall(r"ended in ([\d.]+) s", ground.cluster.log[seen:])]
    rows = ground.cluster.sql(
        "SELECT carrier_message_id FROM messaging_message WHERE carrier_message_id LIKE %s",
        f"{mark}%",
    )
    lost = told.accepted - {row[0] for row in rows}
    slow = max(exits)
    return [
        Figure(
            f"E8: {len(calls)} webhooks, {rolled} rolling restarts, {size.pages} pages",
            f"{told.refused} refusals",
            note=f"{dict(told.statuses)}; slowest {told.slowest:.1f} s",
        ),
        none("E8: webhooks lost", len(lost)),
        Figure("E8: slowest of the exits", f"{slow:.1f} s", aim="≤ 10 s", is_met=slow <= 10),
        Figure(
            "E8: longest that a page was away",
            f"{pages.away:.1f} s",
            aim=f"≤ {size.away:.0f} s",
            is_met=pages.away <= size.away,
            note=f"{pages.closed} sockets closed, all back at once",
        ),
    ]
