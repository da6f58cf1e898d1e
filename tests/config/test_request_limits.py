"""Limits for the speed and size of requests, under `serve` and under a plain Daphne."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil
import pytest

from tests.databases import own_database
from tests.stack import (
    ROOT,
    START_SECONDS,
    Stack,
    environment_for,
    seeded_demo,
    stop_stack,
    wait_until_ready,
)

GRACE = 0.5
MEGABYTE = 2**20


@dataclass
class LimitedServer:
    stack: Stack
    temporary: Path

    def open_connection(self) -> closing[socket.socket]:
        return closing(socket.create_connection(("127.0.0.1", self.stack.port), 10))

    def spooled_bytes(self) -> int:
        """Count the bytes in temporary files that the process has open; they have no names."""
        process, total = psutil.Process(self.stack.process.pid), 0
        for path in Path(f"/proc/{process.pid}/fd").iterdir():
            try:
                if os.readlink(path).startswith(str(self.temporary)):
                    total += path.stat().st_size
            except FileNotFoundError:
                continue
        return total

    def count_connections(self) -> int:
        found = psutil.Process(self.stack.process.pid).net_connections("tcp")
        port = self.stack.port
        return sum(one.status != "LISTEN" and one.laddr.port == port for one in found)


@pytest.fixture(scope="module", params=["serve", "daphne"])
def server(request: pytest.FixtureRequest) -> Iterator[LimitedServer]:
    with _running_server(request.param) as running:
        yield running


@contextmanager
def _running_server(kind: str) -> Iterator[LimitedServer]:
    seeded = seeded_demo()
    with (
        tempfile.TemporaryDirectory(prefix="partyline-limits-") as name,
        own_database(f"limits_{kind}", seeded.name) as database,
    ):
        folder = Path(name)
        temporary = folder / "temporary"
        temporary.mkdir()
        shutil.copytree(seeded, folder / "var")
        environment = environment_for(database, folder / "var", TMPDIR=str(temporary))
        log = folder / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.config.impatient", kind],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        stack = Stack(f"http://127.0.0.1:{environment['PORT']}", process, environment, log)
        try:
            wait_until_ready(stack, 3 * START_SECONDS)
            yield LimitedServer(stack, temporary)
        finally:
            stop_stack(stack)


def make_head(first: str, *headers: str) -> bytes:
    return "\r\n".join([f"{first} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()


def make_post(*headers: str, path: str = "/webhooks/twilio/none/") -> bytes:
    return make_head(f"POST {path}", *headers)


def read_answer(line: socket.socket) -> bytes:
    """Return all that comes until the other side closes."""
    parts = []
    while part := line.recv(65536):
        parts.append(part)
    return b"".join(parts)


def send_repeatedly(line: socket.socket, piece: bytes, seconds: float) -> float:
    """Send the piece again and again until an answer comes. Returns the seconds that it took."""
    begun = time.monotonic()
    line.settimeout(0.05)
    while time.monotonic() < begun + seconds:
        line.sendall(piece)
        try:
            line.recv(1, socket.MSG_PEEK)
            break
        except TimeoutError:
            continue
    line.settimeout(10)
    return time.monotonic() - begun


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X: y\r\n"),
        (make_post("Content-Length: 100000"), b"x"),
        (make_post("Transfer-Encoding: chunked"), b"1\r\nx\r\n"),
    ],
    ids=["a head", "a body", "a body of unknown length"],
)
def test_a_request_that_drips_in_is_ended(
    server: LimitedServer, begin: bytes, piece: bytes
) -> None:
    with server.open_connection() as line:
        line.sendall(begin)
        took = send_repeatedly(line, piece, 5)
        answer = read_answer(line)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"took too long" in answer
    assert took > GRACE / 2
    wait_until_released(server)


def wait_until_released(server: LimitedServer) -> None:
    """Wait until the process has no connection and no temporary file of a client."""
    end = time.monotonic() + 10
    while server.count_connections() or server.spooled_bytes():
        assert time.monotonic() < end, (server.count_connections(), server.spooled_bytes())
        time.sleep(0.02)


def test_a_connection_that_sends_nothing_is_ended(server: LimitedServer) -> None:
    with server.open_connection() as line:
        assert b" 408 " in read_answer(line)


def test_a_body_on_a_slow_connection_comes_through(server: LimitedServer) -> None:
    size, pieces = 2048, 20
    with server.open_connection() as line:
        line.sendall(make_post(f"Content-Length: {size * pieces}", "Connection: close"))
        begun = time.monotonic()
        for _ in range(pieces):
            line.sendall(b"x" * size)
            time.sleep(2 * GRACE / pieces)
        assert time.monotonic() > begun + GRACE
        assert read_answer(line).startswith(b"HTTP/1.1 404 ")


def test_a_pause_between_two_requests_does_not_count_as_part_of_one(server: LimitedServer) -> None:
    with server.open_connection() as line:
        line.sendall(make_head("GET /healthz"))
        assert b"ok" in line.recv(65536)
        time.sleep(1.5 * GRACE)
        line.sendall(make_head("GET /healthz", "Connection: close"))
        assert read_answer(line).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("cookie", "size"),
    [
        ("theme=dark", MEGABYTE + 1),
        ("theme=dark", 10**10),
        ("sessionid=forged", 25 * MEGABYTE + 1),
    ],
)
def test_a_body_with_too_large_a_content_length_is_refused_before_it_comes(
    server: LimitedServer, cookie: str, size: int
) -> None:
    with server.open_connection() as line:
        line.sendall(make_post(f"Content-Length: {size}", f"Cookie: {cookie}"))
        line.sendall(b"x" * MEGABYTE)
        assert server.spooled_bytes() == 0
        answer = read_answer(line)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"too large" in answer
    wait_until_released(server)


def test_a_body_of_unknown_length_is_cut_at_the_limit(server: LimitedServer) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with server.open_connection() as line:
        line.sendall(make_post("Transfer-Encoding: chunked"))
        most = 0
        for _ in range(3 * MEGABYTE // 0x10000):
            line.sendall(chunk)
            most = max(most, server.spooled_bytes())
        assert read_answer(line).startswith(b"HTTP/1.1 413 ")
    assert most <= MEGABYTE
    wait_until_released(server)


def test_a_long_text_by_get_reaches_the_application(server: LimitedServer) -> None:
    with server.open_connection() as line:
        path = f"/webhooks/twilio/none/?Body={quote('𠮷' * 1600)}"
        line.sendall(make_head(f"GET {path}", "Connection: close"))
        assert read_answer(line).startswith(b"HTTP/1.1 404 ")


def test_a_head_without_end_is_cut_at_the_limit(server: LimitedServer) -> None:
    with server.open_connection() as line:
        line.sendall(make_head(f"GET /healthz?{'x' * 70_000}"))
        assert not read_answer(line).startswith(b"HTTP/1.1 200 ")
    wait_until_released(server)


def test_a_client_with_a_session_may_send_files(server: LimitedServer) -> None:
    size = 2 * MEGABYTE
    with server.open_connection() as line:
        line.sendall(
            make_post(
                f"Content-Length: {size}",
                "Content-Type: multipart/form-data; boundary=b",
                "Cookie: sessionid=x",
                "Connection: close",
                path="/nowhere/",
            )
        )
        line.sendall(b"x" * size)
        assert not read_answer(line).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", [b"/evil", b"/sign-in", b"\xff"])
def test_daphne_root_path_of_a_request_is_ignored(server: LimitedServer, path: bytes) -> None:
    with server.open_connection() as line:
        request = make_head("GET /", "Connection: close", "Daphne-Root-Path: PATH")
        line.sendall(request.replace(b"PATH", path))
        answer = read_answer(line)
    assert b"\r\nLocation: /sign-in/?next=/\r\n" in answer, answer


def test_daphne_root_path_of_a_socket_is_ignored(server: LimitedServer) -> None:
    upgrade = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
        f"Origin: {server.stack.url}",
    ]
    statuses = []
    for lie in ([], ["Daphne-Root-Path: /live"]):
        with server.open_connection() as line:
            line.sendall(make_head("GET /live/", *upgrade, *lie))
            statuses.append(line.recv(65536).split(b"\r\n")[0])
    assert statuses[0] == statuses[1]
    assert statuses[0].split()[1] in {b"101", b"403"}


def test_forms_are_still_read(server: LimitedServer) -> None:
    with httpx.Client(base_url=server.stack.url, trust_env=False) as browser:
        browser.get("/sign-in/")
        token = browser.cookies["csrftoken"]
        form = {"username": "ana", "password": "partyline", "csrfmiddlewaretoken": token}
        assert browser.post("/sign-in/", data=form).status_code == 302
        assert browser.get("/settings/").status_code == 200
