"""Build the wheel, install it into an empty environment, and use it in an empty folder.

`python -m tests.installation` (`make test-wheel`) takes what it needs from the package index, as
people do, and then tries it; as root it also tries it as an ordinary user. The test suite takes
the packages of its own environment instead.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from config.version import VERSION
from tests.stack import ROOT, free_port

START_SECONDS = 90.0
# The user of an ordinary installation. PostgreSQL wants one that the system knows.
ORDINARY_USER = pwd.getpwnam("nobody")


def build_wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install_beside(wheel: Path, folder: Path) -> Path:
    """Install the wheel alone; the packages that it needs are those of this environment.

    Returns the folder of the environment.
    """
    venv.create(folder, with_pip=False)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps"]
    subprocess.run([*command, "--python", folder / "bin/python", wheel], check=True)
    return folder


def install_in_full(wheel: Path, folder: Path) -> Path:
    """Install as docs/installing.md says, from the package index. Returns the environment."""
    subprocess.run([find_python(), "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet"]
    locked = ["--require-hashes", "-r", str(wheel.parent / "requirements.txt")]
    subprocess.run([*pip, *locked], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    return folder


def find_python() -> str:
    """Return a Python that an ordinary user can run too."""
    ours = Path(sys.executable).resolve()
    is_reachable = all(folder.stat().st_mode & 0o001 for folder in ours.parents)
    return str(ours) if is_reachable else "/usr/bin/python3"


@dataclass
class Installed:
    """An installed Partyline and an empty folder to run it in."""

    environment: Path
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    user: pwd.struct_passwd | None = None
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.log"

    def _options(self) -> dict[str, object]:
        """Return how a process of this installation starts: with nothing of ours around it."""
        variables = {"PATH": os.defpath, "HOME": str(self.folder), "PORT": str(self.port)}
        options = {"cwd": self.folder, "env": variables | self.settings}
        if self.user is None:
            return options
        return options | {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def run(self, *arguments: str | Path, status: int = 0) -> str:
        """Run one command to its end; return what it printed. Fails if its status differs."""
        done = subprocess.run(
            [self.environment / "bin/partyline", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
            **self._options(),  # type: ignore[call-overload]
        )
        assert done.returncode == status, f"{arguments}: {done.stdout}{done.stderr}"
        return str(done.stdout + done.stderr)

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[bytes]]:
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [self.environment / "bin/partyline", "serve"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **self._options(),  # type: ignore[call-overload]
            )
        try:
            self._wait_until_ready(process)
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            assert process.poll() is None, self.log.read_text()
            if "Partyline is at" in self.log.read_text():
                with contextlib.suppress(httpx.TransportError):
                    if httpx.get(f"{self.url}/readyz", timeout=20, trust_env=False).is_success:
                        return
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())


def try_it(installed: Installed, kept: Path, **elsewhere: str) -> None:
    """Start it, open a page, back it up, stop it, and restore the backup `elsewhere`."""
    assert installed.run("--version") == f"partyline {VERSION}\n"
    with installed.serving() as process:
        assert f"Partyline is at {installed.url}/" in installed.log.read_text()
        with httpx.Client(base_url=installed.url, follow_redirects=True, trust_env=False) as http:
            page = http.get("/")
            assert page.status_code == 200
            sheets = re.findall(r'"(/static/css/[\w-]+\.[0-9a-f]{12}\.css)"', page.text)
            assert sheets, page.text
            assert "immutable" in http.get(sheets[0]).raise_for_status().headers["Cache-Control"]
            link = re.search(r"\S+/setup/\?key=\S+", installed.run("setup-link"))
            assert link, "nobody has set it up yet"
            assert "Set up Partyline" in http.get(link[0]).raise_for_status().text
        installed.run("backup", kept / "data", "--keys", kept / "keys")
        process.send_signal(signal.SIGTERM)
        assert process.wait(12) == 0, installed.log.read_text()
    settings = installed.settings | {"PARTYLINE_DATA": str(kept / "restored")} | elsewhere
    other = Installed(installed.environment, installed.folder, settings, installed.user)
    assert "Restored." in other.run("restore", kept / "data", "--keys", kept / "keys")
    assert "Database: was up to date" in other.run("upgrade")


def main() -> None:
    (wheel,) = (ROOT / "dist").glob("*.whl")
    users = [None, ORDINARY_USER] if os.geteuid() == 0 else [None]
    with tempfile.TemporaryDirectory(prefix="partyline-wheel-") as name:
        base = Path(name)
        base.chmod(0o755)
        begun = time.monotonic()
        environment = install_in_full(wheel, base / "environment")
        print(f"installed in {time.monotonic() - begun:.0f} s", flush=True)
        for user in users:
            folder = base / (user.pw_name if user else "me")
            for path in (folder / "empty", folder / "kept"):
                path.mkdir(parents=True)
                if user is not None:
                    shutil.chown(path, user.pw_uid, user.pw_gid)
            # An ordinary user's data folder is below the home folder; root's is the system's.
            settings = {} if user is not None else {"PARTYLINE_DATA": "data"}
            begun = time.monotonic()
            try_it(Installed(environment, folder / "empty", settings, user), folder / "kept")
            print(f"tried as {folder.name} in {time.monotonic() - begun:.0f} s", flush=True)
            where = "data" if user is None else ".local/share/partyline"
            assert (folder / "empty" / where / "field_keys").exists()


if __name__ == "__main__":
    main()
