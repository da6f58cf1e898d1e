"""Run a PartylineServer around an application that is hard to stop: its sockets stay open, its
requests never end, and its threads cannot be interrupted."""

import asyncio
import os
import signal
import time
from typing import Any

import django

django.setup()

from config.server import PartylineServer, open_listening_socket  # noqa: E402  it needs Django


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    if scope["path"] == "/thread":
        await asyncio.to_thread(time.sleep, 60)
    if scope["path"] == "/short":
        await asyncio.sleep(1.5)
    if scope["path"] == "/never":
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


if __name__ == "__main__":
    # A shell starts background jobs, and with them this process, with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    PartylineServer(application, open_listening_socket("127.0.0.1", int(os.environ["PORT"]))).run()
    os._exit(0)
