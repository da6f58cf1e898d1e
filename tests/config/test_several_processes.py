"""Two web processes, two workers and Redis: a change in one process reaches pages of the other,
and a Redis that is killed, emptied or frozen only makes it late."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.databases import own_database
from tests.stack import ROOT, environment_for, free_port, seeded_demo, wait_for_words

# Seconds within which a webhook is answered, even if the machine is busy with other tests.
SLOW = 1.5
LEASE = 30.0
BOUND = 10.0


@dataclass
class Redis:
    """Run a Redis of the test's own, which can be killed, frozen and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program is not None, "redis-server is missing: apt-get install redis-server"
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen(
            [program, *options, "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        end = time.monotonic() + 10
        while self.run_command("PING") != b"+PONG\r\n":
            assert time.monotonic() < end
            time.sleep(0.05)

    def run_command(self, command: str) -> bytes:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as line:
                line.sendall(command.encode() + b"\r\n")
                return line.recv(100)
        except OSError:
            return b""

    def signal_process(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait(10)


class Page:
    """Hold a page's socket at one of the web processes, and keep the frames that it received."""

    def __init__(self, url: str, origin: str, who: str, look: dict[str, Any]) -> None:
        with httpx.Client(trust_env=False, base_url=url) as client:
            client.get("/sign-in/")
            form = {
                "username": who,
                "password": "partyline",
                "csrfmiddlewaretoken": client.cookies["csrftoken"],
            }
            assert client.post("/sign-in/", data=form).status_code == 302
            cookies = "; ".join(f"{key}={value}" for key, value in client.cookies.items())
        address = f"{url.replace('http', 'ws')}/live/?look={quote(json.dumps(look))}"
        self.thread = look["thread"]
        self.frames: list[dict[str, Any]] = []
        self._open = ExitStack()
        self.socket: ClientConnection = self._open.enter_context(
            connect(
                address, origin=Origin(origin), additional_headers={"Cookie": cookies}, proxy=None
            )
        )
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        try:
            for text in self.socket:
                self.frames.append(json.loads(text))
        except ConnectionClosed:
            pass

    def close(self) -> None:
        self._open.close()

    def report_presence(self, mode: str = "reading", *, types: bool = False) -> None:
        report = {"thread": self.thread, "mode": mode, "is_typing": types}
        self.socket.send(json.dumps({"here": report}))

    @property
    def presence(self) -> tuple[bool, str]:
        """Return True if others are there, and the sentence on typing, by the last such frame."""
        reports = [frame["presence"] for frame in self.frames if "presence" in frame]
        return (bool(reports[-1]["people"]), reports[-1]["typing"]) if reports else (False, "")

    def has_received(self, words: str) -> bool:
        return any(words in frame.get("rows", "") for frame in list(self.frames))


def wait_until(is_so: Any, *, seconds: float) -> float:
    """Wait until the condition holds. Returns the seconds that it took."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - begun


@dataclass
class Installation:
    redis: Redis
    database: str
    origin: str
    webs: list[str]
    processes: list[subprocess.Popen[bytes]]
    logs: list[Path]

    def fetch_value(self, statement: str) -> Any:
        with psycopg.connect(self.database, autocommit=True) as connection:
            row = connection.execute(statement.encode()).fetchone()
            assert row is not None
            return row[0]

    def text_in(self, web: str, body: str) -> float:
        """Send a text through the simulator. Returns the seconds until its answer."""
        address = self.fetch_value("SELECT address FROM messaging_number ORDER BY id LIMIT 1")
        begun = time.monotonic()
        with httpx.Client(trust_env=False, base_url=web, timeout=20) as client:
            client.get("/simulator/")
            token = client.cookies["csrftoken"]
            number = self.fetch_value(
                f"SELECT id FROM messaging_number WHERE address = '{address}'"
            )
            form = {"sender": "+12025550177", "number": number, "text": body}
            begun = time.monotonic()
            answer = client.post("/simulator/send/", data={**form, "csrfmiddlewaretoken": token})
        assert answer.status_code == 302, answer.text
        return time.monotonic() - begun

    def open_page(self, web: int, who: str, thread: int) -> Page:
        look: dict[str, Any] = {"list": None, "thread": thread, "seqs": {}}
        return Page(self.webs[web], self.origin, who, look)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 40
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=10) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


def _start_all(
    installation: Installation, ports: list[int], environment: dict[str, str], folder: Path
) -> None:
    """Start two web processes and two workers, each with its own log."""
    daphne = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p"]
    commands = [[*daphne, str(port), "config.asgi:application"] for port in ports]
    # The two names of one command.
    commands.append([sys.executable, "manage.py", "worker"])
    commands.append([sys.executable, "manage.py", "procrastinate", "worker"])
    for number, command in enumerate(commands):
        log = folder / f"{number}.log"
        installation.logs.append(log)
        with log.open("wb") as out:
            installation.processes.append(
                subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
            )


@contextmanager
def _running_installation() -> Iterator[Installation]:
    seeded = seeded_demo()
    with (
        tempfile.TemporaryDirectory(prefix="partyline-several-") as name,
        own_database("several", seeded.name) as database,
    ):
        folder = Path(name)
        shutil.copytree(seeded, folder / "var")
        redis = Redis(folder)
        installation = Installation(redis, database, "", [], [], [])
        try:
            redis.start()
            ports = [free_port(), free_port()]
            installation.origin = f"http://127.0.0.1:{ports[0]}"
            environment = environment_for(
                database,
                folder / "var",
                REDIS_URL=redis.url,
                PUBLIC_URL=installation.origin,
                PORT=str(ports[0]),
                STATIC_HASHED="0",
            )
            _start_all(installation, ports, environment, folder)
            installation.webs = [f"http://127.0.0.1:{port}" for port in ports]
            for web, process, log in zip(
                installation.webs, installation.processes, installation.logs, strict=False
            ):
                _wait_until_ready(web, process, log)
            yield installation
        finally:
            for process in [*installation.processes, *filter(None, [redis.process])]:
                if process.poll() is None:
                    process.kill()
                process.wait()


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with _running_installation() as started:
        yield started


@pytest.fixture
def thread(installation: Installation) -> int:
    installation.text_in(installation.webs[0], "First of the test")
    return int(
        installation.fetch_value(
            "SELECT thread_id FROM messaging_message ORDER BY id DESC LIMIT 1"
        )
    )


def test_each_process_loads_the_public_holidays_before_a_text_needs_them(
    installation: Installation,
) -> None:
    for _, log in zip(installation.webs, installation.logs, strict=False):
        wait_for_words("the public holidays of 0 regions are loaded", log)


def test_bells_presence_and_typing_cross_processes(
    installation: Installation, thread: int
) -> None:
    ana, ben = installation.open_page(0, "ana", thread), installation.open_page(1, "ben", thread)
    ana.report_presence()
    wait_until(lambda: ben.presence == (True, ""), seconds=BOUND)
    ben.report_presence("replying", types=True)
    wait_until(lambda: ana.presence == (True, "Ben is typing"), seconds=BOUND)
    # A page that opens later learns it at once, not with the next summary.
    cho = installation.open_page(0, "cho", thread)
    wait_until(lambda: cho.presence == (True, "Ben is typing"), seconds=BOUND)
    ben.close()
    wait_until(lambda: cho.presence == (True, ""), seconds=BOUND)
    installation.text_in(installation.webs[1], "From the other process")
    wait_until(lambda: ana.has_received("From the other process"), seconds=BOUND)
    for page in (ana, cho):
        page.close()


@pytest.mark.parametrize("fault", ["killed", "emptied", "frozen"])
def test_redis_costs_lateness_only(installation: Installation, thread: int, fault: str) -> None:
    ana, ben = installation.open_page(0, "ana", thread), installation.open_page(1, "ben", thread)
    ana.report_presence()
    wait_until(lambda: ben.presence[0], seconds=BOUND)
    redis = installation.redis
    if fault == "killed":
        redis.signal_process(signal.SIGKILL)
    elif fault == "frozen":
        redis.signal_process(signal.SIGSTOP)
    else:
        assert redis.run_command("FLUSHALL") == b"+OK\r\n"
    times = [
        installation.text_in(installation.webs[number % 2], f"While it is {fault} {number}")
        for number in range(6)
    ]
    assert max(times) < SLOW, times
    late = installation.open_page(1, "cho", thread)
    wait_until(lambda: {"beat": 1} in late.frames, seconds=BOUND)
    time.sleep(3 if fault != "emptied" else 0)
    if fault == "killed":
        redis.start()
    elif fault == "frozen":
        redis.signal_process(signal.SIGCONT)
    wait_until(lambda: all(page.has_received(f"{fault} 5") for page in (ana, ben)), seconds=LEASE)
    end = time.monotonic() + LEASE
    while ana.presence[1] != "Ben is typing":
        assert time.monotonic() < end, installation.logs[0].read_text()[-3000:]
        ben.report_presence("replying", types=True)
        time.sleep(0.2)
    ben.report_presence("replying", types=False)
    wait_until(lambda: ana.presence == (True, ""), seconds=BOUND)
    for page in (ana, ben, late):
        page.close()


def test_every_process_ends_within_ten_seconds_under_load(
    installation: Installation, thread: int
) -> None:
    pages = [installation.open_page(number % 2, "ana", thread) for number in range(6)]
    pages += [installation.open_page(number % 2, "ben", thread) for number in range(6)]
    is_over = threading.Event()

    def send_load(web: str) -> None:
        with httpx.Client(trust_env=False, base_url=web, timeout=20) as client:
            while not is_over.is_set():
                try:
                    client.get("/sign-in/")
                    installation.text_in(web, "Load")
                except (httpx.HTTPError, AssertionError, KeyError):
                    time.sleep(0.05)

    threads = [
        threading.Thread(target=send_load, args=(web,), daemon=True) for web in installation.webs
    ]
    for one in threads:
        one.start()
    for page in pages:
        page.report_presence("replying", types=True)
    time.sleep(1)
    # At the worst time: Redis answers nothing.
    installation.redis.signal_process(signal.SIGSTOP)
    time.sleep(0.5)
    begun = time.monotonic()
    for process in installation.processes:
        process.send_signal(signal.SIGTERM)
    try:
        for process in installation.processes:
            process.wait(max(0.1, begun + 10 - time.monotonic()))
    finally:
        is_over.set()
        installation.redis.signal_process(signal.SIGCONT)
        for one in threads:
            one.join(5)
