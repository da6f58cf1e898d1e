"""The real program as a process of its own, for tests that want all of it."""

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

from config.embedded.paths import database_url
from tests.databases import (
    EMPTY,
    create_database,
    migrated_database,
    once,
    own_database,
    test_cluster,
)

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 40.0


@dataclass
class Stack:
    """A running `manage.py serve`. `url` has no slash at its end."""

    url: str
    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    log_path: Path
    ended_in: float | None = field(default=None)
    # Starts it once more after `stop`, where that is no mere `serve`.
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
        """Seconds until it ended."""
        if self.process.poll() is not None:
            return 0.0
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(patience)
        return time.monotonic() - begun


_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
_ports = itertools.cycle(range(21_000 + _WORKER * 1_000, 22_000 + _WORKER * 1_000))


def free_port() -> int:
    """A port that nobody listens on. Below those that the system hands out, and each worker of
    pytest-xdist has its own: between this and the server's start another could take it."""
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
    """The data folder of a demo that was started once and has ended, made by whoever asks first.

    Its database `seeded_demo` is copied for each stack: seeding takes longer than all the rest.
    """
    data = test_cluster() / "seeded_demo"
    with once(data.name) as is_made:
        if not is_made:
            create_database(data.name, migrated_database())
            fresh = test_cluster() / "seeding_demo"
            stack = begin(environment_for(database_url(test_cluster(), data.name), fresh))
            try:
                wait_until_ready(stack, 3 * START_SECONDS)
            finally:
                stack.stop()
            fresh.rename(data)
    return data


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


def begin(environment: dict[str, str], *command: str) -> Stack:
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


def wait_until_ready(stack: Stack, seconds: float = START_SECONDS) -> float:
    """Seconds until /readyz said yes. Raises AssertionError with the log."""
    begun = time.monotonic()
    while time.monotonic() < begun + seconds:
        if stack.process.poll() is not None:
            raise AssertionError(f"serve ended with {stack.process.returncode}:\n{stack.log}")
        try:
            with urllib.request.urlopen(f"{stack.url}/readyz", timeout=20) as answer:
                if answer.status == 200:
                    return time.monotonic() - begun
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"serve is not ready after {seconds} s:\n{stack.log}")


@contextmanager
def running_stack(name: str, **changes: str) -> Iterator[Stack]:
    """`manage.py serve` on a free port, with its own database and data folder; in demo mode, and
    then seeded, unless told otherwise."""
    seeded = seeded_demo() if changes.get("PARTYLINE_DEMO", "1") == "1" else None
    with (
        tempfile.TemporaryDirectory(prefix="partyline-stack-") as folder,
        own_database(f"stack_{name}", seeded.name if seeded else EMPTY) as database,
    ):
        data = Path(folder) / "var"
        if seeded:
            shutil.copytree(seeded, data)
        stack = begin(environment_for(database, data, **changes))
        try:
            wait_until_ready(stack)
            yield stack
        finally:
            end(stack)


def end(stack: Stack) -> None:
    """Stop it, by force if it must be."""
    try:
        stack.stop()
    finally:
        if stack.process.poll() is None:
            stack.process.kill()
            stack.process.wait()
