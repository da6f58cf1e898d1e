"""Run the Procfile's processes until SIGTERM: `python -m tests.supervised_cluster`.

SIGHUP restarts the web processes and workers one after the other, as deploy/upgrade.sh does.
Whatever ends without being told is started again. `cluster.json` in the data folder says where
everything is. The environment is that of deploy/cluster/run.sh, all of it given.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

from honcho.environ import expand_processes, parse_procfile

from tests.stack import ROOT
from tests.supervised_cluster.children import Child, stop

START_SECONDS = 180.0
CLUSTER = ROOT / "deploy" / "cluster"


class Supervisor:
    def __init__(self, data: Path, port: int) -> None:
        self.data = data
        self.port = port
        self.is_ending = False
        self.restart_is_due = False
        self.settings = read_environment(data / "partyline.env")
        self.environment = os.environ | self.settings | read_environment(data / "procfile.env")
        counts = {name: int(os.environ[f"CLUSTER_{name.upper()}S"]) for name in ("web", "worker")}
        procfile = parse_procfile((CLUSTER / "Procfile").read_text())
        self.children = [
            self._make_child(process.name, process.cmd, process.env["PORT"])
            for process in expand_processes(procfile.processes, counts, env={}, port=port + 1)
        ]

    def named(self, kind: str) -> list[Child]:
        return [child for child in self.children if child.name.startswith(kind)]

    def _make_child(self, name: str, command: str, port: str) -> Child:
        name = f"web-{port}" if name.startswith("web.") else name.replace(".", "-")
        name = name if name.startswith(("web", "worker")) else name.partition("-")[0]
        return Child(
            name,
            ["bash", "-c", command],
            self.environment | {"PORT": port},
            ROOT,
            self.data / "logs" / f"{name}.log",
        )

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        signal.signal(signal.SIGHUP, self._ask_for_restart)
        try:
            self._start()
            while not self.is_ending:
                self._restart_what_ended()
                if self.restart_is_due:
                    self.restart_is_due = False
                    self._restart_in_turn()
                time.sleep(0.1)
        finally:
            stop([*self.named("nginx"), *self.named("w")])
            stop(self.named("redis"))
            stop(self.named("postgres"), signal.SIGINT)  # a fast stop: sessions are ended
            (self.data / "cluster.json").unlink(missing_ok=True)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.is_ending = True

    def _ask_for_restart(self, number: int, frame: FrameType | None) -> None:
        self.restart_is_due = True

    def _start(self) -> None:
        for child in self.children:
            child.start()
        for child in self.named("web"):
            self._wait(child, partial(is_ready, int(child.environment["PORT"])))
        self._wait(self.named("nginx")[0], partial(listens, self.port))
        if not self.is_ending:
            self._write_state()
            print(f"Partyline is at {self.settings['PUBLIC_URL']}/", flush=True)

    def _wait(self, child: Child, is_well: Callable[[], bool]) -> None:
        end = time.monotonic() + START_SECONDS
        while not self.is_ending and not is_well():
            if time.monotonic() > end:
                sys.exit(f"{child.name} does not start; its log is {child.log}")
            self._restart_what_ended()
            time.sleep(0.1)

    def _restart_what_ended(self) -> None:
        due = [child for child in self.children if child.process is not None and child.is_due()]
        for child in due:
            print(f"{child.name} ended and starts again", file=sys.stderr, flush=True)
            child.start()
        if due:
            self._write_state()

    def _restart_in_turn(self) -> None:
        for child in self.named("web"):
            self._restart(child)
            self._wait(child, partial(is_ready, int(child.environment["PORT"])))
        for child in self.named("worker"):
            self._restart(child)
        print("All web processes and workers were restarted.", flush=True)

    def _restart(self, child: Child) -> None:
        begun = time.monotonic()
        stop([child])
        print(f"{child.name} ended in {time.monotonic() - begun:.1f} s", flush=True)
        if not self.is_ending:
            child.start()
            self._write_state()

    def _write_state(self) -> None:
        state = {
            "url": f"{self.settings['PUBLIC_URL'].partition(':')[0]}://127.0.0.1:{self.port}",
            "environment": self.settings,
            "pids": {child.name: child.pid for child in self.children},
            "postgres_bin": self.environment["POSTGRES_BIN"],
        }
        path = self.data / "cluster.json"
        draft = path.with_name(f".{path.name}")
        draft.write_text(json.dumps(state))
        draft.replace(path)


def read_environment(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main() -> int:
    prepared = subprocess.run(["bash", str(CLUSTER / "prepare.sh")], cwd=ROOT, check=False)
    if prepared.returncode:
        return prepared.returncode
    Supervisor(Path(os.environ["CLUSTER_DATA"]), int(os.environ["PORT"])).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
