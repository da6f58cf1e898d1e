"""PostgreSQL refuses to run as root, so as root it runs as a user of its own. Whatever that
changes on the machine is said on stderr before it is done."""

import os
import pwd
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "pgserver"


@dataclass(frozen=True)
class Runner:
    """Whom the server runs as; None means ourselves."""

    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def say(text: str) -> None:
    sys.stderr.write(f"partyline: {text}\n")
    sys.stderr.flush()


def find_runner() -> Runner:
    """Ourselves, or as root the account `pgserver`, which is created where it does not exist."""
    if os.geteuid() != 0:
        return Runner()
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        say(f"running as root: creating the system user {ACCOUNT!r} for the embedded PostgreSQL")
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        done = subprocess.run(  # noqa: S603  constant arguments
            [*command, ACCOUNT], capture_output=True, text=True, check=False
        )
        try:
            entry = pwd.getpwnam(ACCOUNT)  # another process may have been faster
        except KeyError:
            raise RuntimeError(f"the user {ACCOUNT} cannot be made: {done.stderr}") from None
    return Runner(entry.pw_uid, entry.pw_gid)


def open_way_to(path: Path, why: str) -> None:
    """Let everybody pass through the folders above `path` (and `path`), saying which change."""
    for folder in [*reversed(path.parents), path]:
        mode = folder.stat().st_mode
        # Listing their names is needed nowhere; passing through is.
        wanted = mode | stat.S_IXGRP | stat.S_IXOTH
        if wanted != mode:
            say(f"running as root: letting all users pass through {folder}, {why}")
            folder.chmod(wanted)


def open_programs(prefix: Path) -> None:
    """Let everybody run the wheel's programs below `prefix`."""
    open_way_to(prefix, f"so that {ACCOUNT!r} can run PostgreSQL's programs")
    closed = [path for path in prefix.rglob("*") if not _is_readable(path)]
    if closed:
        say(f"running as root: making the files below {prefix} readable by all users")
    for path in closed:
        mode = path.stat().st_mode
        path.chmod(mode | 0o444 | (0o111 if path.is_dir() or mode & 0o100 else 0))


def _is_readable(path: Path) -> bool:
    if path.is_symlink():
        return True
    mode = path.stat().st_mode
    return bool(mode & 0o004) and (not path.is_dir() or bool(mode & 0o001))
