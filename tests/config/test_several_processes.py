"""Two web processes, two workers and Redis: what happens in one is seen in the other, and Redis
killed, emptied or frozen costs lateness only."""

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
from tests.stack import ROOT, environment_for, free_port

SLOW = 1.5
"""Seconds in which a webhook is answered, also on a machine that is busy with other tests."""
LEASE = 30.0
BOUND = 10.0
PREPARE = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("seed_demo", verbosity=0)
"""


@dataclass
class Redis:
    """A Redis of the test's own. Its process can be killed, frozen and started again."""

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
        while self.ask("PING") != b"+PONG\r\n":
            assert time.monotonic() < end
            time.sleep(0.05)

    def ask(self, command: str) -> bytes:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as line:
                line.sendall(command.encode() + b"\r\n")
                return line.recv(100)
        except OSError:
            return b""

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait(10)


class Page:
    """A page's socket at one of the web processes; keeps what it heard."""

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
        self.ear = threading.Thread(target=self._hear, daemon=True)
        self.ear.start()

    def _hear(self) -> None:
        try:
            for text in self.socket:
                self.frames.append(json.loads(text))
        except ConnectionClosed:
            pass

    def close(self) -> None:
        self._open.close()

    def here(self, mode: str = "reading", *, types: bool = False) -> None:
        said = {"thread": self.thread, "mode": mode, "is_typing": types}
        self.socket.send(json.dumps({"here": said}))

    @property
    def present(self) -> tuple[bool, str]:
        """Whether anybody is there, and the line on typing, by the last frame about it."""
        told = [frame["presence"] for frame in self.frames if "presence" in frame]
        return (bool(told[-1]["people"]), told[-1]["typing"]) if told else (False, "")

    def shows(self, words: str) -> bool:
        return any(words in frame.get("rows", "") for frame in list(self.frames))


def within(seconds: float, is_so: Any) -> float:
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - begun


@dataclass
class Several:
    redis: Redis
    database: str
    origin: str
    webs: list[str]
    processes: list[subprocess.Popen[bytes]]
    logs: list[Path]

    def sql(self, statement: str) -> Any:
        with psycopg.connect(self.database, autocommit=True) as connection:
            row = connection.execute(statement.encode()).fetchone()
            assert row is not None
            return row[0]

    def text_in(self, web: str, body: str) -> float:
        """A carrier's webhook; the seconds until its answer, which is a yes."""
        address = self.sql("SELECT address FROM messaging_number ORDER BY id LIMIT 1")
        begun = time.monotonic()
        with httpx.Client(trust_env=False, base_url=web, timeout=20) as client:
            client.get("/simulator/")
            token = client.cookies["csrftoken"]
            number = self.sql(f"SELECT id FROM messaging_number WHERE address = '{address}'")
            form = {"sender": "+12025550177", "number": number, "text": body}
            begun = time.monotonic()
            answer = client.post("/simulator/send/", data={**form, "csrfmiddlewaretoken": token})
        assert answer.status_code == 302, answer.text
        return time.monotonic() - begun

    def page(self, web: int, who: str, thread: int) -> Page:
        look: dict[str, Any] = {"list": None, "thread": thread, "seqs": {}}
        return Page(self.webs[web], self.origin, who, look)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
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
    several: Several, ports: list[int], environment: dict[str, str], folder: Path
) -> None:
    """Two web processes and two workers, each with a log of its own."""
    prepared = [sys.executable, "-c", PREPARE]
    subprocess.run(prepared, cwd=ROOT, env=environment, check=True)
    daphne = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p"]
    commands = [[*daphne, str(port), "config.asgi:application"] for port in ports]
    # The two names of one command.
    commands.append([sys.executable, "manage.py", "worker"])
    commands.append([sys.executable, "manage.py", "procrastinate", "worker"])
    for number, command in enumerate(commands):
        log = folder / f"{number}.log"
        several.logs.append(log)
        with log.open("wb") as out:
            several.processes.append(
                subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
            )


