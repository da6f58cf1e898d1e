"""A process ends within ten seconds of SIGTERM, however busy, and closes its sockets first."""

import asyncio
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from config import worker
from tests.databases import own_database
from tests.stack import ROOT, environment_for, free_port


class StubbornServer:
    def __init__(self, environment: dict[str, str]) -> None:
        self.port = int(environment["PORT"])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.config.stubborn"],
            cwd=ROOT,
            env={**environment, "DJANGO_SETTINGS_MODULE": "config.settings"},
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 20
        while self.get("/") != b"done" and time.monotonic() < deadline:
            time.sleep(0.05)

    def get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return b""
        finally:
            connection.close()

    def get_in_thread(self, path: str) -> tuple[threading.Thread, list[bytes]]:
        answers: list[bytes] = []
        thread = threading.Thread(target=lambda: answers.append(self.get(path)), daemon=True)
        thread.start()
        time.sleep(0.3)
        return thread, answers

    def stop(self, number: int = signal.SIGTERM) -> float:
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(15)
        return time.monotonic() - begun


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubbornServer]:
    with own_database("stubborn") as database:
        environment = environment_for(
            database,
            tmp_path_factory.mktemp("server"),
            PARTYLINE_DEMO="0",
            PORT=str(free_port()),
        )
        running = StubbornServer(environment)
        try:
            yield running
        finally:
            if running.process.poll() is None:
                os.kill(running.process.pid, signal.SIGKILL)
            running.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_process_stops_at_once(server: StubbornServer, number: int) -> None:
    assert server.stop(number) < 3
    assert server.process.returncode == 0


async def test_a_worker_can_be_stopped_while_it_connects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connecting = asyncio.Event()

    class Connecting:
        def __init__(self, queue: str, connections: int) -> None: ...

        @asynccontextmanager
        async def open_async(self) -> AsyncIterator[None]:
            connecting.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise OSError("the connection broke") from None
            yield

    monkeypatch.setattr(worker, "build_worker_app", Connecting)
    working = asyncio.create_task(worker.run_worker())
    await connecting.wait()
    working.cancel()
    await asyncio.wait([working], timeout=5)
    has_ended = working.cancelled()
    working.cancel()
    assert has_ended


def test_open_sockets_are_closed_with_service_restart(server: StubbornServer) -> None:
    with ExitStack() as opened:
        sockets = [
            opened.enter_context(connect(f"ws://127.0.0.1:{server.port}/")) for _ in range(20)
        ]
        assert server.stop() < 10
        assert server.process.returncode == 0
        for socket in sockets:
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=5)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012


def test_a_request_in_progress_gets_its_answer(server: StubbornServer) -> None:
    thread, answers = server.get_in_thread("/short")
    assert server.stop() < 10
    thread.join(5)
    assert answers == [b"done"]


@pytest.mark.parametrize("path", ["/thread", "/never"])
def test_a_request_that_never_ends_does_not_delay_the_stop(
    server: StubbornServer, path: str
) -> None:
    server.get_in_thread(path)
    assert server.stop() < 10


def test_a_frame_over_the_limit_closes_its_socket_and_no_other(server: StubbornServer) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/") as socket:
        socket.send("x" * 65_000)
        with connect(f"ws://127.0.0.1:{server.port}/") as other:
            socket.send("x" * 66_000)
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=5)
            other.ping().wait(5)
