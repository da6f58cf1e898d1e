"""A text in → the frame on the last of many open pages, beside a bare echo to a group."""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.bench.figures import Figure, Ratio, milliseconds
from tests.bench.house import House, packed
from tests.bench.stage import Desk, Stage, cookie_of, new_agent
from tests.bench.wire import post

if TYPE_CHECKING:
    from inboxes.models import Agent
    from threads.models import Thread

PAGES = (1, 50, 200)
ROUNDS = 15
AIM = 2.0
BREATH = 0.05


def measure(stage: Stage) -> list[Figure]:
    desk = stage.desks[0]
    agents = [new_agent(f"viewer{n}", desk.inbox_id) for n in range(max(PAGES))]
    cookies = [cookie_of(agent) for agent in agents]
    thread = _thread(stage, desk)
    return [_measure(stage, desk, thread, agents[:n], cookies[:n]) for n in PAGES]


def _measure(
    stage: Stage, desk: Desk, thread: Thread, agents: list[Agent], cookies: list[str]
) -> Figure:
    house = stage.house
    looks = _looks(desk, thread, agents)
    pages = [{"path": p, "cookie": c} for p, c in zip(looks, cookies, strict=True)]
    echoes = [{"path": "/floor/echo/", "cookie": cookies[0]} for _ in pages]
    house.world.do("open", name="ours", port=house.port, pages=pages)
    house.world.do("open", name="floor", port=house.port, pages=echoes)
    ours: list[float] = []
    floors: list[float] = []
    tellings: list[float] = []
    frame = ""
    for count in range(-2, ROUNDS):  # the first two warm up
        mark = f"mark-{len(agents)}-{count}-"
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
        f"text in → frame on the last of {len(agents)} pages",
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


def _thread(stage: Stage, desk: Desk) -> Thread:
    """The thread of the desk's first customer, who may have written before."""
    from threads.models import Thread

    stage.house.world.do(
        "post",
        port=stage.house.port,
        requests=[packed(stage.text(desk, 0, "Good morning."))],
        lines=1,
    )
    return Thread.objects.get(inbox=desk.inbox_id, contact__address="+12025551000")


def _looks(desk: Desk, thread: Thread, agents: list[Agent]) -> list[str]:
    """The socket's address of a page that shows the thread beside its inbox's list."""
    from inboxes.models import Inbox

    seq = Inbox.objects.values_list("seq", flat=True).get(pk=desk.inbox_id)
    looks = []
    for agent in agents:
        seqs = {f"l{desk.inbox_id}": seq, f"t{thread.pk}": seq, f"a{agent.pk}": agent.seq}
        look = {"list": desk.inbox_id, "thread": thread.pk, "seqs": seqs}
        looks.append(f"/live/?look={quote(json.dumps(look))}")
    return looks
