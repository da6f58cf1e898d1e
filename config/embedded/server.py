"""Setting up, starting and stopping the server. The caller holds the start lock (lifecycle.py)."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from config.embedded.account import (
    ServerAccount,
    find_account,
    make_programs_readable,
    make_traversable,
)
from config.embedded.paths import DATABASE, USER, ServerPaths, program_folder

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
# Only for a database that is thrown away: a power cut ruins it.
_NOT_DURABLE = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


@dataclass(frozen=True)
class EmbeddedServer:
    paths: ServerPaths
    is_durable: bool = True

    def is_answering(self, dbname: str = "postgres") -> bool:
        """Return True if the server that takes connections is the one of this data folder."""
        try:
            with self._connect(dbname) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]).resolve() == self.paths.pgdata.resolve()

    def start(self) -> None:
        """Start the server, and return when it answers and has our database.

        Raises RuntimeError.
        """
        account = find_account()
        self._prepare_folders(account)
        if not (self.paths.pgdata / "PG_VERSION").exists():
            self._initialise(account)
        deadline = time.monotonic() + START_SECONDS
        while not self.is_answering():
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"the embedded PostgreSQL does not start; its log is {self.paths.log}"
                )
            if self.find_postmaster() is None:
                self._launch_server(account)
            time.sleep(0.05)
        self._create_database()

    def stop(self) -> None:
        """Request a fast shutdown and wait some seconds for it; it goes on without us."""
        process = self.find_postmaster()
        if process is None:
            return
        process.send_signal(2)  # SIGINT: end sessions, write everything down, stop
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            return

    def find_postmaster(self) -> psutil.Process | None:
        """Return the running server of this data folder.

        The pid file of a killed server may name another program by now. So the process has to be
        a postgres whose working folder is this data folder.
        """
        try:
            process = psutil.Process(int(self.paths.pid_file.read_text().split("\n", 1)[0]))
            is_ours = (
                process.status() != psutil.STATUS_ZOMBIE
                and process.name().startswith("postgres")
                and Path(process.cwd()).resolve() == self.paths.pgdata.resolve()
            )
        except (OSError, ValueError, psutil.Error):
            return None
        return process if is_ours else None

    def _connect(self, dbname: str) -> psycopg.Connection[tuple[str]]:
        return psycopg.connect(
            host=str(self.paths.socket_folder),
            port=5432,
            user=USER,
            dbname=dbname,
            connect_timeout=3,
            autocommit=True,
        )

    def _prepare_folders(self, account: ServerAccount) -> None:
        paths = self.paths
        paths.data_dir.mkdir(parents=True, exist_ok=True)
        if account.uid is not None:
            make_traversable(paths.data_dir, "so that PostgreSQL reaches its data")
            make_programs_readable(program_folder().parent)
        if paths.socket_folder.parent == paths.shared_runtime_folder:
            _claim_folder(paths.shared_runtime_folder, 0o711)
        for folder in (paths.pgdata, paths.socket_folder):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
            account.chown(folder)

    def _initialise(self, account: ServerAccount) -> None:
        # The builtin locale is the same on every system, whatever locales were generated there.
        self._run_program(
            account,
            "initdb",
            f"--username={USER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *([] if self.is_durable else ["--no-sync"]),
        )

    def _launch_server(self, account: ServerAccount) -> None:
        """Try once to start the server; `start` sees if it worked, and tries again if not.

        After a crash, children of the old server may hold its shared memory for a moment.
        """
        pgdata = self.paths.pgdata
        (self.paths.pid_file).unlink(missing_ok=True)
        ours = pgdata / "partyline.conf"
        text = _CONFIG.format(sockets=self.paths.socket_folder)
        ours.write_text(text if self.is_durable else text + _NOT_DURABLE)
        account.chown(ours)
        main = pgdata / "postgresql.conf"
        include = "include = 'partyline.conf'\n"
        if include not in main.read_text():
            with main.open("a") as file:
                file.write(include)
        self._run_program(account, "pg_ctl", "start", "--no-wait", "--silent", "--log=server.log")
        time.sleep(0.2)

    def _run_program(self, account: ServerAccount, program: str, *arguments: str) -> None:
        """Run a program of the wheel. Raises RuntimeError if initdb fails.

        The data folder is passed as PGDATA and as the working folder. On the command line that
        pg_ctl gives to a shell, a space or a dollar sign in the path would break it.
        """
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LC_", "PG")) and name not in {"LANG", "LANGUAGE", "TZ"}
        }
        done = subprocess.run(  # noqa: S603  our own program with our own arguments
            [str(program_folder() / program), *arguments],
            cwd=self.paths.pgdata,
            env={**inherited, "LC_ALL": "C", "PGDATA": str(self.paths.pgdata)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            user=account.uid,
            group=account.gid,
            extra_groups=None if account.uid is None else [],
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


def _claim_folder(path: Path, mode: int) -> None:
    """Create a folder under /tmp, or check that it is ours: somebody else could have made it."""
    path.mkdir(mode=mode, exist_ok=True)
    found = path.lstat()
    if path.is_symlink() or found.st_uid != os.getuid():
        raise RuntimeError(
            f"{path} belongs to somebody else; remove it or shorten PARTYLINE_DATA."
        )
    path.chmod(mode)
