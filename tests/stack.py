"""Run the real program as a process of its own, for tests that need all of it."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from config.embedded.paths import database_url
from tests.databases import (
    EMPTY,
    create_database,
    make_once,
    migrated_database,
    own_database,
    postgresql_data,
)

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 40.0


@dataclass
class Stack:
    """Hold a running `manage.py serve`. `url` does not end in a slash."""

    url: str
    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    log_path: Path
    ended_in: float | None = field(default=None)
    # Starts it again after `stop`, if it is something other than `serve`.
    again: Callable[[], subprocess.Popen[bytes]] | None = None

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def database_url(self) -> str:
        return self.environment["DATABASE_URL"]

    def stop(self, number: int = signal.SIGTERM, patience: float = 15.0) -> float:
        """Return the seconds until it ended."""
        if self.process.poll() is not None:
            return 0.0
        started_at = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(patience)
        return time.monotonic() - started_at


_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
_ports = itertools.cycle(range(21_000 + _WORKER * 1_000, 22_000 + _WORKER * 1_000))


def free_port() -> int:
    """Return a port that nobody listens on.

    It is below the ports that the system hands out, and each worker of pytest-xdist has its own
    range: otherwise another process could take the port before the server starts.
    """
    for port in _ports:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def seeded_demo() -> Path:
    """Return the data folder of a demo that was started once and has ended. The first caller
    creates it.

    Its database `seeded_demo` is copied for each stack, since seeding takes longer than everything
    else.
    """
    data = postgresql_data() / "seeded_demo"
    with make_once(data.name) as is_made:
        if not is_made:
            create_database(data.name, migrated_database())
            fresh = postgresql_data() / "seeding_demo"
            stack = start_stack(environment_for(database_url(postgresql_data(), data.name), fresh))
            try:
                wait_until_ready(stack, 3 * START_SECONDS)
                _end_hours(stack)
            finally:
                stack.stop()
            fresh.rename(data)
    return data


def _end_hours(stack: Stack) -> None:
    """Let no inbox of the demo be closed: tests would see other pages at night than by day."""
    with psycopg.connect(stack.database_url) as connection:
        connection.execute("UPDATE inboxes_inbox SET weekly_hours = '[]'")


def environment_for(database: str, data: Path, **changes: str) -> dict[str, str]:
    port = changes.get("PORT") or str(free_port())
    return {
        **os.environ,
        "DATABASE_URL": database,
        "PARTYLINE_DATA": str(data),
        "PARTYLINE_DEMO": "1",
        "STATIC_HASHED": "1",
        "SINGLE_PROCESS_LOCK": "1",
        "DB_POOL_SIZE": "10",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "HOST": "127.0.0.1",
        "PORT": port,
        **changes,
    }


def start_stack(environment: dict[str, str], *command: str) -> Stack:
    """Start `manage.py serve` (or another command) without waiting."""
    log_path = Path(environment["PARTYLINE_DATA"] + f".{environment['PORT']}.log")
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *(command or ("serve",))],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return Stack(f"http://127.0.0.1:{environment['PORT']}", process, environment, log_path)


def wait_for_words(words: str, log: Path, seconds: float = START_SECONDS) -> None:
    """Wait until a process has logged these words. Raises AssertionError with its log."""
    end = time.monotonic() + seconds
    while words not in log.read_text(errors="replace"):
        assert time.monotonic() < end, log.read_text(errors="replace")
        time.sleep(0.05)


def wait_until_ready(stack: Stack, seconds: float = START_SECONDS) -> float:
    """Return the seconds until /readyz answers 200. Raises AssertionError with the log."""
    started_at = time.monotonic()
    while time.monotonic() < started_at + seconds:
        if stack.process.poll() is not None:
            raise AssertionError(f"serve ended with {stack.process.returncode}:\n{stack.log}")
        try:
            with urllib.request.urlopen(f"{stack.url}/readyz", timeout=20) as answer:
                if answer.status == 200:
                    return time.monotonic() - started_at
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"serve is not ready after {seconds} s:\n{stack.log}")


@contextmanager
def running_stack(name: str, template: str = EMPTY, **changes: str) -> Iterator[Stack]:
    """Run `manage.py serve` on a free port, with a database and data folder of its own.

    Unless `changes` say otherwise, it is a seeded demo; all others begin as a copy of `template`.
    """
    seeded = seeded_demo() if changes.get("PARTYLINE_DEMO", "1") == "1" else None
    with (
        tempfile.TemporaryDirectory(prefix="partyline-stack-") as folder,
        own_database(f"stack_{name}", seeded.name if seeded else template) as database,
    ):
        data = Path(folder) / "var"
        if seeded:
            shutil.copytree(seeded, data)
        stack = start_stack(environment_for(database, data, **changes))
        try:
            wait_until_ready(stack)
            yield stack
        finally:
            stop_stack(stack)


def stop_stack(stack: Stack) -> None:
    """Stop it, and kill it if necessary."""
    try:
        stack.stop()
    finally:
        if stack.process.poll() is None:
            stack.process.kill()
            stack.process.wait()
