"""`python -m config.cluster`: runs it all in the foreground until Ctrl-C or SIGTERM.

SIGHUP restarts the web processes and workers one after the other, as an upgrade does. Whatever
ends by itself is started again. `cluster.json` in the data folder says where everything is.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO

from config.cluster import database
from config.cluster.certificate import make_certificate
from config.cluster.children import Child, stop
from config.cluster.rendering import DEPLOY, ROOT, Plan
from config.embedded.root import find_runner, open_way_to

START_SECONDS = 180.0
MANAGE = [sys.executable, "manage.py"]


class CannotStart(Exception):
    """Its text is for whoever typed the command."""


class Cluster:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.is_ending = False
        self.is_to_roll = False
        self.settings = plan.environment(database.password(plan.data))
        self.environment = os.environ | self.settings
        runner = find_runner()
        self.database = self._child("postgres", database.command(plan), runner.uid, runner.gid)
        self.redis = self._child("redis", self._redis())
        self.webs = [
            self._child(f"web-{port}", plan.command("partyline-web", str(port)))
            for port in plan.web_ports
        ]
        self.workers = [
            self._child(f"worker-{number}", plan.command("partyline-worker", str(number)))
            for number in range(1, plan.workers + 1)
        ]
        main = plan.write_nginx(make_certificate() if plan.is_tls else None)
        nginx = program("nginx")
        self.nginx = self._child("nginx", [nginx, "-e", "stderr", "-c", str(main)])

    @property
    def children(self) -> list[Child]:
        return [self.database, self.redis, *self.webs, *self.workers, self.nginx]

    def _child(
        self, name: str, command: list[str], uid: int | None = None, gid: int | None = None
    ) -> Child:
        log = self.plan.data / "logs" / f"{name}.log"
        folder = ROOT if uid is None else self.plan.data
        return Child(name, command, self.environment, folder, log, uid, gid)

    def _redis(self) -> list[str]:
        options = ["--port", str(self.plan.redis_port), "--dir", str(self.plan.data)]
        return [program("redis-server"), str(DEPLOY / "redis/partyline.conf"), *options]

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        signal.signal(signal.SIGHUP, self._roll)
        try:
            self._start()
            while not self.is_ending:
                self._mend()
                if self.is_to_roll:
                    self.is_to_roll = False
                    self._restart_in_turn()
                time.sleep(0.1)
        finally:
            stop([self.nginx, *self.webs, *self.workers])
            stop([self.redis])
            stop([self.database], signal.SIGINT)  # a fast stop: sessions are ended
            (self.plan.data / "cluster.json").unlink(missing_ok=True)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.is_ending = True

    def _roll(self, number: int, frame: FrameType | None) -> None:
        self.is_to_roll = True

    def _start(self) -> None:
        self._check_site()
        write_secret(
            self.plan.data / "partyline.env",
            "".join(f"{name}={value}\n" for name, value in self.settings.items()),
        )
        self.database.start()
        self.redis.start()
        self._wait(self.database, lambda: database.answers(self.settings["DATABASE_URL"]))
        self._prepare()
        for child in [*self.webs, *self.workers, self.nginx]:
            child.start()
        for child, port in zip(self.webs, self.plan.web_ports, strict=True):
            self._wait(child, partial(is_ready, port))
        self._wait(self.nginx, partial(listens, self.plan.port))
        if not self.is_ending:
            self._note()
            self._greet()

    def _check_site(self) -> None:
        command = [*self.nginx.command, "-t", "-q"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise CannotStart(done.stderr.strip())

    def _prepare(self) -> None:
        is_demo = self.environment.get("PARTYLINE_DEMO") == "1"
        steps = [["migrate", "--no-input", "-v", "0"], ["collectstatic", "--no-input", "-v", "0"]]
        for step in steps + ([["seed_demo", "-v", "0"]] if is_demo else []):
            if self.is_ending:
                return
            command = [*MANAGE, *step]
            done = subprocess.run(command, cwd=ROOT, env=self.environment, check=False)  # noqa: S603
            if done.returncode and not self.is_ending:
                raise CannotStart(f"manage.py {step[0]} failed.")
        if os.geteuid() == 0:
            open_way_to(self.plan.data / "static", "so that nginx reaches it")

    def _greet(self) -> None:
        print(f"Partyline is at {self.plan.url}/")
        if self.environment.get("PARTYLINE_DEMO") == "1":
            print("Sign in as admin, ana, ben, cho; password partyline.")
        print(f"Logs are in {self.plan.data / 'logs'}. Stop with Ctrl-C.", flush=True)

    def _wait(self, child: Child, is_well: Callable[[], bool]) -> None:
        end = time.monotonic() + START_SECONDS
        while not self.is_ending and not is_well():
            if time.monotonic() > end:
                raise CannotStart(f"{child.name} does not start; its log is {child.log}")
            self._mend()
            time.sleep(0.1)

    def _mend(self) -> None:
        due = [child for child in self.children if child.process is not None and child.is_due()]
        for child in due:
            print(f"{child.name} ended by itself and starts again", file=sys.stderr, flush=True)
            child.start()
        if due:
            self._note()

    def _restart_in_turn(self) -> None:
        for child, port in zip(self.webs, self.plan.web_ports, strict=True):
            self._restart(child)
            self._wait(child, partial(is_ready, port))
        for child in self.workers:
            self._restart(child)
        print("All web processes and workers were restarted.", flush=True)

    def _restart(self, child: Child) -> None:
        begun = time.monotonic()
        stop([child])
        print(f"{child.name} ended in {time.monotonic() - begun:.1f} s", flush=True)
        if not self.is_ending:
            child.start()
            self._note()

    def _note(self) -> None:
        pids = {child.name: child.pid for child in self.children}
        settings = {"url": self.plan.url, "environment": self.settings, "pids": pids}
        write_secret(self.plan.data / "cluster.json", json.dumps(settings))


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


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise CannotStart(f"{name} is missing. On Debian: sudo apt-get install {name}")
    return found


def write_secret(path: Path, text: str) -> None:
    """Whole or not at all, and for nobody else to read."""
    draft = path.with_name(f".{path.name}")
    draft.touch(0o600)
    draft.write_text(text)
    draft.replace(path)


def sole(data: Path) -> IO[str]:
    """A lock on the data folder for as long as it is open."""
    lock = (data / "cluster.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise CannotStart(f"Another cluster runs in {data}.") from None
    return lock


def check_ports(ports: list[int]) -> None:
    for port in ports:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                raise CannotStart(
                    f"Port {port} is taken; ports {ports[0]} to {ports[-1]} are needed."
                    f" Try others: PORT={ports[-1] + 1}"
                ) from None


def main() -> int:
    data = Path(os.environ.get("CLUSTER_DATA") or ROOT / "var" / "cluster").resolve()
    plan = Plan(
        data,
        port=int(os.environ.get("PORT") or 8000),
        is_tls=os.environ.get("CLUSTER_TLS") == "1",
        webs=int(os.environ.get("CLUSTER_WEBS") or 2),
        workers=int(os.environ.get("CLUSTER_WORKERS") or 2),
        public_url=os.environ.get("PUBLIC_URL", ""),
    )
    (data / "logs").mkdir(parents=True, exist_ok=True)
    data.chmod(0o711)  # as StateDirectoryMode in the units
    try:
        with sole(data):
            check_ports(plan.ports)
            Cluster(plan).run()
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as failed:
        print(f"{failed.cmd[0]} failed.", file=sys.stderr)  # initdb, which has said why
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
