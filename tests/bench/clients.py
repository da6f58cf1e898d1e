"""Provide the smallest clients that can keep a server busy: HTTP with keep-alive, and a WebSocket.

They check and convert nothing. The bench would otherwise measure a client slower than the server.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from ssl import SSLContext

HOST = "127.0.0.1"
TIMEOUT = 30.0


@dataclass(frozen=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    @property
    def size(self) -> int:
        """Return the bytes on the wire, head included."""
        return len(self.head) + len(self.body)


class HttpConnection:
    """Hold one kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(
        cls, port: int, tls: SSLContext | None = None, source: str = "127.0.0.1"
    ) -> HttpConnection:
        """Connect from `source`, an address of this machine."""
        reader, writer = await asyncio.open_connection(
            HOST, port, limit=2**20, ssl=tls, local_addr=(source, 0)
        )
        return cls(reader, writer)

    async def send_request(self, request: bytes) -> Answer:
        """Return the answer. Raises OSError, or EOFError when the server hangs up."""
        self._writer.write(request)
        async with asyncio.timeout(TIMEOUT):
            head = await self._reader.readuntil(b"\r\n\r\n")
            body = await self._reader.readexactly(_content_length(head))
        return Answer(int(head[9:12]), head, body)

    def close(self) -> None:
        """Hang up at once. A polite end of TLS would outlast the event loop."""
        self._writer.transport.abort()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    if b"chunked" in head.lower():
        raise ValueError("the bench's client reads no chunked answers")
    return 0


def get_request(path: str, port: int, **headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}:{port}", *_header_lines(headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post_request(path: str, port: int, body: bytes, **headers: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}:{port}",
        f"Content-Length: {len(body)}",
        *_header_lines(headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _header_lines(headers: dict[str, str]) -> list[str]:
    return [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]


class Socket(asyncio.Protocol):
    """Represent a WebSocket that passes on each text frame with its time of arrival."""

    def __init__(self, request: bytes, on_text: Callable[[Socket, bytes, float], None]) -> None:
        self._request = request
        self._on_text = on_text
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self.is_open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.close_code: int | None = None
        self.closed_at: float | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()

    @classmethod
    async def open(
        cls,
        port: int,
        path: str,
        cookie: str,
        on_text: Callable[[Socket, bytes, float], None],
        *,
        tls: SSLContext | None = None,
        source: str = "127.0.0.1",
    ) -> Socket:
        """Connect from `source`, an address of this machine; agents have one each.

        `on_text` gets the socket, each text frame and its time of arrival. Raises OSError, or its
        subclass ConnectionError if the handshake is refused.
        """
        key = base64.b64encode(os.urandom(16)).decode()
        request = get_request(
            path,
            port,
            Upgrade="websocket",
            Connection="Upgrade",
            Sec_WebSocket_Key=key,
            Sec_WebSocket_Version="13",
            Origin=f"{'https' if tls else 'http'}://{HOST}:{port}",
            Cookie=cookie,
        )
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(
            lambda: cls(request, on_text), HOST, port, ssl=tls, local_addr=(source, 0)
        )
        async with asyncio.timeout(TIMEOUT):
            await socket.is_open
        return socket

    @property
    def is_alive(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send_frame(self, text: bytes, opcode: int = 1) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError("the socket is closed")
        size = len(text)
        short = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
        # A mask of zeros is allowed, and saves the work of masking.
        self._transport.write(bytes([0x80 | opcode]) + short + b"\0\0\0\0" + text)

    async def write_bytes(self, data: bytes) -> None:
        """Write bytes without a frame, and return when the system has taken most of them.

        Raises ConnectionError once the socket is closed.
        """
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError("the socket is closed")
        self._transport.write(data)
        await asyncio.sleep(0)  # or nothing is ever heard of the other side
        await self._may_write.wait()

    def stop_reading(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        """Hang up at once; see `HttpConnection.close`."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._may_write.set()
        self.closed_at = self.closed_at or time.perf_counter()
        if not self.is_open.done():
            self.is_open.set_exception(ConnectionError("the handshake was refused"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.is_open.done() and not self._finish_handshake():
            return
        while (frame := self._next_frame()) is not None:
            opcode, payload = frame
            if opcode == 1:
                self._on_text(self, payload, time.perf_counter())
            elif opcode == 8:
                self.close_code = int.from_bytes(payload[:2], "big")
                self.closed_at = time.perf_counter()
                self.close()
            elif opcode == 9:
                self.send_frame(payload, opcode=10)

    def _finish_handshake(self) -> bool:
        head, end, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            self.is_open.set_exception(ConnectionError(head.split(b"\r\n")[0].decode()))
            return False
        self._buffer = bytearray(rest)
        self.is_open.set_result(None)
        return True

    def _next_frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1] & 127, 2
        if size == 126:
            if len(buffer) < 4:
                return None
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            if len(buffer) < 10:
                return None
            size, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + size:
            return None
        payload = bytes(buffer[start : start + size])
        opcode = buffer[0] & 15
        del buffer[: start + size]
        return opcode, payload
