"""Create databases in the tests' own PostgreSQL, copied from one that is migrated once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path
from typing import LiteralString

import psycopg
from django.db import connection, transaction
from psycopg import sql
from pytest_django import DjangoDbBlocker

from config.embedded.paths import DATABASE, USER, ServerPaths, database_url, program_folder

ROOT = Path(__file__).resolve().parent.parent
EMPTY = "template1"
_DUMPS = ROOT / ".pytest_cache" / "migrated"
_ALL_OR_NOTHING = ("--single-transaction", "--set=ON_ERROR_STOP=1", "--no-psqlrc")


def postgresql_data() -> Path:
    """Return the data folder of the tests' PostgreSQL, which `tests.postgresql` started."""
    return Path(os.environ["PARTYLINE_TEST_POSTGRESQL"])


@contextmanager
def own_database(name: str, template: str = EMPTY) -> Iterator[str]:
    """Create a database in the tests' PostgreSQL for the block, and yield its URL."""
    _administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    create_database(name, template)
    try:
        yield database_url(postgresql_data(), name)
    finally:
        _administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def create_database(name: str, template: str = EMPTY) -> None:
    _administer("CREATE DATABASE {} TEMPLATE {}", name, template)


def migrated_database() -> str:
    """Return the name of a database with our tables, to be copied. The first caller creates it."""
    name = "migrated"
    with make_once(name) as is_made:
        if not is_made:
            create_database(name)
            _fill_migrated(database_url(postgresql_data(), name))
    return name


def _fill_migrated(url: str) -> None:
    """Migrate an empty database, or restore what the same migrations have led to before.

    They take ten times as long, nearly all of it for the models of each of their steps.
    """
    dump = _DUMPS / f"{_digest_of_migrations()}.sql"
    if dump.exists():
        _run_program("psql", f"--dbname={url}", "--quiet", *_ALL_OR_NOTHING, f"--file={dump}")
        return
    # In a process of its own: pytest-django lets this one reach no database here.
    subprocess.run(
        [sys.executable, ROOT / "manage.py", "migrate", "--verbosity=0"],
        env={**os.environ, "DATABASE_URL": url},
        check=True,
    )
    _DUMPS.mkdir(parents=True, exist_ok=True)
    for outdated in _DUMPS.glob("*.sql"):
        outdated.unlink(missing_ok=True)
    part = dump.with_suffix(f".{os.getpid()}")
    _run_program("pg_dump", f"--dbname={url}", f"--file={part}")
    part.rename(dump)


def _digest_of_migrations() -> str:
    """Name all that decides what the tables are: our migrations, and everybody else's by the
    versions of their packages."""
    files = [ROOT / "config/settings/applications.py", ROOT / "inboxes/live_migrations.py"]
    for app in ("inboxes", "threads", "messaging"):
        files += (ROOT / app).glob("**/migrations/*.py")
    digest = hashlib.sha256()
    for file in sorted(files):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(ROOT)} {content}\n".encode())
    versions = {f"{one.name}=={one.version}" for one in distributions()}
    digest.update(" ".join(sorted(versions)).encode())
    return digest.hexdigest()[:32]


def _run_program(name: str, *options: str) -> None:
    """Run one of PostgreSQL's programs."""
    command = [str(program_folder() / name), "--no-password", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@contextmanager
def rolled_back(blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keep what several tests share in a transaction around them all; they roll back to it.

    Not for modules with a test that commits.
    """
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def make_once(name: str) -> Iterator[bool]:
    """Hold a lock among all workers; yield True if one of them has been here before."""
    done = postgresql_data() / f"{name}.done"
    with (postgresql_data() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield done.exists()
        done.touch()


def _administer(statement: LiteralString, *names: str) -> None:
    host = str(ServerPaths(postgresql_data()).socket_folder)
    conninfo = f"host={host} port=5432 user={USER} dbname={DATABASE}"
    with psycopg.connect(conninfo, autocommit=True) as administration:
        administration.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def sessions_waiting_for_locks() -> int:
    """Count the sessions of the test's database that wait for somebody's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
