"""Run `manage.py serve` for the bench, with a data folder and embedded database of its own.

The database is as durable as in production. All of it lies in a temporary folder.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from config.embedded.paths import DATABASE, USER, ServerPaths
from tests.bench.clients import HOST, get_request
from tests.stack import ROOT, Stack, free_port, start_stack, stop_stack, wait_until_ready

FLOOR_SETTINGS = "tests.bench.floor.settings"
# Variables of a developer's shell that the bench must not inherit.
OWN_NAMES = {
    "DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "HOST", "PORT", "ALLOWED_HOSTS", "TIME_ZONE",
    "SECRET_KEY", "FIELD_KEYS", "DJANGO_DEBUG", "STATIC_HASHED", "SINGLE_PROCESS_LOCK",
    "DB_POOL_SIZE", "DB_POOL_TIMEOUT", "WORKER_CONCURRENCY", "LOG_LEVEL",
}  # fmt: skip


class LoadProcess:
    """Run commands in a process of its own (`tests.bench.load`)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.load"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, command: str, **details: Any) -> dict[str, Any]:
        """Return the command's result. Raises RuntimeError with the process's error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, **details}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{command}: {answer['error']}")
        return answer

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass
class Server:
    stack: Stack
    load_process: LoadProcess
    data: Path

    @property
    def port(self) -> int:
        return self.stack.port

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host=str(ServerPaths(self.data).socket_folder),
            port=5432,
            user=USER,
            dbname=DATABASE,
            autocommit=True,
        )

    def get_all(self, paths: list[str], **headers: str) -> list[dict[str, Any]]:
        """Get pages one after the other. Raises AssertionError for a status other than 200."""
        requests = [to_base64(get_request(path, self.port, **headers)) for path in paths]
        answers: list[dict[str, Any]] = self.load_process.run(
            "get_all", port=self.port, requests=requests
        )["answers"]
        for path, answer in zip(paths, answers, strict=True):
            assert answer["status"] == 200, f"{path}: {answer['status']}"
        return answers

    def start(self) -> float:
        """Start it again; return the seconds until the first page is answered."""
        started_at = time.monotonic()
        self.stack = start_stack(self.stack.environment)
        while time.monotonic() < started_at + 30:
            try:
                self.get_all(["/sign-in/"])
            except (RuntimeError, AssertionError):
                time.sleep(0.02)
            else:
                return time.monotonic() - started_at
        raise AssertionError(f"serve does not answer:\n{self.stack.log}")

    def stop(self) -> float:
        """Return the seconds that it took."""
        return self.stack.stop()


def to_base64(request: bytes) -> str:
    return base64.b64encode(request).decode()


def _environment(data: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in OWN_NAMES}
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": FLOOR_SETTINGS,
        "PARTYLINE_DATA": str(data),
        "PARTYLINE_DEMO": "0",
        "HOST": HOST,
        "PORT": str(free_port()),
    }


@contextmanager
def running_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="partyline-bench-") as folder:
        data = Path(folder) / "var"
        server = Server(start_stack(_environment(data)), LoadProcess(), data)
        try:
            wait_until_ready(server.stack, seconds=120)
            yield server
        finally:
            server.load_process.stop()
            stop_stack(server.stack)
