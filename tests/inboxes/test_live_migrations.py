"""Columns are added while texts come in: nobody's work is broken off, and no upgrade fails."""

from __future__ import annotations

import os
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


def start_migrating(url: str, name: str) -> subprocess.Popen[bytes]:
    manage = str(ROOT / "manage.py")
    return subprocess.Popen(
        [sys.executable, manage, "migrate", "messaging", name, "--verbosity=0"],
        env={**os.environ, "DATABASE_URL": url},
        stderr=subprocess.PIPE,
    )


def finish(migrating: subprocess.Popen[bytes]) -> None:
    _, errors = migrating.communicate(timeout=120)
    assert (migrating.returncode, errors.decode()) == (0, "")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """Yield the address of a database that the tests take through its migrations in turn."""
    with own_database(BEFORE):
        yield database_url(postgresql_data(), BEFORE)


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
    database: str, live: psycopg.Connection, before: str, name: str, tables: tuple[str, str]
) -> None:
    finish(start_migrating(database, before))
    first, second = tables
    live.execute(f"LOCK TABLE {first} IN ROW EXCLUSIVE MODE")
    migrating = start_migrating(database, name)
    wait_until_blocked(database, migrating)
    live.execute(f"LOCK TABLE {second} IN ROW EXCLUSIVE MODE")
    live.commit()
    finish(migrating)


def wait_until_blocked(database: str, migrating: subprocess.Popen[bytes]) -> None:
    """Wait until the upgrade waits for somebody's lock."""
    deadline = time.monotonic() + 60
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(database, autocommit=True) as watcher:
        while watcher.execute(waiting).fetchone() == (0,):
            assert migrating.poll() is None, "the upgrade waited for nobody"
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_an_upgrade_that_stopped_half_way_is_run_again(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as administrator:
        administrator.execute("DELETE FROM django_migrations WHERE name LIKE '0026_opt_outs%'")
        administrator.execute("ALTER TABLE messaging_optout DROP COLUMN ended_in_id")
    finish(start_migrating(database, "0026"))
    with psycopg.connect(database) as administrator:
        rows = administrator.execute(
            "SELECT conname, convalidated FROM pg_constraint"
            " WHERE conrelid = 'messaging_optout'::regclass AND contype = 'f'"
        ).fetchall()
    assert len(rows) == 7
    assert all(is_valid for _, is_valid in rows)


def test_an_installation_from_before_the_set_up_has_had_its_first_start(database: str) -> None:
    """Its administrators can be demoted without anybody setting it up anew."""
    finish(start_migrating(database, "0027"))
    with psycopg.connect(database, autocommit=True) as administrator:
        administrator.execute(
            "INSERT INTO inboxes_agent (username, display_name, password, email, is_superuser,"
            " is_staff, is_active, date_joined, has_sound, seq)"
            " VALUES ('ada', 'Ada', '', '', false, true, true, now(), false, 0)"
        )
    finish(start_migrating(database, "0030"))
    with psycopg.connect(database) as administrator:
        rows = administrator.execute(
            "SELECT username, encrypted_key FROM messaging_firststart"
            " JOIN inboxes_agent ON inboxes_agent.id = administrator_id"
            " WHERE ended_at IS NOT NULL"
        ).fetchall()
    assert rows == [("ada", "")]
