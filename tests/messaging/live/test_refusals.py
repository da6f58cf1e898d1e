"""Sockets that are refused or closed with a code; other people are unaffected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.conf import settings

from messaging.live import consumers
from messaging.live.hub import hub_of_this_loop
from tests.cast import Cast, client_of
from tests.messaging.live.live_pages import PATIENCE, new_socket, new_tab, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


async def receive_close_code(socket: Any) -> int:
    """Return the code of the close; skip the frames before it."""
    while (event := await socket.receive_output(timeout=PATIENCE))["type"] == "websocket.send":
        pass
    assert event["type"] == "websocket.close"
    return int(event["code"])


async def open_socket(cast: Cast, view: object = None, query: str | None = None) -> Any:
    socket = new_socket(await in_database(client_of)(cast.ana), view, query=query)
    assert (await socket.connect(timeout=PATIENCE))[0]
    return socket


async def test_not_signed_in(cast: Cast) -> None:
    socket = new_socket(None, {"list": "top"})
    assert (await socket.connect(timeout=PATIENCE))[0]
    assert await receive_close_code(socket) == 4401
    await socket.send_to(text_data=json.dumps({"list": cast.front_desk.pk}))
    await wait_until(socket.input_queue.empty)
    assert await socket.receive_nothing(timeout=0.1)
    await socket.disconnect()
    assert not hub_of_this_loop().by_agent


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example.com",
        settings.PUBLIC_URL + "1",
        settings.PUBLIC_URL.replace("http:", "https:"),
        settings.PUBLIC_URL.replace("127.0.0.1", "127.0.0.2"),
        "http://127.0.0.1:no-port",
        "null",
        "",
    ],
)
async def test_a_wrong_origin_is_refused(cast: Cast, origin: str) -> None:
    socket = new_socket(await in_database(client_of)(cast.ana), origin=origin)
    connected, _ = await socket.connect(timeout=PATIENCE)
    assert not connected
    assert not hub_of_this_loop().by_agent


NONSENSE = [
    "no json",
    "[]",
    "null",
    '"top"',
    "[" * 5000,
    '{"list": "bottom"}',
    '{"list": -1}',
    '{"list": true}',
    '{"thread": "x"}',
    '{"thread": 1.5}',
    '{"seqs": []}',
    '{"seqs": {"a1": "x"}}',
    '{"seqs": {"a1": -1}}',
    json.dumps({"seqs": {"x" * 24: 1}}),
    json.dumps({"seqs": {f"i{key}": 1 for key in range(2001)}}),
    json.dumps({"list": 2**63}),
]


async def test_nonsense_closes_with_a_code_and_others_go_on(cast: Cast) -> None:
    ben = await in_database(new_tab)(cast.ben)
    await ben.open("/")
    for nonsense in NONSENSE:
        socket = await open_socket(cast)
        await socket.send_to(text_data=nonsense)
        assert await receive_close_code(socket) == 4400, nonsense[:40]
        await socket.disconnect()
    await in_database(cast.text_in)("Business as usual")
    await ben.wait_for(f"inbox-{cast.front_desk.pk}", "Business as usual")
    await ben.disconnect()


async def test_a_binary_message_closes_with_a_code(cast: Cast) -> None:
    socket = await open_socket(cast)
    await socket.send_to(bytes_data=b"\x00\xff")
    assert await receive_close_code(socket) == 4400
    await socket.disconnect()


@pytest.mark.parametrize("query", ["?look=nonsense", "?look=[]", "?look=%7B%22list%22%3A-1%7D"])
async def test_nonsense_in_the_address_closes_too(cast: Cast, query: str) -> None:
    socket = await open_socket(cast, query=query)
    assert await receive_close_code(socket) == 4400
    await socket.disconnect()


async def test_a_keys_number_may_be_nonsense_of_a_plausible_shape(cast: Cast) -> None:
    """Ignore strange keys: they are the page's own."""
    seqs = {"i²": 1, "ix": 1, "": 1, "i": 0, "l": 3, "t99": 0, "a": 7}
    socket = await open_socket(cast, {"list": "top", "seqs": seqs})
    await socket.send_to(text_data=json.dumps({"list": "top", "seqs": seqs}))
    await in_database(cast.text_in)("Still alive")
    while "Still alive" not in await socket.receive_from(timeout=PATIENCE):
        pass
    await socket.disconnect()


async def test_too_big_closes_with_1009(cast: Cast) -> None:
    socket = await open_socket(cast)
    await socket.send_to(text_data="x" * (consumers.MAX_BYTES + 1))
    assert await receive_close_code(socket) == 1009
    await socket.disconnect()


async def test_too_many_closes_with_a_code_and_others_go_on(cast: Cast) -> None:
    ben = await in_database(new_tab)(cast.ben)
    await ben.open("/")
    socket = await open_socket(cast)
    for _ in range(consumers.MAX_PER_WINDOW + 1):
        await socket.send_to(text_data="{}")
    assert await receive_close_code(socket) == 4429
    await socket.send_to(text_data=json.dumps({"list": cast.front_desk.pk}))
    await in_database(cast.text_in)("Business as usual")
    await ben.wait_for(f"inbox-{cast.front_desk.pk}", "Business as usual")
    await wait_until(socket.input_queue.empty)
    assert await socket.receive_nothing(timeout=0.05)
    await ben.disconnect()
    await socket.disconnect()


async def test_one_agent_has_a_bounded_number_of_pages(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "MAX_PAGES", 2)
    pages = [await open_socket(cast) for _ in range(2)]
    await wait_until(lambda: len(hub_of_this_loop().by_agent.get(cast.ana.pk, ())) == 2)
    refused = await open_socket(cast)
    assert await receive_close_code(refused) == 4430
    ben = await in_database(new_tab)(cast.ben)
    await ben.open("/")
    await pages.pop().disconnect()
    pages.append(await open_socket(cast, {"list": "top"}))
    await in_database(cast.text_in)("There is room again")
    while "There is room again" not in await pages[-1].receive_from(timeout=PATIENCE):
        pass
    for page in [*pages, refused]:
        await page.disconnect()
    await ben.disconnect()


async def test_as_many_messages_as_allowed_are_handled(cast: Cast) -> None:
    socket = await open_socket(cast)
    for _ in range(consumers.MAX_PER_WINDOW):
        await socket.send_to(text_data="{}")
    while not (await socket.receive_nothing(timeout=0.1) and socket.input_queue.empty()):
        if not await socket.receive_nothing(timeout=0.01):
            assert (await socket.receive_output(timeout=5))["type"] == "websocket.send"
    await socket.disconnect()


async def test_a_socket_is_told_of_no_inbox_that_is_named_by_no_number(cast: Cast) -> None:
    client = await in_database(client_of)(cast.ana)
    seqs = {f"i{key}": 0 for key in ("²", "٣", "1_0", "9" * 22)}
    socket = new_socket(client, {"list": "top", "thread": None, "seqs": seqs})
    assert (await socket.connect(timeout=PATIENCE))[0]
    frame = await socket.receive_from(timeout=PATIENCE)
    assert "gone" not in frame
    await socket.disconnect()
