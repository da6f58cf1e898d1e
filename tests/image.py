"""Run each instruction of deploy/docker/Dockerfile in an empty Debian: `make test-image`.

It tries what can be tried without Docker: debootstrap stands in for the base image, chroot for the
container. The commands of compose.yaml run there too, with a PostgreSQL and a Redis of this
machine. It needs root, takes some minutes, and is not part of the test suite.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML

from tests.running_cluster import running_cluster
from tests.stack import ROOT

DOCKER = ROOT / "deploy" / "docker"
# What the base image has: Python as `python`. Its packages bring certificates for pip.
PACKAGES = "python3-venv,python-is-python3,ca-certificates"
READY_SECONDS = 120.0


def read_instructions(path: Path) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, each with its words on one line."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    found = (line.partition(" ") for line in lines if line.strip())
    return [(name, rest.strip()) for name, _, rest in found]


@dataclass
class Image:
    """An image in the making: a folder, and what later instructions inherit."""

    root: Path
    variables: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin:/usr/sbin"})
    user: str = "0:0"
    folder: str = "/"
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def arguments(self, command: list[str]) -> list[str]:
        script = f"cd {self.folder} && exec {shlex.join(command)}"
        return ["chroot", f"--userspec={self.user}", str(self.root), "sh", "-c", script]

    def run(self, *command: str, **variables: str) -> str:
        done = subprocess.run(
            self.arguments([*command]),
            env=self.variables | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def follow(self, name: str, words: str) -> None:
        """Do what one instruction says."""
        if name == "RUN":
            self._run_mounted(words)
        elif name == "ENV":
            pairs = (pair.split("=", 1) for pair in shlex.split(words))
            path = self.variables["PATH"]
            self.variables |= {key: value.replace("$PATH", path) for key, value in pairs}
        elif name == "USER":
            self.user = words
        elif name == "WORKDIR":
            self.folder = words
        elif name == "HEALTHCHECK":
            self.health = json.loads(words.partition(" CMD ")[2])
        elif name == "CMD":
            self.command = json.loads(words)
        else:
            assert name in {"FROM", "VOLUME", "EXPOSE"}, name

    def _run_mounted(self, words: str) -> None:
        """Run a shell's command; a folder that it mounts is copied in and taken out again."""
        mount = re.match(r"--mount=type=bind,source=(\S+),target=(\S+)\s+", words)
        with ExitStack() as mounted:
            if mount:
                words = words[mount.end() :]
                target = self.root / mount[2].lstrip("/")
                shutil.copytree(ROOT / mount[1], target)
                mounted.callback(shutil.rmtree, target)
            # The client's own settings are this machine's, not the image's.
            ours = {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
            self.run("sh", "-euc", words, **ours)

    @contextmanager
    def running(self, *command: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a container's command, and end it as Docker does."""
        process = subprocess.Popen(
            self.arguments([*command]), env=self.variables | variables, stdin=subprocess.DEVNULL
        )
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            status = process.wait(12)
            assert status == 0, f"{command} ended with {status}"
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def wait_until_healthy(self, check: list[str]) -> float:
        begun = time.monotonic()
        while subprocess.run(
            self.arguments(check), env=self.variables, stderr=subprocess.DEVNULL, check=False
        ).returncode:
            assert time.monotonic() < begun + READY_SECONDS
            time.sleep(1)
        return time.monotonic() - begun


@contextmanager
def empty_debian(root: Path) -> Iterator[None]:
    # A name of the release that the base image is named after.
    release = read_instructions(DOCKER / "Dockerfile")[0][1].rpartition("-")[2]
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, str(root)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    # Certificates that this machine trusts, for pip; shared memory, as a container has it.
    bundle = "etc/ssl/certs/ca-certificates.crt"
    shutil.copy(f"/{bundle}", root / bundle)
    (root / "dev/shm").mkdir(mode=0o1777, exist_ok=True)
    (root / "dev/shm").chmod(0o1777)
    subprocess.run(["mount", "-t", "proc", "proc", root / "proc"], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", root / "proc"], check=True)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="partyline-image-") as name:
        root = Path(name) / "root"
        Path(name).chmod(0o755)
        image = Image(root)
        with empty_debian(root):
            print("an empty Debian", flush=True)
            for instruction, words in read_instructions(DOCKER / "Dockerfile"):
                image.follow(instruction, words)
                print(f"ok {instruction} {words[:70]}", flush=True)
            assert image.run("partyline", "--version").startswith("partyline ")
            assert image.run("id", "-u") == "10001\n"
            with image.running(*image.command, PUBLIC_URL="https://texts.example.com"):
                seconds = image.wait_until_healthy(image.health)
                print(f"ok {image.command}: healthy after {seconds:.0f} s", flush=True)
            try_services(image)


def try_services(image: Image) -> None:
    """Run the commands of compose.yaml with the services of this machine."""
    services = YAML(typ="safe").load(DOCKER / "compose.yaml")["services"]
    with running_cluster(PARTYLINE_DEMO="0") as cluster:
        names = ("DATABASE_URL", "REDIS_URL")
        settings = {name: cluster.environment[name] for name in names}
        settings["PUBLIC_URL"] = "https://texts.example.com"
        print(image.run(*services["upgrade"]["command"], **settings), end="", flush=True)
        workers = "SELECT count(*) FROM procrastinate_workers"
        before = cluster.sql(workers)[0][0]
        with (
            image.running(*services["web"]["command"], **settings),
            image.running(*services["worker"]["command"], **settings),
        ):
            check = services["web"]["healthcheck"]["test"][1:]
            seconds = image.wait_until_healthy(check)
            print(f"ok web: ready after {seconds:.0f} s", flush=True)
            end = time.monotonic() + READY_SECONDS
            while cluster.sql(workers)[0][0] == before:
                assert time.monotonic() < end
                time.sleep(0.5)
            print("ok worker", flush=True)


if __name__ == "__main__":
    main()
