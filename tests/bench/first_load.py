"""What a browser loads that was never here, and how soon the program answers when it is started
again on its data."""

from __future__ import annotations

import base64
import re
import statistics
import subprocess
import sys
import time
from urllib.parse import urljoin, urlsplit

from tests.bench.figures import Figure
from tests.bench.house import House, packed
from tests.bench.stage import Stage, cookie_of, new_agent
from tests.stack import ROOT

AIM_BYTES = 120_000
AIM_SECONDS = 5.0
STARTS = 3
MESSAGES = 40
LINKS = (
    re.compile(r"<(?:link|script|img|use)\b[^>]*?\b(?:href|src)=\"([^\"#]+)"),
    re.compile(r"\bfrom\s*\"(\.[^\"]+)\""),
    re.compile(r"\bimport\s*\"(\.[^\"]+)\""),
    re.compile(r"url\([\"']?([^\"')#]+)"),
    re.compile(r"@import\s+[\"']([^\"']+)"),
)


def measure(stage: Stage) -> list[Figure]:
    return [_first_load(stage), _second_start(stage.house)]


def _first_load(stage: Stage) -> Figure:
    from threads.models import Thread

    desk = stage.desks[1]
    agent = new_agent("newcomer", desk.inbox_id)
    texts = [
        packed(stage.text(desk, n % 12, f"Text {n}: is my parcel there?")) for n in range(12)
    ] + [packed(stage.text(desk, 0, f"And another one, {n}.")) for n in range(MESSAGES)]
    stage.house.world.do("post", port=stage.house.port, requests=texts, lines=1)
    thread = Thread.objects.get(inbox=desk.inbox_id, contact__address="+12025551000")
    sizes = _crawl(stage.house, f"/threads/{thread.pk}/", cookie_of(agent))
    total = sum(sizes.values())
    page = next(iter(sizes.values()))
    vendored = sum(size for path, size in sizes.items() if "/vendor/" in path)
    return Figure(
        "first load of a conversation, bytes transferred",
        f"{total:,} B",
        f"{vendored:,} B",
        f"{total / vendored:.2f}",
        f"≤ {AIM_BYTES:,} B",
        total <= AIM_BYTES,
        f"{len(sizes)} requests with heads; page {page:,} B; floor: htmx and hx-ws",
    )


def _crawl(house: House, page: str, cookie: str) -> dict[str, int]:
    """Bytes of the page and of whatever it leads a browser to, heads included."""
    sizes: dict[str, int] = {}
    waiting = [page]
    while waiting and len(sizes) < 200:
        path = waiting.pop(0)
        if path in sizes:
            continue
        # First as a browser asks, for the size; then plain, to read what it refers to.
        packed_answer = house.get([path], Cookie=cookie, Accept_Encoding="gzip, br")[0]
        sizes[path] = packed_answer["size"]
        plain = house.get([path], Cookie=cookie)[0]
        waiting += _references(path, plain["head"], base64.b64decode(plain["body"]))
    return sizes


def _references(path: str, head: str, body: bytes) -> list[str]:
    kind = re.search(r"(?i)^content-type:\s*(text/html|text/css|\S*javascript)", head, re.M)
    if kind is None or "/vendor/" in path:
        return []
    text = body.decode()
    patterns = LINKS[:1] if kind[1] == "text/html" else LINKS[1:]
    found = (urljoin(path, link) for pattern in patterns for link in pattern.findall(text))
    return [urlsplit(link).path for link in found if not link.startswith("data:")]


def _second_start(house: House) -> Figure:
    ours = []
    floors = []
    for _ in range(STARTS):
        house.stop()
        ours.append(house.start())
        floors.append(_bare_start())
    middle, floor = statistics.median(ours), statistics.median(floors)
    return Figure(
        "second start → first answer",
        f"{middle:.2f} s",
        f"{floor:.2f} s",
        f"{middle / floor:.2f}",
        f"≤ {AIM_SECONDS:.0f} s",
        middle <= AIM_SECONDS,
        f"slowest {max(ours):.2f} s; floor: Python importing the application",
    )


def _bare_start() -> float:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import config.asgi"], cwd=ROOT, check=True)
    return time.monotonic() - begun
