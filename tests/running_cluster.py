"""Run the cluster of deploy/cluster as a process, in a folder and on ports of its own."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.stack import ROOT, Stack

START_SECONDS = 300.0
PORTS = 6
INHERITED_NOT = ("DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "ALLOWED_HOSTS", "HOST", "PORT")


@dataclass
class RunningCluster:
    data: Path
    given: dict[str, str]  # The environment of the command itself
    log_path: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; also again after `stop`, on the same data."""
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.supervised_cluster"],
                cwd=ROOT,
                env=self.given,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self.process

    @property
    def description(self) -> dict[str, Any]:
        """Return what `tests.supervised_cluster` has written about itself."""
        value: dict[str, Any] = json.loads((self.data / "cluster.json").read_text())
        return value

    @property
    def url(self) -> str:
        return str(self.description["url"])

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def environment(self) -> dict[str, str]:
        value: dict[str, str] = self.description["environment"]
        return value

    @property
    def postgres_bin(self) -> str:
        """Return the folder with `postgres` and `pg_dump`."""
        return str(self.description["postgres_bin"])

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def pid(self, name: str) -> int | None:
        """Return a process's pid; None while it is down."""
        value: int | None = self.description["pids"][name]
        return value

    def names(self, kind: str) -> list[str]:
        return [name for name in self.description["pids"] if name.startswith(kind)]

    def kill(self, name: str) -> bool:
        """Kill one of its processes with -9. Return False if it was down already."""
        pid = self.pid(name)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.environment["DATABASE_URL"], autocommit=True)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def restart_in_turn(self) -> float:
        """Restart its processes one after the other; return the seconds that took."""
        begun, before = time.monotonic(), self.log.count("were restarted")
        self.process.send_signal(signal.SIGHUP)
        while self.log.count("were restarted") == before:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < begun + START_SECONDS, self.log
            time.sleep(0.05)
        return time.monotonic() - begun

    def stop(self) -> float:
        """End all of it; return the seconds that took."""
        begun = time.monotonic()
        self.process.terminate()
        self.process.wait(40)
        return time.monotonic() - begun


def free_ports(count: int) -> int:
    """Return the first of `count` free ports in a row.

    They are taken only when all is prepared, so they come from a range that `free_port` does not
    use, and each process begins elsewhere in it.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    tries = itertools.count(os.getpid())
    while True:
        first = 24_000 + worker * 2_000 + next(tries) % (2_000 // count) * count
        try:
            for port in range(first, first + count):
                with socket.socket() as trial:
                    trial.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first


@contextmanager
def cluster_stack(**changes: str) -> Iterator[Stack]:
    """Run a cluster instead of `manage.py serve`, for tests that see it only from outside."""
    with running_cluster(**changes) as cluster:

        def again() -> subprocess.Popen[bytes]:
            cluster.start()
            wait_until_up(cluster)
            return cluster.process

        process, log_path = cluster.process, cluster.log_path
        yield Stack(cluster.url, process, cluster.environment, log_path, again=again)


@contextmanager
def running_cluster(**changes: str) -> Iterator[RunningCluster]:
    """Run a cluster, by default in demo mode. Fail if it ends before it is told to."""
    with tempfile.TemporaryDirectory(prefix="partyline-cluster-") as folder:
        data = Path(folder) / "var"
        kept = {name: value for name, value in os.environ.items() if name not in INHERITED_NOT}
        environment = {
            **kept,
            "CLUSTER_DATA": str(data),
            "CLUSTER_TLS": "",
            "CLUSTER_WEBS": "2",
            "CLUSTER_WORKERS": "2",
            "PYTHON": sys.executable,
            "PORT": str(free_ports(PORTS)),
            "PARTYLINE_DEMO": "1",
            "STATIC_HASHED": "1",
            "SINGLE_PROCESS_LOCK": "1",
            "DB_POOL_SIZE": "10",
            "SECRET_KEY": "",  # its own, as a server makes them
            "FIELD_KEYS": "",
            **changes,
        }
        log_path = Path(folder) / "log"
        cluster = RunningCluster(data, environment, log_path)
        cluster.start()
        try:
            wait_until_up(cluster)
            yield cluster
            assert cluster.process.poll() is None, cluster.log
        finally:
            if cluster.process.poll() is None:
                cluster.stop()


def wait_until_up(cluster: RunningCluster) -> None:
    end = time.monotonic() + START_SECONDS
    while "Partyline is at" not in cluster.log:
        assert cluster.process.poll() is None, cluster.log
        assert time.monotonic() < end, cluster.log
        time.sleep(0.1)
