"""A house of its own for the bench: `manage.py serve` with its own data and embedded database,
durable as in real use, in a temporary folder."""

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
from tests.bench.wire import HOST, get
from tests.stack import ROOT, Stack, begin, end, free_port, wait_until_ready

FLOOR_SETTINGS = "tests.bench.floor.settings"
OWN_NAMES = {
    "DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "HOST", "PORT", "ALLOWED_HOSTS", "TIME_ZONE",
    "SECRET_KEY", "FIELD_KEYS", "DJANGO_DEBUG", "STATIC_HASHED", "SINGLE_PROCESS_LOCK",
    "DB_POOL_SIZE", "DB_POOL_TIMEOUT", "WORKER_CONCURRENCY", "LOG_LEVEL",
}  # fmt: skip
"""What a developer's shell may set and the bench must not inherit."""


class World:
    """The load process (`tests.bench.load`)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.load"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, what: str, **details: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, **details}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{what}: {answer['error']}")
        return answer

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass
class House:
    stack: Stack
    world: World
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

    def get(self, paths: list[str], **headers: str) -> list[dict[str, Any]]:
        """One after the other. Raises AssertionError for an answer that is no 200."""
        requests = [packed(get(path, self.port, **headers)) for path in paths]
        answers: list[dict[str, Any]] = self.world.do("get", port=self.port, requests=requests)[
            "answers"
        ]
        for path, answer in zip(paths, answers, strict=True):
            assert answer["status"] == 200, f"{path}: {answer['status']}"
        return answers

    def start(self) -> float:
        """Seconds from nothing to the first page answered."""
        begun = time.monotonic()
        self.stack = begin(self.stack.environment)
        while time.monotonic() < begun + 30:
            try:
                self.get(["/sign-in/"])
            except (RuntimeError, AssertionError):
                time.sleep(0.02)
            else:
                return time.monotonic() - begun
        raise AssertionError(f"serve does not answer:\n{self.stack.log}")

    def stop(self) -> float:
        return self.stack.stop()


def packed(request: bytes) -> str:
    return base64.b64encode(request).decode()


def _environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in OWN_NAMES}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": FLOOR_SETTINGS,
        "PARTYLINE_DATA": str(data),
        "PARTYLINE_DEMO": "0",
        "HOST": HOST,
        "PORT": str(free_port()),
    }


@contextmanager
def bench_house() -> Iterator[House]:
    with tempfile.TemporaryDirectory(prefix="partyline-bench-") as folder:
        data = Path(folder) / "var"
        house = House(begin(_environment(data)), World(), data)
        try:
            wait_until_ready(house.stack)
            yield house
        finally:
            house.world.end()
            end(house.stack)
