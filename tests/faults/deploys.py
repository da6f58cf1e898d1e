"""Roll out a new version process by process, under load and with pages open (E8)."""

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
from tests.faults.ingest import seconds_figure, zero_figure
from tests.faults.sites import CallerLedger, ClusterSite, call_until_accepted, run_in_background


@dataclass(frozen=True)
class Size:
    rounds: int
    pages: int
    calls: int
    away: float = 15.0  # seconds that a page may be without its socket


SHORT = Size(rounds=1, pages=6, calls=150)
LONG = Size(rounds=5, pages=200, calls=3_000)
MAX_CONNECTING = 16


class ReopeningPages:
    """Keep sockets of ana's pages open, and reopen closed ones at once.

    Browsers would wait a random while, so this is the worse case.
    """

    def __init__(self, site: ClusterSite, count: int) -> None:
        view: dict[str, Any] = {"list": None, "thread": site.threads[0][0], "seqs": {}}
        url = site.cluster.url
        self.address = f"{url.replace('http', 'ws', 1)}/live/?look={quote(json.dumps(view))}"
        self.origin = Origin(url)
        cookies = "; ".join(f"{name}={value}" for name, value in site.cookies.items())
        self.headers = {"Cookie": cookies}
        self.trust = site.trust
        self.count = count
        self.closed = 0
        self.away = 0.0  # the longest time for which a page had no socket
        self.lock = threading.Lock()
        self.connecting = threading.Semaphore(MAX_CONNECTING)
        self.open_now = 0

    def __call__(self, is_over: threading.Event) -> None:
        with ThreadPoolExecutor(self.count) as pool:
            for done in [pool.submit(self._keep_open, is_over) for _ in range(self.count)]:
                done.result()

    def _keep_open(self, is_over: threading.Event) -> None:
        left_at = None
        while not is_over.is_set():
            socket = self._open_socket(is_over)
            if socket is None:
                return
            with socket:
                with self.lock:
                    self.open_now += 1
                    if left_at is not None:
                        self.away = max(self.away, time.monotonic() - left_at)
                self._read_until_closed(socket, is_over)
                left_at = time.monotonic()
                with self.lock:
                    self.open_now -= 1
                    self.closed += not is_over.is_set()

    def open_connection(self) -> ClientConnection:
        """Return a context manager."""
        return connect(
            self.address,
            origin=self.origin,
            ssl=self.trust,
            additional_headers=self.headers,
            proxy=None,
            close_timeout=2,
        )

    def _open_socket(self, is_over: threading.Event) -> ClientConnection | None:
        while not is_over.is_set():
            try:
                with self.connecting:
                    return self.open_connection()
            except (OSError, InvalidHandshake, TimeoutError):
                time.sleep(0.2)
        return None

    def _read_until_closed(self, socket: ClientConnection, is_over: threading.Event) -> None:
        while not is_over.is_set():
            try:
                socket.recv(timeout=1)
            except TimeoutError:
                continue
            except ConnectionClosed:
                return


def measure_rolling_restarts(site: ClusterSite, size: Size) -> list[Figure]:
    ledger, pages = CallerLedger(), ReopeningPages(site, size.pages)
    prefix = f"SMdeploy{time.time_ns()}"
    calls = [site.text_call(f"{prefix}-{n}", f"Text {n}") for n in range(size.calls)]
    rounds = 0

    def roll_out(is_over: threading.Event) -> None:
        nonlocal rounds
        while rounds < size.rounds:
            site.cluster.restart_in_turn()
            rounds += 1

    seen = len(site.cluster.log)
    with run_in_background(pages):
        site.wait_until(lambda: pages.open_now == size.pages)
        with run_in_background(roll_out):
            call_until_accepted(site, calls, ledger, connections=4)
        site.wait_until(lambda: pages.open_now == size.pages)
    exits = [float(s) for s in re.findall(r"ended in ([\d.]+) s", site.cluster.log[seen:])]
    rows = site.cluster.sql(
        "SELECT carrier_message_id FROM messaging_message WHERE carrier_message_id LIKE %s",
        f"{prefix}%",
    )
    lost = ledger.accepted - {row[0] for row in rows}
    return [
        Figure(
            f"E8: {len(calls)} webhooks, {rounds} rolling restarts, {size.pages} pages",
            f"{ledger.refused} refusals",
            note=f"{dict(ledger.statuses)}; slowest {ledger.slowest:.1f} s",
        ),
        zero_figure("E8: webhooks lost", len(lost)),
        seconds_figure("E8: slowest exit", max(exits), 10),
        seconds_figure(
            "E8: longest time of a page without its socket",
            pages.away,
            size.away,
            note=f"{pages.closed} sockets closed, all back at once",
        ),
    ]
