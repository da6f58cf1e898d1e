"""Tables change while texts come in: nobody's work is broken off, and no upgrade fails.

An upgrade that stopped half-way, wherever that was, is run again and comes to its end.
"""

from __future__ import annotations

import itertools
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from typing import LiteralString

import psycopg
import pytest

from config.embedded.paths import database_url
from tests.databases import ROOT, migrated_database, own_database, postgresql_data

BEFORE = "migrating_from"
OPT_OUTS = ("messaging_message", "messaging_optout")
SCHEDULED = ("messaging_scheduledtext", "messaging_message")
# What an installation of the first release has applied.
RELEASED = {"inboxes": "0017", "threads": "0010", "messaging": "0030"}
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
        assert self.ends() == "applied"

    def ends(self) -> str:
        """Return whether the step was applied, or stopped."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        is_heard = select.select([self.process.stdout], [], [], 120)[0]
        line = self.process.stdout.readline() if is_heard else "no answer within two minutes"
        assert line in {"applied\n", "stopped\n"}, line or self.process.stderr.read()
        return line.strip()

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
def administrator(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


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


def first_value(administrator: psycopg.Connection, query: LiteralString) -> int:
    row = administrator.execute(query).fetchone()
    assert row is not None
    return int(row[0])


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


# A text that waits to be sent, from before there were counts of such texts.
ROWS = """
INSERT INTO inboxes_inbox (id, name, last_kind, last_excerpt, seq, created_at)
VALUES (1, 'Support', '', '', 0, now());
INSERT INTO threads_contact (id, inbox_id, address, raw_address, kind, name, created_at)
VALUES (1, 1, '+14155550101', '', 'number', 'Dana', now());
INSERT INTO threads_thread
    (id, inbox_id, contact_id, our_address, priority, last_kind, last_excerpt, seq, created_at)
VALUES (1, 1, 1, '+14155550100', '', '', '', 0, now());
INSERT INTO messaging_scheduledtext
    (id, thread_id, inbox_id, author_id, body, send_at, state, reason, seen_id, is_regardless,
     form_key, seq, changed_at)
