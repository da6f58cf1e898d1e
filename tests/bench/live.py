"""A text in → the frame on the last of many open pages, beside a bare echo to a group."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

from tests.bench.figures import Figure, Ratio, milliseconds
from tests.bench.house import House, packed
from tests.bench.stage import Desk, Stage, Viewer, echo_pages, looks, thread_of, viewers
from tests.bench.wire import post

if TYPE_CHECKING:
    from threads.models import Thread

PAGES = (1, 50, 200)
ROUNDS = 15
AIM = 2.0
BREATH = 0.05


def measure(stage: Stage) -> list[Figure]:
    desk = stage.desks[0]
    thread = thread_of(stage, desk)
    everybody = viewers(stage, max(PAGES))
    return [_measure(stage, desk, thread, everybody[:count]) for count in PAGES]


def _measure(stage: Stage, desk: Desk, thread: Thread, seen_by: list[Viewer]) -> Figure:
    house = stage.house
    pages = looks(desk, thread, seen_by)
    echoes = echo_pages(seen_by)
    house.world.do("open", name="ours", port=house.port, pages=pages)
    house.world.do("open", name="floor", port=house.port, pages=echoes)
    ours: list[float] = []
    floors: list[float] = []
    tellings: list[float] = []
    frame = ""
    for count in range(-2, ROUNDS):  # the first two warm up
        mark = f"mark-{len(pages)}-{count}-"
        sent = _text(stage, desk, mark)
        frame = sent["frame"]
        heard = house.world.do("echo", name="floor", text=frame, mark=mark)
        told = _tell(house, frame, mark)
        if count >= 0:
            ours.append(sent["took"][-1])
            floors.append(heard["took"][-1])
            tellings.append(told["took"][-1])
        time.sleep(BREATH)
    house.world.do("close", name="ours")
    house.world.do("close", name="floor")
    ratio = Ratio.of(ours, floors)
    return Figure(
        f"text in → frame on the last of {len(pages)} pages",
        milliseconds(statistics.median(ours)),
        milliseconds(statistics.median(floors)),
        str(ratio),
        f"≤ {AIM:.0f}",
        ratio.median <= AIM,
        f"{Ratio.of(ours, tellings)} of a view that INSERTs and tells the group"
        f" ({milliseconds(statistics.median(tellings))}); frame {len(frame)} B {ratio.note}",
    )


def _tell(house: House, frame: str, mark: str) -> dict[str, Any]:
    """The echo's bytes by way of a request and a commit, as a webhook comes."""
    request = packed(post("/floor/tell/", house.port, frame.encode(), Content_Type="text/plain"))
    return house.world.do("text", name="floor", port=house.port, request=request, mark=mark)


def _text(stage: Stage, desk: Desk, mark: str) -> dict[str, Any]:
    request = packed(stage.text(desk, 0, f"Is anybody there? {mark}"))
    sent = stage.house.world.do(
        "text", name="ours", port=stage.house.port, request=request, mark=mark
    )
    assert sent["status"] == 200, sent["status"]
    for part in ("thread-", "message-"):  # the row and the bubble, not one of them
        assert f'id=\\"{part}' in sent["frame"], f"no {part} in {sent['frame']}"
    return sent
