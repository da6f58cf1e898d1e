"""What the program takes of the machine's memory: idle, and for each page that is open."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
from django.db import connections

from tests.bench.figures import Figure
from tests.bench.house import House
from tests.bench.stage import Stage, echo_pages, looks, thread_of, viewers
from tests.stack import ROOT

PAGES = 200
AIM_PAGE = 200_000
SETTLE = 3.0
BARE = "import config.asgi, psutil; print(psutil.Process().memory_info().rss)"


def measure(stage: Stage) -> list[Figure]:
    thread, team = thread_of(stage, stage.desks[0]), viewers(stage, PAGES)
    _, floor = _opened(stage.house, echo_pages(team))
    idle, ours = _opened(stage.house, looks(stage.desks[0], thread, team))
    bare = _bare()
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


def _opened(house: House, pages: list[dict[str, str]]) -> tuple[int, float]:
    """Bytes of a program that was just started, and what each page adds."""
    house.stop()
    house.start()
    connections.close_all()  # ours went with the database
    time.sleep(SETTLE)
    idle = _resident(house)
    house.world.do("open", name="pages", port=house.port, pages=pages)
    time.sleep(SETTLE)
    added = _resident(house) - idle
    house.world.do("close", name="pages")
    return idle, added / len(pages)


def _resident(house: House) -> int:
    resident: int = psutil.Process(house.stack.process.pid).memory_info().rss
    return resident


def _bare() -> int:
    done = subprocess.run(
        [sys.executable, "-c", BARE], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return int(done.stdout)