SELECT 1, 1, 1, id, 'See you', now(), 'waiting', '', 0, false, gen_random_uuid(), 0, now()
FROM inboxes_agent LIMIT 1;
"""


LABEL = "(inbox_id, name, colour, seq) VALUES (1, 'VIP', 'blue', 0)"
SAVED_REPLY = (
    "(inbox_id, name, body, created_at, changed_at) VALUES (1, 'Hi', 'Hello', now(), now())"
)


@pytest.fixture(scope="module")
def _waiting_text(database: str, migrator: Migrator) -> None:
    migrator.migrate("0030")
    with psycopg.connect(database) as administrator:
        administrator.execute(ROWS)


# In the order of the migrations.
@pytest.mark.usefixtures("_waiting_text")
@pytest.mark.parametrize(
    ("before", "name", "write"),
    [
        ("0030", "0031", f"INSERT INTO threads_label {LABEL}"),
        ("0031", "0032", "UPDATE threads_thread SET scheduled_count = 0"),
        ("0032", "0036", f"INSERT INTO messaging_savedreply {SAVED_REPLY}"),
        ("0037", "0038", "UPDATE threads_contact SET company = 'Acme'"),
    ],
    ids=["0031", "0032", "0036", "0038"],
)
def test_an_upgrade_that_stopped_anywhere_is_run_again(
    administrator: psycopg.Connection, migrator: Migrator, before: str, name: str, write: str
) -> None:
    migrator.migrate(before)
    old = things(administrator)
    newest = first_value(administrator, "SELECT max(id) FROM django_migrations")
    for changes in itertools.count(1, 2):
        migrator.start(f"{name} {changes}")
        if migrator.ends() == "applied":
            break
    whole = schema(BEFORE)

    administrator.execute(write.encode())
    leave_unfinished(administrator, old)
    forget_migrations(administrator, newest)
    migrator.migrate(name)
    assert schema(BEFORE) == whole


def things(administrator: psycopg.Connection) -> set[int]:
    """Return what there is of tables, indexes and constraints."""
    rows = administrator.execute(
        "SELECT oid::bigint FROM pg_class UNION SELECT oid::bigint FROM pg_constraint"
    )
    return {oid for (oid,) in rows}


def leave_unfinished(administrator: psycopg.Connection, old: set[int]) -> None:
    """Leave the newest table out, and what is new of the old ones as a stopped step leaves it.

    The check of a column comes with it.
    """
    known = [[*old], [*old]]
    administrator.execute(
        "UPDATE pg_index SET indisvalid = false"
        " WHERE indrelid = ANY(%s) AND NOT indexrelid = ANY(%s)",
        known,
    )
    administrator.execute(
        "UPDATE pg_constraint SET convalidated = false"
        " WHERE conrelid = ANY(%s) AND NOT oid = ANY(%s) "
        " AND contype IN ('c', 'f') AND conname NOT LIKE '%%\\_check'",
        known,
    )
    tables = administrator.execute(
        "SELECT oid::regclass::text FROM pg_class"
        " WHERE relkind = 'r' AND NOT oid = ANY(%s) ORDER BY oid DESC LIMIT 1",
        [[*old]],
    )
    for (table,) in tables.fetchall():
        administrator.execute(f"DROP TABLE {table}".encode())


def forget_migrations(administrator: psycopg.Connection, newest: int) -> None:
    """Leave no record of those that may stop half-way, from the newest old one on."""
    for number, app, name in administrator.execute(
        "SELECT id, app, name FROM django_migrations"
        " WHERE id > %s AND app IN ('inboxes', 'threads', 'messaging')",
        [newest],
    ).fetchall():
        if not import_module(f"{app}.migrations.{name}").Migration.atomic:
            administrator.execute("DELETE FROM django_migrations WHERE id = %s", [number])


def test_upgrades_that_stopped_lead_to_the_same_tables_and_lose_nothing(
    administrator: psycopg.Connection, migrator: Migrator
) -> None:
    for app in RELEASED:
        newest = (ROOT / app / "migrations" / "max_migration.txt").read_text().strip()
        migrator.migrate(f"{app}.{newest}")
    assert schema(BEFORE) == schema(migrated_database())
    found = administrator.execute(
        "SELECT threads_contact.name, company, scheduled_count, threads_label.name, reply.body"
        " FROM threads_thread JOIN threads_contact ON threads_contact.id = contact_id"
        " JOIN threads_label ON true JOIN messaging_savedreply AS reply ON true"
    )
    assert found.fetchall() == [("Dana", "Acme", 1, "VIP", "Hello")]


def schema(database: str) -> list[tuple[object, ...]]:
    """Return our columns, indexes and constraints, and whether they are valid."""
    with psycopg.connect(database_url(postgresql_data(), database)) as connection:
        found = connection.execute(
            "SELECT * FROM (SELECT attrelid::regclass::text AS owner, attname AS name,"
            " atttypid::regtype::text AS kind, attnotnull AS is_valid FROM pg_attribute"
            " JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r'"
            " WHERE attnum > 0 AND NOT attisdropped"
            " UNION ALL SELECT indrelid::regclass::text, indexrelid::regclass::text, 'index',"
            " indisvalid FROM pg_index"
            " UNION ALL SELECT conrelid::regclass::text, conname, contype::text, convalidated"
            " FROM pg_constraint"
            " UNION ALL SELECT tgrelid::regclass::text, tgname, 'trigger', true FROM pg_trigger"
            " WHERE NOT tgisinternal) AS things"
            " WHERE owner ~ '^(inboxes|threads|messaging)_' ORDER BY owner, name, kind"
        )
        return found.fetchall()


def test_a_new_table_lets_those_go_first_who_write_to_the_tables_it_refers_to(
    database: str,
    migrator: Migrator,
    administrator: psycopg.Connection,
    live: psycopg.Connection,
) -> None:
    """The upgrade holds one of them and waits for the other, gives up, and begins anew."""
    administrator.execute("DROP TABLE messaging_savedreplyfile, messaging_savedreply")
    administrator.execute("DELETE FROM django_migrations WHERE name LIKE '0036_ready%'")
    live.execute("LOCK TABLE inboxes_inbox IN ROW EXCLUSIVE MODE")
    migrator.start("0036")
    wait_until_blocked(database, migrator)
    live.execute("LOCK TABLE inboxes_agent IN ROW EXCLUSIVE MODE")
    live.commit()
    migrator.finish()
    keys = (
        "SELECT count(*) FROM pg_constraint"
        " WHERE conrelid = 'messaging_savedreply'::regclass AND contype = 'f'"
    )
    assert first_value(administrator, keys) == 3


NOT_TWICE = {
    "AddConstraint",
    "AddConstraintNotValid",
    "AddField",
    "AddIndex",
    "AddIndexConcurrently",
    "CreateModel",
}


@pytest.mark.parametrize("app", RELEASED)
def test_no_migration_that_may_stop_half_way_takes_a_step_that_fails_the_second_time(
    app: str,
) -> None:
    for file in sorted((ROOT / app / "migrations").glob("0*.py")):
        migration = import_module(f"{app}.migrations.{file.stem}").Migration
        if file.stem[:4] > RELEASED[app] and not migration.atomic:
            steps = {type(step).__name__ for step in migration.operations}
            assert not steps & NOT_TWICE, file.stem
