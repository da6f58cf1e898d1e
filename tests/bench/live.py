"""Measure the time from an incoming text to its frame on the last of many open pages."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

from tests.bench.clients import post_request
from tests.bench.figures import Figure, Ratio, milliseconds
from tests.bench.server import Server, to_base64
from tests.bench.setup import (
    BenchInbox,
    Setup,
    Viewer,
    echo_sockets,
    make_thread,
    make_viewers,
    page_sockets,
)

if TYPE_CHECKING:
    from threads.models import Thread

PAGES = (1, 50, 200)
ROUNDS = 15
AIM = 2.0
PAUSE = 0.05


def measure(setup: Setup) -> list[Figure]:
    inbox = setup.inboxes[0]
    thread = make_thread(setup, inbox)
    members = make_viewers(setup, max(PAGES))
    return [_measure_pages(setup, inbox, thread, members[:count]) for count in PAGES]


def _measure_pages(
    setup: Setup, inbox: BenchInbox, thread: Thread, viewers: list[Viewer]
) -> Figure:
    server = setup.server
    pages = page_sockets(inbox, thread, viewers)
    echoes = echo_sockets(viewers)
    server.load_process.run("open_pages", name="ours", port=server.port, pages=pages)
    server.load_process.run("open_pages", name="floor", port=server.port, pages=echoes)
    ours: list[float] = []
    floors: list[float] = []
    view_times: list[float] = []
    frame = ""
    for count in range(-2, ROUNDS):  # the first two warm up
        mark = f"mark-{len(pages)}-{count}-"
        sent = _send_text(setup, inbox, mark)
        frame = sent["frame"]
        echoed = server.load_process.run("send_echo", name="floor", text=frame, mark=mark)
        broadcast = _broadcast_by_view(server, frame, mark)
        if count >= 0:
            ours.append(sent["took"][-1])
            floors.append(echoed["took"][-1])
            view_times.append(broadcast["took"][-1])
        time.sleep(PAUSE)
    server.load_process.run("close_pages", name="ours")
    server.load_process.run("close_pages", name="floor")
    ratio = Ratio.from_pairs(ours, floors)
    return Figure(
        f"text in → frame on the last of {len(pages)} pages",
        milliseconds(statistics.median(ours)),
        milliseconds(statistics.median(floors)),
        str(ratio),
        f"≤ {AIM:.0f}",
        ratio.median <= AIM,
        f"{Ratio.from_pairs(ours, view_times)} of a view that INSERTs and tells the group"
        f" ({milliseconds(statistics.median(view_times))}); frame {len(frame)} B {ratio.note}",
    )


def _broadcast_by_view(server: Server, frame: str, mark: str) -> dict[str, Any]:
    """Send the frame to all sockets by a request and a commit, as a webhook causes it."""
    request = to_base64(
        post_request("/floor/broadcast/", server.port, frame.encode(), Content_Type="text/plain")
    )
    return server.load_process.run(
        "send_text", name="floor", port=server.port, request=request, mark=mark
    )


def _send_text(setup: Setup, inbox: BenchInbox, mark: str) -> dict[str, Any]:
    request = to_base64(setup.text_webhook(inbox, 0, f"Is anybody there? {mark}"))
    sent = setup.server.load_process.run(
        "send_text", name="ours", port=setup.server.port, request=request, mark=mark
    )
    assert sent["status"] == 200, sent["status"]
    for part in ("thread-", "message-"):  # the row and the bubble, not one of them
        assert f'id=\\"{part}' in sent["frame"], f"no {part} in {sent['frame']}"
    return sent
