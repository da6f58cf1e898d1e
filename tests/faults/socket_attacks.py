"""Attack through the page's socket, as a member or without signing in."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import struct
import time

from tests.bench.clients import Socket, get_request
from tests.bench.traffic import RequestSchedule
from tests.faults.attack import GRACE, Attack

BIG = 100_000_000
PIECE = 32_768

# A closed socket is opened again after so many seconds.
REOPEN_AFTER = 1.0

POLL_SECONDS = 0.1
FRAMES_PER_SECOND = 10_000
MASK = b"\0\0\0\0"  # masks of zeros are allowed, and save the work of masking


async def huge_messages(attack: Attack) -> None:
    """Send 100 MB, in one frame or in endless fragments."""

    async def run_one(number: int) -> None:
        socket = await attack.open_socket(number)
        piece = b"x" * PIECE
        try:
            if number % 2:
                await socket.write_bytes(b"\x81\xff" + struct.pack(">Q", BIG) + MASK)
                for _ in range(BIG // PIECE):
                    await socket.write_bytes(piece)
            else:
                for count in range(BIG // PIECE):
                    head = bytes([0x01 if count == 0 else 0x00, 0xFE])
                    await socket.write_bytes(head + struct.pack(">H", PIECE) + MASK + piece)
        finally:
            await _record_end(attack, socket)

    await attack.run_in_parallel(run_one)


async def many_frames(attack: Attack) -> None:
    """Send 10,000 valid frames a second in all; closed sockets come back a second later."""
    frame = b'{"here": {"thread": 1, "mode": "reading", "is_typing": false}}'
    await _send_frames(attack, [frame], FRAMES_PER_SECOND / attack.amount)


async def meaningless_frames(attack: Attack) -> None:
    deep = b'{"look": ' + b"[" * 20_000
    await _send_frames(
        attack, [b"no json", b"\xff\xfe", deep, b"[]", b'{"seqs": {"x": "y"}}'], 50.0
    )


async def _send_frames(attack: Attack, frames: list[bytes], per_second: float) -> None:
    async def run_one(number: int) -> None:
        while not attack.is_ending:
            try:
                socket = await attack.open_socket(number)
            except (OSError, TimeoutError):
                attack.outcomes["refused"] += 1
                await asyncio.sleep(REOPEN_AFTER)
                continue
            with contextlib.suppress(ConnectionError):
                while not attack.is_over:
                    for _ in range(max(1, int(per_second / 100))):
                        socket.send_frame(frames[number % len(frames)])
                        attack.outcomes["frames"] += 1
                    await socket.write_bytes(b"")
                    await asyncio.sleep(max(0.01, 1 / per_second))
            await _record_end(attack, socket)
            await asyncio.sleep(REOPEN_AFTER)

    await attack.run_in_parallel(run_one)


async def _record_end(attack: Attack, socket: Socket) -> None:
    """Count whether the server closes the socket within GRACE, and with what code."""
    for _ in range(int((attack.end + GRACE - time.perf_counter()) / POLL_SECONDS) - 2):
        if socket.closed_at is not None:
            break
        await asyncio.sleep(POLL_SECONDS)
    if socket.closed_at is None:
        attack.outcomes["still open"] += 1
    else:
        attack.outcomes[f"closed {socket.close_code or 'without a code'}"] += 1
    socket.close()


async def repeated_handshakes(attack: Attack) -> None:
    """Open sockets again and again, without signing in or from a foreign origin."""

    async def run_one(number: int) -> None:
        for count in itertools.count(number):
            if attack.is_over:
                return
            origin = attack.origin if count % 2 else "https://elsewhere.example"
            request = get_request(
                "/live/",
                attack.port,
                Upgrade="websocket",
                Connection="Upgrade",
                Sec_WebSocket_Key=base64.b64encode(b"0123456789abcdef").decode(),
                Sec_WebSocket_Version="13",
                Origin=origin,
            )
            with contextlib.suppress(ConnectionError, EOFError):
                async with attack.open_connection() as (reader, writer):
                    writer.write(request)
                    head = await reader.readuntil(b"\r\n\r\n")
                    attack.outcomes[head[9:12].decode()] += 1

    await attack.run_in_parallel(run_one)


async def stalled_readers(attack: Attack) -> None:
    """Open members' sockets that never read, while texts arrive for them."""
    texts = RequestSchedule(
        attack.port,
        [base64.b64decode(text) for text in attack.texts],
        len(attack.texts) / attack.seconds,
        tls=attack.trust,
    )
    sockets: list[Socket] = []

    async def run_one(number: int) -> None:
        socket = await attack.open_socket(number)
        socket.stop_reading()
        sockets.append(socket)

    await attack.run_in_parallel(run_one)
    await texts.run()
    for socket in sockets:
        socket.resume_reading()
    await asyncio.sleep(1.0)
    attack.outcomes["closed"] = sum(socket.closed_at is not None for socket in sockets)
    attack.outcomes["still open"] = sum(socket.closed_at is None for socket in sockets)
    attack.outcomes["texts"] = len(texts.accepted)
    for socket in sockets:
        socket.close()
