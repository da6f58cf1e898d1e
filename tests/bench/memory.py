"""Measure the program's memory: idle, and for each open page."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
from django.db import connections

from tests.bench.figures import Figure
from tests.bench.server import Server
from tests.bench.setup import Setup, echo_sockets, make_thread, make_viewers, page_sockets
from tests.stack import ROOT

PAGES = 200
AIM_PAGE = 200_000
SETTLE_SECONDS = 3.0
BARE_PYTHON = "import config.asgi, psutil; print(psutil.Process().memory_info().rss)"


def measure(setup: Setup) -> list[Figure]:
    thread, members = make_thread(setup, setup.inboxes[0]), make_viewers(setup, PAGES)
    _, floor = _measure_open_pages(setup.server, echo_sockets(members))
    idle, ours = _measure_open_pages(setup.server, page_sockets(setup.inboxes[0], thread, members))
    bare = _bare_python_bytes()
    return [
        Figure(
            "memory of serve, idle",
            f"{idle / 1e6:.0f} MB",
            f"{bare / 1e6:.0f} MB",
            f"{idle / bare:.2f}",
            note="program and worker, without PostgreSQL; floor: Python importing the application",
        ),
        Figure(
            f"memory for each of {PAGES} open pages",
            f"{ours / 1e3:.0f} kB",
            f"{floor / 1e3:.0f} kB",
            f"{ours / floor:.2f}",
            f"≤ {AIM_PAGE / 1e3:.0f} kB",
            ours <= AIM_PAGE,
            "each shows a list and a thread; floor: sockets that only echo; new starts",
        ),
    ]


def _measure_open_pages(server: Server, pages: list[dict[str, str]]) -> tuple[int, float]:
    """Return the bytes of a program just started, and those that each page adds."""
    server.stop()
    server.start()
    connections.close_all()  # ours went with the database
    time.sleep(SETTLE_SECONDS)
    idle = _resident_bytes(server)
    server.load_process.run("open_pages", name="pages", port=server.port, pages=pages)
    time.sleep(SETTLE_SECONDS)
    added = _resident_bytes(server) - idle
    server.load_process.run("close_pages", name="pages")
    return idle, added / len(pages)


def _resident_bytes(server: Server) -> int:
    resident: int = psutil.Process(server.stack.process.pid).memory_info().rss
    return resident


def _bare_python_bytes() -> int:
    done = subprocess.run(
        [sys.executable, "-c", BARE_PYTHON], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return int(done.stdout)
