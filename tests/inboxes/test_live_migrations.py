"""Columns are added while texts come in: nobody's work is broken off, and no upgrade fails."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator

import psycopg
import pytest

from config.embedded.paths import database_url
from tests.databases import ROOT, own_database, postgresql_data

BEFORE = "migrating_from"
OPT_OUTS = ("messaging_message", "messaging_optout")
SCHEDULED = ("messaging_scheduledtext", "messaging_message")
RECEIPTS = ("messaging_deliveryreceipt", "messaging_attempt")


class Migrator:
    """Apply migrations of `messaging`, in a process that lasts for as long as this does."""

    def __init__(self, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.inboxes.migrator"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start(self, name: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()

    def is_working(self) -> bool:
        """Return False once the line that ends a step is there, or the process is not."""
        assert self.process.stdout is not None
        return not select.select([self.process.stdout], [], [], 0)[0]

    def finish(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        is_heard = select.select([self.process.stdout], [], [], 120)[0]
        line = self.process.stdout.readline() if is_heard else "no answer within two minutes"
        assert line == "applied\n", line or self.process.stderr.read()

    def migrate(self, name: str) -> None:
        self.start(name)
        self.finish()

    def stop(self) -> None:
        _, errors = self.process.communicate()  # its input ends
        assert (self.process.returncode, errors) == (0, "")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """Yield the address of a database that the tests take through its migrations in turn."""
    with own_database(BEFORE):
        yield database_url(postgresql_data(), BEFORE)


@pytest.fixture(scope="module")
def migrator(database: str) -> Iterator[Migrator]:
    migrator = Migrator(database)
    yield migrator
    migrator.stop()


@pytest.fixture
def live(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database) as connection:
        yield connection


# In the order of the migrations.
@pytest.mark.parametrize(
    ("before", "name", "tables"),
    [
        ("0014", "0015", SCHEDULED),
        ("0016", "0017", OPT_OUTS),
        ("0018", "0019", RECEIPTS),
        ("0025", "0026", ("inboxes_inbox", "messaging_optout")),
    ],
)
def test_whoever_writes_to_two_tables_and_the_upgrade_both_get_on(
    database: str,
    migrator: Migrator,
    live: psycopg.Connection,
    before: str,
    name: str,
    tables: tuple[str, str],
) -> None:
    migrator.migrate(before)
    first, second = tables
    live.execute(f"LOCK TABLE {first} IN ROW EXCLUSIVE MODE")
    migrator.start(name)
    wait_until_blocked(database, migrator)
    live.execute(f"LOCK TABLE {second} IN ROW EXCLUSIVE MODE")
    live.commit()
    migrator.finish()


def wait_until_blocked(database: str, migrator: Migrator) -> None:
    """Wait until the upgrade waits for somebody's lock."""
    deadline = time.monotonic() + 60
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(database, autocommit=True) as watcher:
        while watcher.execute(waiting).fetchone() == (0,):
            assert migrator.is_working(), "the upgrade waited for nobody"
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_an_upgrade_that_stopped_half_way_is_run_again(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as administrator:
        administrator.execute("DELETE FROM django_migrations WHERE name LIKE '0026_opt_outs%'")
        administrator.execute("ALTER TABLE messaging_optout DROP COLUMN ended_in_id")
    subprocess.run(
        [sys.executable, ROOT / "manage.py", "migrate", "messaging", "0026", "--verbosity=0"],
        env={**os.environ, "DATABASE_URL": database},
        check=True,
    )
    with psycopg.connect(database) as administrator:
        rows = administrator.execute(
            "SELECT conname, convalidated FROM pg_constraint"
            " WHERE conrelid = 'messaging_optout'::regclass AND contype = 'f'"
        ).fetchall()
    assert len(rows) == 7
    assert all(is_valid for _, is_valid in rows)


def test_an_installation_from_before_the_set_up_has_had_its_first_start(
    database: str, migrator: Migrator
) -> None:
    """Its administrators can be demoted without anybody setting it up anew."""
    migrator.migrate("0027")
    with psycopg.connect(database, autocommit=True) as administrator:
        administrator.execute(
            "INSERT INTO inboxes_agent (username, display_name, password, email, is_superuser,"
            " is_staff, is_active, date_joined, has_sound, seq)"
            " VALUES ('ada', 'Ada', '', '', false, true, true, now(), false, 0)"
        )
    migrator.migrate("0030")
    with psycopg.connect(database) as administrator:
        rows = administrator.execute(
            "SELECT username, encrypted_key FROM messaging_firststart"
            " JOIN inboxes_agent ON inboxes_agent.id = administrator_id"
            " WHERE ended_at IS NOT NULL"
        ).fetchall()
    assert rows == [("ada", "")]
