"""What one member, or anybody, can do by the page's socket."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import struct
import time

from tests.bench.traffic import Schedule
from tests.bench.wire import Socket, get
from tests.faults.attack import GRACE, Attack

BIG = 100_000_000
PIECE = 32_768
COME_BACK = 1.0
"""Seconds after which a socket that was closed is opened again."""

LOOK_EVERY = 0.1
FRAMES_PER_SECOND = 10_000
MASK = b"\0\0\0\0"  # masks of zeros are allowed, and save the work of masking


async def huge_messages(attack: Attack) -> None:
    """100 MB, in one frame or in fragments that never end."""

    async def one(number: int) -> None:
        socket = await attack.socket(number)
        piece = b"x" * PIECE
        try:
            if number % 2:
                await socket.write(b"\x81\xff" + struct.pack(">Q", BIG) + MASK)
                for _ in range(BIG // PIECE):
                    await socket.write(piece)
            else:
                for count in range(BIG // PIECE):
                    head = bytes([0x01 if count == 0 else 0x00, 0xFE])
                    await socket.write(head + struct.pack(">H", PIECE) + MASK + piece)
        finally:
            await _note_end(attack, socket)

    await attack.in_parallel(one)


async def many_frames(attack: Attack) -> None:
    """10,000 a second together; who is closed comes back a second later."""
    words = b'{"here": {"thread": 1, "mode": "reading", "is_typing": false}}'
    await _talk(attack, [words], FRAMES_PER_SECOND / attack.amount)


async def nonsense(attack: Attack) -> None:
    deep = b'{"look": ' + b"[" * 20_000
    await _talk(attack, [b"no json", b"\xff\xfe", deep, b"[]", b'{"seqs": {"x": "y"}}'], 50.0)


async def _talk(attack: Attack, words: list[bytes], per_second: float) -> None:
    async def one(number: int) -> None:
        while not attack.is_ending:
            try:
                socket = await attack.socket(number)
            except (OSError, TimeoutError):
                attack.done["refused"] += 1
                await asyncio.sleep(COME_BACK)
                continue
            with contextlib.suppress(ConnectionError):
                while not attack.is_over:
                    for _ in range(max(1, int(per_second / 100))):
                        socket.say(words[number % len(words)])
                        attack.done["frames"] += 1
                    await socket.write(b"")
                    await asyncio.sleep(max(0.01, 1 / per_second))
            await _note_end(attack, socket)
            await asyncio.sleep(COME_BACK)

    await attack.in_parallel(one)


async def _note_end(attack: Attack, socket: Socket) -> None:
    """Whether the server has closed it, and with what code; it gets nearly GRACE for that."""
    for _ in range(int((attack.end + GRACE - time.perf_counter()) / LOOK_EVERY) - 2):
        if socket.closed_at is not None:
            break
        await asyncio.sleep(LOOK_EVERY)
    if socket.closed_at is None:
        attack.done["still open"] += 1
    else:
        attack.done[f"closed {socket.close_code or 'without a code'}"] += 1
    socket.close()


async def handshakes(attack: Attack) -> None:
    """One after the other on each line: of nobody, and from a foreign page."""

    async def one(number: int) -> None:
        for count in itertools.count(number):
            if attack.is_over:
                return
            origin = attack.origin if count % 2 else "https://elsewhere.example"
            request = get(
                "/live/",
                attack.port,
                Upgrade="websocket",
                Connection="Upgrade",
                Sec_WebSocket_Key=base64.b64encode(b"0123456789abcdef").decode(),
                Sec_WebSocket_Version="13",
                Origin=origin,
            )
            with contextlib.suppress(ConnectionError, EOFError):
                async with attack.raw() as (reader, writer):
                    writer.write(request)
                    head = await reader.readuntil(b"\r\n\r\n")
                    attack.done[head[9:12].decode()] += 1

    await attack.in_parallel(one)


async def stalled_readers(attack: Attack) -> None:
    """Members' sockets that never read, while texts come for them."""
    texts = Schedule(
        attack.port,
        [base64.b64decode(text) for text in attack.texts],
        len(attack.texts) / attack.seconds,
        trust=attack.trust,
    )
    sockets: list[Socket] = []

    async def one(number: int) -> None:
        socket = await attack.socket(number)
        socket.stop_reading()
        sockets.append(socket)

    await attack.in_parallel(one)
    await texts.run()
    for socket in sockets:
        socket.read_on()
    await asyncio.sleep(1.0)
    attack.done["closed"] = sum(socket.closed_at is not None for socket in sockets)
    attack.done["still open"] = sum(socket.closed_at is None for socket in sockets)
    attack.done["texts"] = len(texts.accepted)
    for socket in sockets:
        socket.close()
