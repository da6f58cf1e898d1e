"""The system user that runs PostgreSQL, which refuses to run as root.

Every change to the machine is announced on stderr before it is made.
"""

import os
import pwd
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "pgserver"


@dataclass(frozen=True)
class ServerAccount:
    """The system user that runs the server; None means the current one."""

    uid: int | None = None
    gid: int | None = None

    def chown(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def announce(text: str) -> None:
    sys.stderr.write(f"partyline: {text}\n")
    sys.stderr.flush()


def find_account() -> ServerAccount:
    """Return the current user, or for root the user `pgserver`, which is created if missing."""
    if os.geteuid() != 0:
        return ServerAccount()
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        announce(
            f"running as root: creating the system user {ACCOUNT!r} for the embedded PostgreSQL"
        )
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        done = subprocess.run(  # noqa: S603  constant arguments
            [*command, ACCOUNT], capture_output=True, text=True, check=False
        )
        try:
            entry = pwd.getpwnam(ACCOUNT)  # another process may have been faster
        except KeyError:
            raise RuntimeError(f"the user {ACCOUNT} cannot be made: {done.stderr}") from None
    return ServerAccount(entry.pw_uid, entry.pw_gid)


def make_traversable(path: Path, why: str) -> None:
    """Let all users pass through `path` and the folders above it, and announce each change."""
    for folder in [*reversed(path.parents), path]:
        mode = folder.stat().st_mode
        # Passing through is enough: nobody needs to list the folders.
        new_mode = mode | stat.S_IXGRP | stat.S_IXOTH
        if new_mode != mode:
            announce(f"running as root: letting all users pass through {folder}, {why}")
            folder.chmod(new_mode)


def make_programs_readable(prefix: Path) -> None:
    """Let all users run the wheel's programs below `prefix`."""
    make_traversable(prefix, f"so that {ACCOUNT!r} can run PostgreSQL's programs")
    closed = [path for path in prefix.rglob("*") if not _is_readable(path)]
    if closed:
        announce(f"running as root: making the files below {prefix} readable by all users")
    for path in closed:
        mode = path.stat().st_mode
        path.chmod(mode | 0o444 | (0o111 if path.is_dir() or mode & 0o100 else 0))


def _is_readable(path: Path) -> bool:
    if path.is_symlink():
        return True
    mode = path.stat().st_mode
    return bool(mode & 0o004) and (not path.is_dir() or bool(mode & 0o001))
