"""Measure what a new browser loads, and how soon the program answers after a restart."""

from __future__ import annotations

import base64
import re
import statistics
import subprocess
import sys
import time
from urllib.parse import urljoin, urlsplit

from tests.bench.figures import Figure
from tests.bench.server import Server, to_base64
from tests.bench.setup import Setup, new_agent, signed_in_cookie
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


def measure(setup: Setup) -> list[Figure]:
    return [_measure_first_load(setup), _measure_second_start(setup.server)]


def _measure_first_load(setup: Setup) -> Figure:
    from threads.models import Thread

    inbox = setup.inboxes[1]
    agent = new_agent("newcomer", inbox.pk)
    texts = [
        to_base64(setup.text_webhook(inbox, n % 12, f"Text {n}: is my parcel there?"))
        for n in range(12)
    ] + [
        to_base64(setup.text_webhook(inbox, 0, f"And another one, {n}.")) for n in range(MESSAGES)
    ]
    setup.server.load_process.run(
        "post_all", port=setup.server.port, requests=texts, connections=1
    )
    thread = Thread.objects.get(inbox=inbox.pk, contact__address="+12025551000")
    sizes = _crawl_page(setup.server, f"/threads/{thread.pk}/", signed_in_cookie(agent))
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


def _crawl_page(server: Server, page: str, cookie: str) -> dict[str, int]:
    """Return the bytes, heads included, of the page and of all that a browser loads for it."""
    sizes: dict[str, int] = {}
    waiting = [page]
    while waiting and len(sizes) < 200:
        path = waiting.pop(0)
        if path in sizes:
            continue
        # First as a browser asks, for the size; then plain, to read what it refers to.
        compressed = server.get_all([path], Cookie=cookie, Accept_Encoding="gzip, br")[0]
        sizes[path] = compressed["size"]
        plain = server.get_all([path], Cookie=cookie)[0]
        waiting += _linked_paths(path, plain["head"], base64.b64decode(plain["body"]))
    return sizes


def _linked_paths(path: str, head: str, body: bytes) -> list[str]:
    kind = re.search(r"(?i)^content-type:\s*(text/html|text/css|\S*javascript)", head, re.M)
    if kind is None or "/vendor/" in path:
        return []
    text = body.decode()
    patterns = LINKS[:1] if kind[1] == "text/html" else LINKS[1:]
    links = (urljoin(path, link) for pattern in patterns for link in pattern.findall(text))
    return [urlsplit(link).path for link in links if not link.startswith("data:")]


def _measure_second_start(server: Server) -> Figure:
    start_times = []
    bare_times = []
    for _ in range(STARTS):
        server.stop()
        start_times.append(server.start())
        bare_times.append(_time_bare_start())
    median, floor = statistics.median(start_times), statistics.median(bare_times)
    return Figure(
        "second start → first answer",
        f"{median:.2f} s",
        f"{floor:.2f} s",
        f"{median / floor:.2f}",
        f"≤ {AIM_SECONDS:.0f} s",
        median <= AIM_SECONDS,
        f"slowest {max(start_times):.2f} s; floor: Python importing the application",
    )


def _time_bare_start() -> float:
    started_at = time.monotonic()
    subprocess.run([sys.executable, "-c", "import config.asgi"], cwd=ROOT, check=True)
    return time.monotonic() - started_at
