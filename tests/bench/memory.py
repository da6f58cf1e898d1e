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
    desk, house = stage.desks[0], stage.house
    thread, team = thread_of(stage, desk), viewers(stage, PAGES)
    house.stop()
    house.start()
    connections.close_all()  # ours went with the database
    time.sleep(SETTLE)
    idle = _resident(house)
    each = {}
    for name, pages in (("floor", echo_pages(team)), ("ours", looks(desk, thread, team))):
        before = _resident(house)
        house.world.do("open", name=name, port=house.port, pages=pages)
        time.sleep(SETTLE)
        each[name] = (_resident(house) - before) / PAGES
        house.world.do("close", name=name)
        time.sleep(SETTLE)
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
            f"{each['ours'] / 1e3:.0f} kB",
            f"{each['floor'] / 1e3:.0f} kB",
            f"{each['ours'] / each['floor']:.2f}" if each["floor"] > 0 else "–",
            f"≤ {AIM_PAGE / 1e3:.0f} kB",
            each["ours"] <= AIM_PAGE,
            "floor: a socket that only echoes, opened first and closed again",
        ),
    ]


def _resident(house: House) -> int:
    resident: int = psutil.Process(house.stack.process.pid).memory_info().rss
    return resident


def _bare() -> int:
    done = subprocess.run(
        [sys.executable, "-c", BARE], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return int(done.stdout)