@contextmanager
def _started() -> Iterator[Several]:
    with (
        tempfile.TemporaryDirectory(prefix="partyline-several-") as name,
        own_database("several") as database,
    ):
        folder = Path(name)
        redis = Redis(folder)
        several = Several(redis, database, "", [], [], [])
        try:
            redis.start()
            ports = [free_port(), free_port()]
            several.origin = f"http://127.0.0.1:{ports[0]}"
            environment = environment_for(
                database,
                folder / "var",
                REDIS_URL=redis.url,
                PUBLIC_URL=several.origin,
                PORT=str(ports[0]),
                STATIC_HASHED="0",
            )
            _start_all(several, ports, environment, folder)
            several.webs = [f"http://127.0.0.1:{port}" for port in ports]
            for web, process, log in zip(
                several.webs, several.processes, several.logs, strict=False
            ):
                _wait(web, process, log)
            yield several
        finally:
            for process in [*several.processes, *filter(None, [redis.process])]:
                if process.poll() is None:
                    process.kill()
                process.wait()


@pytest.fixture(scope="module")
def several() -> Iterator[Several]:
    with _started() as started:
        yield started


@pytest.fixture
def thread(several: Several) -> int:
    several.text_in(several.webs[0], "First of the test")
    return int(several.sql("SELECT thread_id FROM messaging_message ORDER BY id DESC LIMIT 1"))


def test_bells_presence_and_typing_cross_processes(several: Several, thread: int) -> None:
    ana, ben = several.page(0, "ana", thread), several.page(1, "ben", thread)
    ana.here()
    within(BOUND, lambda: ben.present == (True, ""))
    ben.here("replying", types=True)
    within(BOUND, lambda: ana.present == (True, "Ben is typing"))
    # Whoever comes later is told at once, not with the next summary.
    cho = several.page(0, "cho", thread)
    within(BOUND, lambda: cho.present == (True, "Ben is typing"))
    ben.close()
    within(BOUND, lambda: cho.present == (True, ""))
    several.text_in(several.webs[1], "From the other process")
    within(BOUND, lambda: ana.shows("From the other process"))
    for page in (ana, cho):
        page.close()


@pytest.mark.parametrize("fault", ["killed", "emptied", "frozen"])
def test_redis_costs_lateness_only(several: Several, thread: int, fault: str) -> None:
    ana, ben = several.page(0, "ana", thread), several.page(1, "ben", thread)
    ana.here()
    within(BOUND, lambda: ben.present[0])
    redis = several.redis
    if fault == "killed":
        redis.send(signal.SIGKILL)
    elif fault == "frozen":
        redis.send(signal.SIGSTOP)
    else:
        assert redis.ask("FLUSHALL") == b"+OK\r\n"
    times = [
        several.text_in(several.webs[number % 2], f"While it is {fault} {number}")
        for number in range(6)
    ]
    assert max(times) < SLOW, times
    late = several.page(1, "cho", thread)
    within(BOUND, lambda: {"beat": 1} in late.frames)
    time.sleep(3 if fault != "emptied" else 0)
    if fault == "killed":
        redis.start()
    elif fault == "frozen":
        redis.send(signal.SIGCONT)
    within(LEASE, lambda: all(page.shows(f"{fault} 5") for page in (ana, ben)))
    end = time.monotonic() + LEASE
    while ana.present[1] != "Ben is typing":
        assert time.monotonic() < end, several.logs[0].read_text()[-3000:]
        ben.here("replying", types=True)
        time.sleep(0.2)
    ben.here("replying", types=False)
    within(BOUND, lambda: ana.present == (True, ""))
    for page in (ana, ben, late):
        page.close()


def test_every_process_ends_within_ten_seconds_under_load(several: Several, thread: int) -> None:
    pages = [several.page(number % 2, "ana", thread) for number in range(6)]
    pages += [several.page(number % 2, "ben", thread) for number in range(6)]
    is_over = threading.Event()

    def load(web: str) -> None:
        with httpx.Client(trust_env=False, base_url=web, timeout=20) as client:
            while not is_over.is_set():
                try:
                    client.get("/sign-in/")
                    several.text_in(web, "Load")
                except (httpx.HTTPError, AssertionError, KeyError):
                    time.sleep(0.05)

    threads = [threading.Thread(target=load, args=(web,), daemon=True) for web in several.webs]
    for one in threads:
        one.start()
    for page in pages:
        page.here("replying", types=True)
    time.sleep(1)
    # The worst time for it: nothing that is said to Redis is answered.
    several.redis.send(signal.SIGSTOP)
    time.sleep(0.5)
    begun = time.monotonic()
    for process in several.processes:
        process.send_signal(signal.SIGTERM)
    try:
        for process in several.processes:
            process.wait(max(0.1, begun + 10 - time.monotonic()))
    finally:
        is_over.set()
        several.redis.send(signal.SIGCONT)
        for one in threads:
            one.join(5)
