"""Who is here, through sockets: to the members who look, and to nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
from channels.db import database_sync_to_async as in_database
from django.conf import settings
from django.db.backends.utils import CursorWrapper

from config.asgi import application
from inboxes.actions import remove_member
from inboxes.models import Agent
from messaging.live.hub import hub_of_this_loop
from messaging.live.presence import MAX_NAMES
from tests.cast import ANAS_LINE, CUSTOMER, Cast, client_of
from tests.messaging.live.live_pages import Socket
from threads.models import Thread
from threads.presence import VIEWING_LEASE, Person

pytestmark = pytest.mark.django_db(transaction=True)

QUIET = 0.4
PATIENCE = 5.0


class Tab:
    """One tab of one agent, with every raw frame that it was sent."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.cookies = client_of(agent).cookies
        self.frames: list[str] = []
        self.socket: Any = None

    async def open(self, *, thread: Thread | None = None, list_shown: object = None) -> Tab:
        view = {"list": list_shown, "thread": thread.pk if thread else None, "seqs": {}}
        cookies = "; ".join(f"{key}={morsel.value}" for key, morsel in self.cookies.items())
        headers = [(b"origin", settings.PUBLIC_URL.encode()), (b"cookie", cookies.encode())]
        where = f"/live/?look={quote(json.dumps(view))}"
        self.socket = Socket(application, where, headers=headers)
        connected, code = await self.socket.connect(timeout=PATIENCE)
        assert connected, code
        return self

    async def say(self, what: object) -> None:
        await self.socket.send_to(text_data=json.dumps(what))

    async def here(self, thread: Thread, mode: str = "reading", *, types: bool = False) -> None:
        said = {"thread": thread.pk, "mode": mode, "is_typing": types}
        await self.say({"here": said})

    async def next(self, part: str) -> Any:
        """The next frame with such a part."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.socket.receive_from(timeout=PATIENCE)
                self.frames.append(frame)
                if part in (said := json.loads(frame)):
                    return said[part]

    async def people(self) -> tuple[list[str], str]:
        """The titles of the chips in the next frame, and the line inside the thread."""
        part = await self.next("presence")
        titles = [piece.split('"')[0] for piece in part["people"].split('title="')[1:]]
        return titles, part["typing"]

    async def silence(self) -> None:
        """Nothing but beats comes."""
        while not await self.socket.receive_nothing(timeout=QUIET):
            event = await self.socket.receive_output(timeout=PATIENCE)
            assert event["type"] == "websocket.send", event
            self.frames.append(event["text"])
            said = json.loads(event["text"])
            assert not {"presence", "marks"} & said.keys(), said

    async def end(self) -> int:
        """The code with which the server closes."""
        while True:
            event = await self.socket.receive_output(timeout=PATIENCE)
            if event["type"] == "websocket.close":
                return int(event["code"])
            self.frames.append(event["text"])

    async def close(self) -> None:
        if self.socket is not None:
            await self.socket.disconnect()
            self.socket = None


Sit = Callable[..., Awaitable[Tab]]


@pytest.fixture
async def sit() -> AsyncIterator[Sit]:
    """A function that opens a tab: `sit(agent, thread=…, list_shown=…)`."""
    tabs: list[Tab] = []

    async def sit_down(agent: Agent, **where: Any) -> Tab:
        tab: Tab = await in_database(Tab)(agent)
        tabs.append(tab)
        return await tab.open(**where)

    yield sit_down
    for tab in tabs:
        await tab.close()
    # Reads that were under way leave no connection behind.
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=PATIENCE)
    await asyncio.get_running_loop().shutdown_default_executor()
    assert len(hub_of_this_loop().presence.table) == 0


async def test_two_in_a_thread_see_each_other_and_nobody_sees_themselves(
    cast: Cast, sit: Sit
) -> None:
    thread = await in_database(cast.thread)()
    ana = await sit(cast.ana, thread=thread)
    await ana.here(thread)
    await ana.silence()
    ben = await sit(cast.ben, thread=thread)
    assert await ben.people() == (["Ana Ruiz, reading"], "")
    await ben.here(thread)
    assert await ana.people() == (["Ben Okafor, reading"], "")
    await ben.silence()
    assert not any("Ana Ruiz" in frame for frame in ana.frames)


async def test_several_tabs_of_one_agent_are_one_person_until_the_last_is_closed(
    cast: Cast, sit: Sit
) -> None:
    thread = await in_database(cast.thread)()
    ana = await sit(cast.ana, thread=thread)
    one, two = await sit(cast.ben, thread=thread), await sit(cast.ben, thread=thread)
    await one.here(thread)
    assert await ana.people() == (["Ben Okafor, reading"], "")
    await two.here(thread)
    await ana.silence()
    await one.silence()
    await one.close()
    await ana.silence()
    await two.close()
    assert await ana.people() == ([], "")


async def test_reading_replying_and_writing_internally_are_told_apart(
    cast: Cast, sit: Sit
) -> None:
    thread = await in_database(cast.thread)()
    ana, ben = await sit(cast.ana, thread=thread), await sit(cast.ben, thread=thread)
    await ben.here(thread, "replying")
    assert await ana.people() == (["Ben Okafor, replying"], "")
    await ben.here(thread, "internal", types=True)
    assert await ana.people() == (["Ben Okafor, writing internally"], "Ben is typing")
    await ben.say({"gone": {"thread": thread.pk}})
    assert await ana.people() == ([], "")


async def test_one_who_stops_typing_leaves_the_other_typing(cast: Cast, sit: Sit) -> None:
    thread = await in_database(cast.thread)()
    ana, ben, cho = [await sit(agent, thread=thread) for agent in (cast.ana, cast.ben, cast.cho)]
    await ben.here(thread, "replying", types=True)
    assert (await ana.people())[1] == "Ben is typing"
    await cho.here(thread, "replying", types=True)
    assert (await ana.people())[1] == "Ben and Cho are typing"
    await cho.here(thread, "replying", types=False)
    assert (await ana.people())[1] == "Ben is typing"
    await cho.close()
    assert await ana.people() == (["Ben Okafor, replying"], "Ben is typing")


async def test_the_list_marks_the_row_and_the_top_list_does_not(cast: Cast, sit: Sit) -> None:
    thread = await in_database(cast.thread)()
    ana = await sit(cast.ana, list_shown=cast.front_desk.pk)
    top = await sit(cast.cho, list_shown="top")
    other = await sit(cast.ana, list_shown=cast.dispatch.pk)
    ben = await sit(cast.ben, list_shown=cast.front_desk.pk, thread=thread)
    await ben.here(thread)
    key = str(thread.pk)
    assert await ana.next("marks") == {"list": cast.front_desk.pk, "threads": {key: "viewing"}}
    await ben.here(thread, "internal")
    assert (await ana.next("marks"))["threads"] == {key: "replying"}
    late = await sit(cast.cho, list_shown=cast.front_desk.pk)
    assert (await late.next("marks"))["threads"] == {key: "replying"}
    await ben.close()
    assert (await ana.next("marks"))["threads"] == {}
    await top.silence()
    await other.silence()


async def test_what_was_left_is_left_at_once(cast: Cast, sit: Sit) -> None:
    thread = await in_database(cast.thread)()
    other = await in_database(cast.thread)(sender="+12025550178")
    ana, ben = await sit(cast.ana, thread=thread), await sit(cast.ben, thread=thread)
    await ben.here(thread, "replying", types=True)
    await ana.people()
    await ben.say({"look": 1, "list": None, "thread": other.pk, "seqs": {}})
    assert await ana.people() == ([], "")
    # What is said about a thread that is no longer open comes too late.
    await ben.here(thread, "replying", types=True)
    await ana.silence()


async def test_nothing_reaches_anybody_outside_and_nobody_outside_is_shown(
    cast: Cast, sit: Sit
) -> None:
    thread = await in_database(cast.thread)()
    ana = await sit(cast.ana, thread=thread)
    dov = await sit(cast.dov, thread=thread, list_shown=cast.front_desk.pk)
    await dov.here(thread, "replying", types=True)
    await ana.silence()
    await dov.say({"list": "top", "thread": None, "seqs": {}})
    await dov.here(thread, "replying", types=True)
    await ana.here(thread, "internal", types=True)
    ben = await sit(cast.ben, thread=thread)
    await ben.people()
    await ben.here(thread, types=True)
    await ana.people()
    await dov.silence()
    raw = "".join(dov.frames)
    assert not [word for word in ("Ana", "Ben", CUSTOMER, "typing") if word in raw]


async def test_a_removed_member_is_gone_at_once_and_hears_nothing_more(
    cast: Cast, sit: Sit
) -> None:
    thread = await in_database(cast.thread)()
    ana = await sit(cast.ana, thread=thread)
    ben = await sit(cast.ben, thread=thread)
    await ben.here(thread, "replying", types=True)
    await ana.people()
    await in_database(remove_member)(inbox=cast.front_desk, agent=cast.ben, changed_by=cast.admin)
    assert await ana.people() == ([], "")
    await ana.here(thread, types=True)
    while (event := await ben.socket.receive_output(timeout=PATIENCE))[
        "type"
    ] != "websocket.close":
        assert "Ana" not in event["text"]
    assert event["code"] == 4403


async def test_on_a_personal_line_nobody_sees_anything(cast: Cast, sit: Sit) -> None:
    thread = await in_database(cast.thread)(to=ANAS_LINE)
    one = await sit(cast.ana, thread=thread, list_shown="top")
    two = await sit(cast.ana, thread=thread, list_shown="top")
    ben = await sit(cast.ben, thread=thread)
    await one.here(thread, "replying", types=True)
    await two.here(thread)
    await ben.here(thread)
    for tab in (one, two):
        await tab.silence()


async def test_presence_asks_the_database_nothing(
    cast: Cast, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "messaging.live.hub.HEARTBEAT_INTERVAL", 60
    )  # which asks for other reasons
    thread = await in_database(cast.thread)()
    ana = await sit(cast.ana, thread=thread, list_shown=cast.front_desk.pk)
    ben = await sit(cast.ben, thread=thread)
    await ana.silence()
    asked: list[str] = []
    execute = CursorWrapper.execute

    def note(self: CursorWrapper, statement: Any, params: Any = None) -> Any:
        asked.append(str(statement))
        return execute(self, statement, params)

    monkeypatch.setattr(CursorWrapper, "execute", note)
    for mode in ("reading", "replying", "internal"):
        await ben.here(thread, mode, types=mode != "reading")
        await ana.people()
    await ben.close()
    await ana.people()
    assert asked == []


async def test_a_thread_alone_costs_no_frames_and_one_renewed_neither(
    cast: Cast, sit: Sit
) -> None:
    thread = await in_database(cast.thread)()
    ana, ben = await sit(cast.ana, thread=thread), await sit(cast.ben, thread=thread)
    await ana.here(thread)
    await ben.people()
    for _ in range(5):
        await ana.here(thread)
    await ben.silence()
    await ana.silence()


async def test_who_is_silent_goes_with_the_lease(
    cast: Cast, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await in_database(cast.thread)()
    ana, ben = await sit(cast.ana, thread=thread), await sit(cast.ben, thread=thread)
    await ben.here(thread)
    await ana.people()
    table = hub_of_this_loop().presence.table
    now = table._clock
    monkeypatch.setattr(table, "_clock", lambda: now() + VIEWING_LEASE)
    assert await ana.people() == ([], "")


async def test_of_a_crowd_some_are_named_and_whoever_types_is_among_them(
    cast: Cast, sit: Sit
) -> None:
    thread = await in_database(cast.thread)()
    ana = await sit(cast.ana, thread=thread)
    table = hub_of_this_loop().presence.table
    for number in range(200):
        person = Person(10_000 + number, f"Guest {number:03}", "Guest", is_typing=number == 199)
        table.renew(f"tab {number}", (cast.front_desk.pk, thread.pk), person)
    told = await ana.next("presence")
    names, typing = told["people"], told["typing"]
    assert names.count("Guest") == 2 * MAX_NAMES  # a title and a name for each
    assert "Guest 199" in names
    assert f"and {200 - MAX_NAMES} more" in names
    assert typing == "Guest is typing"
    for number in range(200):
        table.release(f"tab {number}")


@pytest.mark.parametrize(
    "said",
    [
        {"here": None},
        {"here": {}},
        {"here": {"thread": "1", "mode": "reading", "is_typing": False}},
        {"here": {"thread": 1, "mode": "sleeping", "is_typing": False}},
        {"here": {"thread": 1, "mode": ["reading"], "is_typing": False}},
        {"here": {"thread": 1, "mode": "reading", "is_typing": 1}},
    ],
)
async def test_nonsense_closes_the_socket(cast: Cast, sit: Sit, said: object) -> None:
    ana = await sit(cast.ana)
    await ana.say(said)
    assert await ana.end() == 4400
