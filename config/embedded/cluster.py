"""Making, starting and stopping one cluster. The caller holds the turn (see life.py)."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from config.embedded.places import DATABASE, USER, Places, programs
from config.embedded.root import Runner, find_runner, open_programs, open_way_to

START_SECONDS = 60.0
STOP_SECONDS = 4.0

_CONFIG = """\
# Written by Partyline at every start.
listen_addresses = ''
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 128MB
timezone = 'UTC'
log_timezone = 'UTC'
# What people wrote must not reach a log: neither statements nor rows in error details.
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
log_min_messages = warning
"""
# Only for a cluster that is thrown away: a power cut ruins it.
_CARELESS = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


@dataclass(frozen=True)
class Cluster:
    places: Places
    is_durable: bool = True

    def answers(self, dbname: str = "postgres") -> bool:
        """Whether our server, and not just something behind that address, takes connections."""
        try:
            with self._connect(dbname) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]).resolve() == self.places.cluster.resolve()

    def start(self) -> None:
        """Returns when the server answers and has our database. Raises RuntimeError."""
        runner = find_runner()
        self._prepare_folders(runner)
        if not (self.places.cluster / "PG_VERSION").exists():
            self._init(runner)
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"the embedded PostgreSQL does not start; its log is {self.places.log}"
                )
            if self.postmaster() is None:
                self._launch(runner)
            time.sleep(0.05)
        self._create_database()

    def stop(self) -> None:
        """Ask for a fast stop and wait a little. It ends by itself even if we do not see it."""
        process = self.postmaster()
        if process is None:
            return
        process.send_signal(2)  # SIGINT: end sessions, write everything down, stop
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            return

    def postmaster(self) -> psutil.Process | None:
        """The running server of this folder. A pid left by a killed one may be anybody's by now,
        so the process must be a postgres that works in this folder."""
        try:
            process = psutil.Process(int(self.places.pid_file.read_text().split("\n", 1)[0]))
            is_ours = (
                process.status() != psutil.STATUS_ZOMBIE
                and process.name().startswith("postgres")
                and Path(process.cwd()).resolve() == self.places.cluster.resolve()
            )
        except (OSError, ValueError, psutil.Error):
            return None
        return process if is_ours else None

    def _connect(self, dbname: str) -> psycopg.Connection[tuple[str]]:
        return psycopg.connect(
            host=str(self.places.sockets),
            port=5432,
            user=USER,
            dbname=dbname,
            connect_timeout=3,
            autocommit=True,
        )

    def _prepare_folders(self, runner: Runner) -> None:
        places = self.places
        places.data_dir.mkdir(parents=True, exist_ok=True)
        if runner.uid is not None:
            open_way_to(places.data_dir, "so that PostgreSQL reaches its data")
            open_programs(programs().parent)
        if places.sockets.parent == places.shared_runtime:
            _own_folder(places.shared_runtime, 0o711)
        for folder in (places.cluster, places.sockets):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
            runner.own(folder)

    def _init(self, runner: Runner) -> None:
        # The builtin locale is the same on every system, whatever that system has generated.
        self._run(
            runner,
            "initdb",
            f"--username={USER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *([] if self.is_durable else ["--no-sync"]),
        )

    def _launch(self, runner: Runner) -> None:
        """One try. `start` decides by the answer whether it worked, and tries again if not: after
        a crash, children of the old server may hold on to its memory for a moment."""
        cluster = self.places.cluster
        (self.places.pid_file).unlink(missing_ok=True)
        ours = cluster / "partyline.conf"
        text = _CONFIG.format(sockets=self.places.sockets)
        ours.write_text(text if self.is_durable else text + _CARELESS)
        runner.own(ours)
        main = cluster / "postgresql.conf"
        include = "include = 'partyline.conf'\n"
        if include not in main.read_text():
            with main.open("a") as file:
                file.write(include)
        self._run(runner, "pg_ctl", "start", "--no-wait", "--silent", "--log=server.log")
        time.sleep(0.2)

    def _run(self, runner: Runner, program: str, *arguments: str) -> None:
        """The folder goes by PGDATA and the working folder, never through pg_ctl's shell command
        line, where a space or a dollar sign in the path would break it."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LC_", "PG")) and name not in {"LANG", "LANGUAGE", "TZ"}
        }
        done = subprocess.run(  # noqa: S603  our own program with our own arguments
            [str(programs() / program), *arguments],
            cwd=self.places.cluster,
            env={**kept, "LC_ALL": "C", "PGDATA": str(self.places.cluster)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            user=runner.uid,
            group=runner.gid,
            extra_groups=None if runner.uid is None else [],
            umask=0o077,
            check=False,
        )
        if program == "initdb" and done.returncode:
            words = done.stderr.decode(errors="replace").strip()
            raise RuntimeError(f"the embedded PostgreSQL cannot be set up: {words}")

    def _create_database(self) -> None:
        with self._connect("postgres") as connection:
            row = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if row is None:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')


def _own_folder(path: Path, mode: int) -> None:
    """A folder under /tmp that is really ours: somebody else could have put one there first."""
    path.mkdir(mode=mode, exist_ok=True)
    found = path.lstat()
    if path.is_symlink() or found.st_uid != os.getuid():
        raise RuntimeError(
            f"{path} belongs to somebody else; remove it or shorten PARTYLINE_DATA."
        )
    path.chmod(mode)
