"""Presence through sockets: shown to members on the thread or list, and to nobody else."""

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
    """Play one tab of one agent; keep every raw frame that it was sent."""

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

    async def send_json(self, what: object) -> None:
        await self.socket.send_to(text_data=json.dumps(what))

    async def report_presence(
        self, thread: Thread, mode: str = "reading", *, types: bool = False
    ) -> None:
        said = {"thread": thread.pk, "mode": mode, "is_typing": types}
        await self.send_json({"here": said})

    async def next_part(self, part: str) -> Any:
        """Return that part of the next frame that has it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.socket.receive_from(timeout=PATIENCE)
                self.frames.append(frame)
                if part in (said := json.loads(frame)):
                    return said[part]

    async def next_people(self) -> tuple[list[str], str]:
        """Return the titles of the chips in the next frame, and the line inside the thread."""
        part = await self.next_part("presence")
        titles = [piece.split('"')[0] for piece in part["people"].split('title="')[1:]]
        return titles, part["typing"]

    async def receive_no_presence(self) -> None:
        """Check that nothing about presence arrives for a while."""
        while not await self.socket.receive_nothing(timeout=QUIET):
            event = await self.socket.receive_output(timeout=PATIENCE)
            assert event["type"] == "websocket.send", event
            self.frames.append(event["text"])
            said = json.loads(event["text"])
            assert not {"presence", "marks"} & said.keys(), said

    async def receive_close_code(self) -> int:
        """Return the code with which the server closes."""
        while True:
            event = await self.socket.receive_output(timeout=PATIENCE)
            if event["type"] == "websocket.close":
                return int(event["code"])
            self.frames.append(event["text"])

    async def close(self) -> None:
        if self.socket is not None:
            await self.socket.disconnect()
            self.socket = None


TabOpener = Callable[..., Awaitable[Tab]]


@pytest.fixture
async def open_tab() -> AsyncIterator[TabOpener]:
    """Yield a function that opens a tab: `open_tab(agent, thread=…, list_shown=…)`."""
    tabs: list[Tab] = []

    async def open_one(agent: Agent, **where: Any) -> Tab:
        tab: Tab = await in_database(Tab)(agent)
        tabs.append(tab)
        return await tab.open(**where)

    yield open_one
    for tab in tabs:
        await tab.close()
    # Reads that were under way leave no connection behind.
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=PATIENCE)
    await asyncio.get_running_loop().shutdown_default_executor()
    assert len(hub_of_this_loop().presence.table) == 0


async def test_two_in_a_thread_see_each_other_and_nobody_sees_themselves(
    cast: Cast, open_tab: TabOpener
) -> None:
    thread = await in_database(cast.thread)()
    ana = await open_tab(cast.ana, thread=thread)
    await ana.report_presence(thread)
    await ana.receive_no_presence()
    ben = await open_tab(cast.ben, thread=thread)
    assert await ben.next_people() == (["Ana Ruiz, reading"], "")
    await ben.report_presence(thread)
    assert await ana.next_people() == (["Ben Okafor, reading"], "")
    await ben.receive_no_presence()
    assert not any("Ana Ruiz" in frame for frame in ana.frames)


async def test_several_tabs_of_one_agent_are_one_person_until_the_last_is_closed(
    cast: Cast, open_tab: TabOpener
) -> None:
    thread = await in_database(cast.thread)()
    ana = await open_tab(cast.ana, thread=thread)
    one, two = await open_tab(cast.ben, thread=thread), await open_tab(cast.ben, thread=thread)
    await one.report_presence(thread)
    assert await ana.next_people() == (["Ben Okafor, reading"], "")
    await two.report_presence(thread)
    await ana.receive_no_presence()
    await one.receive_no_presence()
    await one.close()
    await ana.receive_no_presence()
    await two.close()
    assert await ana.next_people() == ([], "")


async def test_reading_replying_and_writing_internally_are_told_apart(
    cast: Cast, open_tab: TabOpener
) -> None:
    thread = await in_database(cast.thread)()
    ana, ben = await open_tab(cast.ana, thread=thread), await open_tab(cast.ben, thread=thread)
    await ben.report_presence(thread, "replying")
    assert await ana.next_people() == (["Ben Okafor, replying"], "")
    await ben.report_presence(thread, "internal", types=True)
    assert await ana.next_people() == (["Ben Okafor, writing internally"], "Ben is typing")
    await ben.send_json({"gone": {"thread": thread.pk}})
    assert await ana.next_people() == ([], "")


async def test_one_who_stops_typing_leaves_the_other_typing(
    cast: Cast, open_tab: TabOpener
) -> None:
    thread = await in_database(cast.thread)()
    ana, ben, cho = [
        await open_tab(agent, thread=thread) for agent in (cast.ana, cast.ben, cast.cho)
    ]
    await ben.report_presence(thread, "replying", types=True)
    assert (await ana.next_people())[1] == "Ben is typing"
    await cho.report_presence(thread, "replying", types=True)
    assert (await ana.next_people())[1] == "Ben and Cho are typing"
    await cho.report_presence(thread, "replying", types=False)
    assert (await ana.next_people())[1] == "Ben is typing"
    await cho.close()
    assert await ana.next_people() == (["Ben Okafor, replying"], "Ben is typing")


async def test_the_list_marks_the_row_and_the_top_list_does_not(
    cast: Cast, open_tab: TabOpener
) -> None:
    thread = await in_database(cast.thread)()
    ana = await open_tab(cast.ana, list_shown=cast.front_desk.pk)
    top = await open_tab(cast.cho, list_shown="top")
    other = await open_tab(cast.ana, list_shown=cast.dispatch.pk)
    ben = await open_tab(cast.ben, list_shown=cast.front_desk.pk, thread=thread)
    await ben.report_presence(thread)
    key = str(thread.pk)
    assert await ana.next_part("marks") == {
        "list": cast.front_desk.pk,
        "threads": {key: "viewing"},
    }
    await ben.report_presence(thread, "internal")
    assert (await ana.next_part("marks"))["threads"] == {key: "replying"}
    late = await open_tab(cast.cho, list_shown=cast.front_desk.pk)
    assert (await late.next_part("marks"))["threads"] == {key: "replying"}
    await ben.close()
    assert (await ana.next_part("marks"))["threads"] == {}
    await top.receive_no_presence()
    await other.receive_no_presence()


async def test_leaving_a_thread_shows_at_once(cast: Cast, open_tab: TabOpener) -> None:
    thread = await in_database(cast.thread)()
    other = await in_database(cast.thread)(sender="+12025550178")
    ana, ben = await open_tab(cast.ana, thread=thread), await open_tab(cast.ben, thread=thread)
    await ben.report_presence(thread, "replying", types=True)
    await ana.next_people()
    await ben.send_json({"look": 1, "list": None, "thread": other.pk, "seqs": {}})
    assert await ana.next_people() == ([], "")
    # What is said about a thread that is no longer open comes too late.
    await ben.report_presence(thread, "replying", types=True)
    await ana.receive_no_presence()


async def test_nothing_reaches_anybody_outside_and_nobody_outside_is_shown(
    cast: Cast, open_tab: TabOpener
) -> None:
    thread = await in_database(cast.thread)()
    ana = await open_tab(cast.ana, thread=thread)
    dov = await open_tab(cast.dov, thread=thread, list_shown=cast.front_desk.pk)
    await dov.report_presence(thread, "replying", types=True)
    await ana.receive_no_presence()
    await dov.send_json({"list": "top", "thread": None, "seqs": {}})
    await dov.report_presence(thread, "replying", types=True)
    await ana.report_presence(thread, "internal", types=True)
    ben = await open_tab(cast.ben, thread=thread)
    await ben.next_people()
    await ben.report_presence(thread, types=True)
    await ana.next_people()
    await dov.receive_no_presence()
    raw = "".join(dov.frames)
    assert not [word for word in ("Ana", "Ben", CUSTOMER, "typing") if word in raw]


async def test_a_removed_member_disappears_at_once_and_gets_nothing_more(
    cast: Cast, open_tab: TabOpener
) -> None:
    thread = await in_database(cast.thread)()
    ana = await open_tab(cast.ana, thread=thread)
    ben = await open_tab(cast.ben, thread=thread)
    await ben.report_presence(thread, "replying", types=True)
    await ana.next_people()
    await in_database(remove_member)(inbox=cast.front_desk, agent=cast.ben, changed_by=cast.admin)
    assert await ana.next_people() == ([], "")
    await ana.report_presence(thread, types=True)
    while (event := await ben.socket.receive_output(timeout=PATIENCE))[
        "type"
    ] != "websocket.close":
        assert "Ana" not in event["text"]
    assert event["code"] == 4403


async def test_on_a_personal_line_nobody_sees_anything(cast: Cast, open_tab: TabOpener) -> None:
    thread = await in_database(cast.thread)(to=ANAS_LINE)
    one = await open_tab(cast.ana, thread=thread, list_shown="top")
    two = await open_tab(cast.ana, thread=thread, list_shown="top")
    ben = await open_tab(cast.ben, thread=thread)
    await one.report_presence(thread, "replying", types=True)
    await two.report_presence(thread)
    await ben.report_presence(thread)
    for tab in (one, two):
        await tab.receive_no_presence()


async def test_presence_makes_no_queries(
    cast: Cast, open_tab: TabOpener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "messaging.live.hub.HEARTBEAT_INTERVAL", 60
    )  # which asks for other reasons
    thread = await in_database(cast.thread)()
    ana = await open_tab(cast.ana, thread=thread, list_shown=cast.front_desk.pk)
    ben = await open_tab(cast.ben, thread=thread)
    await ana.receive_no_presence()
    statements: list[str] = []
    execute = CursorWrapper.execute

    def record(self: CursorWrapper, statement: Any, params: Any = None) -> Any:
        statements.append(str(statement))
        return execute(self, statement, params)

    monkeypatch.setattr(CursorWrapper, "execute", record)
    for mode in ("reading", "replying", "internal"):
        await ben.report_presence(thread, mode, types=mode != "reading")
        await ana.next_people()
    await ben.close()
    await ana.next_people()
    assert statements == []


async def test_being_alone_or_renewing_a_lease_sends_no_frames(
    cast: Cast, open_tab: TabOpener
) -> None:
    thread = await in_database(cast.thread)()
    ana, ben = await open_tab(cast.ana, thread=thread), await open_tab(cast.ben, thread=thread)
    await ana.report_presence(thread)
    await ben.next_people()
    for _ in range(5):
        await ana.report_presence(thread)
    await ben.receive_no_presence()
    await ana.receive_no_presence()


async def test_a_silent_page_disappears_when_its_lease_ends(
    cast: Cast, open_tab: TabOpener, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = await in_database(cast.thread)()
    ana, ben = await open_tab(cast.ana, thread=thread), await open_tab(cast.ben, thread=thread)
    await ben.report_presence(thread)
    await ana.next_people()
    table = hub_of_this_loop().presence.table
    now = table._clock
    monkeypatch.setattr(table, "_clock", lambda: now() + VIEWING_LEASE)
    assert await ana.next_people() == ([], "")


async def test_in_a_crowd_some_are_named_including_those_who_type(
    cast: Cast, open_tab: TabOpener
) -> None:
    thread = await in_database(cast.thread)()
    ana = await open_tab(cast.ana, thread=thread)
    table = hub_of_this_loop().presence.table
    for number in range(200):
        person = Person(10_000 + number, f"Guest {number:03}", "Guest", is_typing=number == 199)
        table.renew(f"tab {number}", (cast.front_desk.pk, thread.pk), person)
    part = await ana.next_part("presence")
    names, typing = part["people"], part["typing"]
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
async def test_nonsense_closes_the_socket(cast: Cast, open_tab: TabOpener, said: object) -> None:
    ana = await open_tab(cast.ana)
    await ana.send_json(said)
    assert await ana.receive_close_code() == 4400
