"""Attack with plain requests, or with a push service that a member has subscribed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

from tests.bench.clients import HOST, get_request, post_request
from tests.faults.attack import Attack

HUGE = 200_000_000
PIECE = 32_768
DRIP_EVERY = 0.5
FORM = "application/x-www-form-urlencoded"


async def slow_requests(attack: Attack) -> None:
    """Send heads and bodies byte by byte."""
    head = f"GET / HTTP/1.1\r\nHost: {HOST}:{attack.port}\r\nX-Slow: ".encode()
    body = post_request("/sign-in/", attack.port, b"", Content_Type=FORM).replace(
        b"Content-Length: 0", b"Content-Length: 1000000"
    )

    async def run_one(number: int) -> None:
        async with attack.open_connection() as (reader, writer):
            writer.write(head if number % 2 else body)
            while not attack.is_over and not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(DRIP_EVERY):
                        answer = await reader.read(PIECE)
                        attack.outcomes[answer[9:12].decode() or "hung up"] += 1
                        return
            attack.outcomes["hung up" if writer.is_closing() else "still open"] += 1

    await attack.run_in_parallel(run_one)


async def large_bodies(attack: Attack) -> None:
    """Send 200 MB in chunks, without a length and without signing in."""
    chunk = f"{PIECE:x}\r\n".encode() + b"x" * PIECE + b"\r\n"

    async def run_one(number: int) -> None:
        path = "/sign-in/" if number % 2 else "/webhooks/twilio/nobody/"
        request = post_request(path, attack.port, b"", Content_Type=FORM).replace(
            b"Content-Length: 0", b"Transfer-Encoding: chunked"
        )
        async with attack.open_connection() as (reader, writer):
            answer = asyncio.create_task(reader.read(PIECE))
            writer.write(request)
            sent = 0
            while sent < HUGE and not (answer.done() or writer.is_closing() or attack.is_over):
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(0)  # lets the answer be read
                sent += PIECE
                attack.outcomes["MB"] = attack.outcomes["MB"] + (sent % 2**20 < PIECE)
            if not writer.is_closing():
                writer.write(b"0\r\n\r\n")
            attack.outcomes[(await answer)[9:12].decode() or "hung up"] += 1

    await attack.run_in_parallel(run_one)


async def sign_ins(attack: Attack) -> None:
    """Sign in with wrong passwords again and again, with a new username each time."""

    async def run_one(number: int) -> None:
        for count in itertools.count():
            if attack.is_over:
                return
            connection = await attack.open_http_connection()
            page = await connection.send_request(get_request("/sign-in/", attack.port))
            cookies = [
                part.split(b";")[0].strip().decode()
                for part in page.head.split(b"\r\n")
                if part.lower().startswith(b"set-cookie:")
            ]
            cookie = next((one.split(": ", 1)[1] for one in cookies if "csrftoken" in one), "")
            token = cookie.partition("=")[2]
            form = f"username=n{number}-{count}&password=wrong&csrfmiddlewaretoken={token}"
            request = post_request(
                "/sign-in/",
                attack.port,
                form.encode(),
                Content_Type=FORM,
                Cookie=cookie,
                Origin=attack.origin,
            )
            attack.outcomes[str((await connection.send_request(request)).status)] += 1
            connection.close()

    await attack.run_in_parallel(run_one)


async def push_service(attack: Attack) -> None:
    """Run a push service that never answers, or never ends its answer."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attack.outcomes["calls"] += 1
        is_dripping = attack.outcomes["calls"] % 2
        with contextlib.suppress(OSError, asyncio.CancelledError):
            if is_dripping:
                writer.write(b"HTTP/1.1 201 Created\r\nX-Drip: ")
            while not attack.is_over:
                if is_dripping:
                    writer.write(b"x")
                    await writer.drain()
                await asyncio.sleep(DRIP_EVERY)
        writer.close()

    server = await asyncio.start_server(answer, HOST, attack.listen)
    async with server:
        await asyncio.sleep(attack.seconds)
