"""`partyline backup` and `partyline restore`: what they write, and what they refuse to touch."""

from __future__ import annotations

import io
import json
import secrets
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from pytest_django import Settings

from config import environment
from config.backup import programs
from config.backup.errors import Refused
from config.vapid import make_vapid_key
from config.version import VERSION
from tests.databases import migrated_database, own_database
from tests.faults.sites import write_cast
from tests.stack import ROOT, environment_for

AGENTS = "SELECT count(*) FROM inboxes_agent"
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


@dataclass
class Installation:
    """A data folder with a database, which the commands are pointed at in turn."""

    data: Path
    database: str
    settings: Settings
    monkeypatch: pytest.MonkeyPatch

    def start(self, keys: dict[str, str] | None = None) -> None:
        """Load its settings as a process does: a key that is missing is made."""
        self.data.mkdir(exist_ok=True)
        self.monkeypatch.setattr(environment, "secrets_made", set())
        self.settings.DATA_DIR = self.data
        self.settings.MEDIA_ROOT = self.data / "media"
        self.settings.DATABASE_URL = ""  # the embedded programs
        for name, key in (keys or {}).items():
            (self.data / name).write_text(key)
        load = environment.load_or_create_secret
        self.settings.SECRET_KEY = load(self.data / "secret_key", lambda: secrets.token_hex(30))
        field_keys = load(self.data / "field_keys", lambda: Fernet.generate_key().decode())
        self.settings.FIELD_KEYS = field_keys.split(",")
        self.settings.VAPID_PRIVATE_KEY = load(self.data / "vapid_key", make_vapid_key)
        found = psycopg.conninfo.conninfo_to_dict(self.database)
        self.monkeypatch.setattr(programs, "_parameters", lambda: dict(found))

    def run(self, *arguments: str | Path) -> None:
        call_command(*map(str, arguments))

    def fails(self, status: int, why: str, *arguments: str | Path) -> None:
        with pytest.raises(CommandError, match=why) as failure:
            self.run(*arguments)
        assert failure.value.returncode == status

    def ask(self, question: str) -> Any:
        with psycopg.connect(self.database) as connection:
            row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None

    @property
    def keys(self) -> dict[str, str]:
        names = ("secret_key", "field_keys", "vapid_key")
        paths = [self.data / name for name in names]
        return {path.name: path.read_text() for path in paths if path.exists()}


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Make one with the cast and texts that wait, and one that is emptied for each test."""
    with (
        own_database("backup_full", migrated_database()) as full,
        own_database("backup_new") as new,
    ):
        data = tmp_path_factory.mktemp("cast")
        write_cast(environment_for(full, data, PARTYLINE_DEMO="0"), 1, 0)
        with psycopg.connect(full) as connection:
            connection.execute(WAITING.encode())
            connection.execute(SECRETS.encode())
        yield full, new


# A session and a second factor, whose words must not be in a backup.
SECRETS = """
INSERT INTO django_session VALUES ('a-live-session-of-somebody', 'x', now() + interval '1 day');
INSERT INTO mfa_authenticator (user_id, type, data, created_at)
SELECT min(id), 'totp', '{"secret": "seedseedseedseed"}', now() FROM inboxes_agent;
"""
WAITING = """
INSERT INTO messaging_message (thread_id, inbox_id, kind, body, created_at, seq, state, reason,
                               tries, next_try_at, carrier_message_id)
SELECT id, inbox_id, 'outbound', 'Waits', now(), seq, 'queued', '', 0, now(), ''
  FROM threads_thread LIMIT 1;
INSERT INTO messaging_scheduledtext (thread_id, inbox_id, author_id, body, send_at, state, reason,
                                     seen_id, is_regardless, form_key, seq, changed_at)
SELECT id, inbox_id, (SELECT min(id) FROM inboxes_agent), 'Later', now(), 'waiting', '',
       0, true, gen_random_uuid(), seq, now()
  FROM threads_thread LIMIT 1;
INSERT INTO inboxes_onetimelink (kind, token_hash, created_at, expires_at, name, email,
                                 is_administrator, password_mark, removes_second_factors,
                                 email_state, email_failures, email_error)
SELECT 'invitation', state::bytea, now(), now() + interval '2 days', 'Ben', 'ben@example.com',
       false, '', false, state, 0, ''
  FROM unnest(ARRAY['waiting', 'retrying', 'sent']) AS state;
INSERT INTO messaging_emailpreference (agent_id, minutes, told_until, error)
SELECT min(id), 5, 0, '' FROM inboxes_agent;
INSERT INTO procrastinate_jobs (task_name, queue_name, status, args)
SELECT name, 'emails', 'todo', '{}'
  FROM unnest(ARRAY['send_link_by_email', 'send_lost_password_link', 'send_missed_email',
                    'send_number_alert', 'push_agent', 'check_connections',
                    'show_opt_out_elsewhere']) AS name;
INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp, job_id, periodic_id)
SELECT task_name, 1, id, '' FROM procrastinate_jobs WHERE task_name = 'check_connections';
"""


@pytest.fixture
def old(
    databases: tuple[str, str],
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Installation:
    for name in ("SECRET_KEY", "FIELD_KEYS", "VAPID_PRIVATE_KEY"):
        monkeypatch.delenv(name, raising=False)
    old = Installation(tmp_path / "old", databases[0], settings, monkeypatch)
    old.start()
    (old.data / "media/a").mkdir(parents=True)
    (old.data / "media/a/picture").write_bytes(b"\xff\xd8")
    return old


@pytest.fixture
def new(databases: tuple[str, str], tmp_path: Path, old: Installation) -> Installation:
    new = Installation(tmp_path / "new", databases[1], old.settings, old.monkeypatch)
    with psycopg.connect(new.database) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return new


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "there" / "monday.backup"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "monday.keys"


def test_a_backup_with_its_keys_is_all_that_a_new_machine_needs(
    old: Installation,
    new: Installation,
    file: Path,
    keys: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old.run("backup", file, "--keys", keys)
    assert [path.stat().st_mode & 0o777 for path in (file, keys)] == [0o600, 0o600]
    assert [*file.parent.iterdir(), *keys.parent.iterdir()] == [file, keys]
    printed = capsys.readouterr().out
    assert f"{file}: the database" in printed
    assert f"{keys}: keys, second factors" in printed
    for key in old.keys.values():
        assert key.strip().encode() not in file.read_bytes()
    new.start()
    new.run("restore", file, "--keys", keys)
    assert new.ask("SELECT data->>'secret' FROM mfa_authenticator") == "seedseedseedseed"
    assert new.ask("SELECT count(*) FROM django_session") == 0
    assert new.keys == old.keys
    assert {(new.data / name).stat().st_mode & 0o777 for name in new.keys} == {0o600}
    assert (new.data / "media/a/picture").read_bytes() == b"\xff\xd8"
    assert new.ask(AGENTS) == old.ask(AGENTS) > 1
    assert new.ask(TABLES) == old.ask(TABLES)
    assert "Now run `upgrade`" in capsys.readouterr().out


def test_nothing_that_waited_is_sent_again_by_itself(
    old: Installation, new: Installation, file: Path
) -> None:
    states = "SELECT string_agg(state || ': ' || reason, '') FROM "
    message, scheduled = "messaging_message WHERE body = 'Waits'", "messaging_scheduledtext"
    assert old.ask(states + message) == "queued: "
    assert old.ask(states + scheduled) == "waiting: "
    old.run("backup", file)
    new.start(old.keys)
    new.run("restore", file)
    assert new.ask(states + message).startswith("failed: Restored from a backup: this may have")
    assert new.ask(states + scheduled).startswith("held: Restored from a backup: this may have")
    jobs = "SELECT string_agg(task_name, ' ') FROM procrastinate_jobs WHERE status = 'todo'"
    assert "send_missed_email" in str(old.ask(jobs))
    assert new.ask(jobs) == "show_opt_out_elsewhere"
    links = "SELECT string_agg(email_state, ' ' ORDER BY id) FROM inboxes_onetimelink"
    assert old.ask(links) == "waiting retrying sent"
    assert new.ask(links) == "failed failed sent"
    missed = (
        "SELECT count(*) FROM messaging_notification, messaging_emailpreference AS wish"
        " WHERE messaging_notification.id > told_until"
    )
    assert old.ask(missed) > 0
    assert new.ask(missed) == 0
    environment = environment_for(new.database, new.data, PARTYLINE_DEMO="0")
    command = [sys.executable, "manage.py", "upgrade"]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    # The thread and its inbox are marked with what failed.
    assert b"Failed texts: 2 threads and inboxes had other counts" in done.stdout


def test_the_keys_that_are_there_already_are_enough(
    old: Installation, new: Installation, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old.run("backup", file)
    assert f"(--keys FILE) in {old.data}" in capsys.readouterr().out
    new.start(old.keys)
    new.run("restore", file)
    assert new.ask("SELECT count(*) FROM mfa_authenticator") == 0
    assert new.ask(AGENTS) == old.ask(AGENTS)
    assert "Second factors were not in it" in capsys.readouterr().out


def test_without_its_keys_a_backup_is_refused_until_one_insists(
    old: Installation, new: Installation, file: Path, keys: Path
) -> None:
    old.run("backup", file, "--keys", keys)
    new.start()
    new.fails(4, "another SECRET_KEY and FIELD_KEYS and VAPID", "restore", file)
    # Nothing is left that a second try would stumble over.
    assert (new.ask(TABLES), new.keys, (new.data / "media").exists()) == (0, {}, False)
    new.start()
    new.run("restore", file, "--keys", keys)
    assert (new.ask(AGENTS), new.keys) == (old.ask(AGENTS), old.keys)


def test_one_who_insists_starts_with_new_keys(
    old: Installation, new: Installation, file: Path
) -> None:
    old.run("backup", file)
    new.start()
    fresh = new.keys
    new.run("restore", file, "--without-keys")
    assert (new.ask(AGENTS), new.keys) == (old.ask(AGENTS), fresh)


def test_keys_of_another_installation_are_never_replaced(
    old: Installation, new: Installation, file: Path, keys: Path
) -> None:
    old.run("backup", file, "--keys", keys)
    foreign = {"field_keys": Fernet.generate_key().decode()}
    new.start(foreign)
    new.fails(4, "field_keys has another FIELD_KEYS than", "restore", file, "--keys", keys)
    assert (new.ask(TABLES), new.keys) == (0, foreign)


def test_a_database_with_tables_is_left_alone(
    old: Installation, new: Installation, file: Path
) -> None:
    old.run("backup", file)
    old.fails(3, "The database is not empty", "restore", file)
    assert old.ask(AGENTS) > 1


def test_the_keys_of_another_backup_are_refused(
    old: Installation, new: Installation, file: Path, keys: Path
) -> None:
    old.run("backup", file)
    old.run("backup", file.with_name("tuesday"), "--keys", keys)
    new.start()
    new.fails(4, "belongs to another backup", "restore", file, "--keys", keys)
    assert (new.ask(TABLES), new.keys) == (0, {})


def rewrite(file: Path, changes: dict[str, bytes | None]) -> None:
    """Replace members of an archive, or leave them out; new names are added."""
    with tarfile.open(file) as archive:
        members = {one.name: archive.extractfile(one) for one in archive.getmembers()}
        bodies = {name: found.read() for name, found in members.items() if found}
    with tarfile.open(file, "w") as archive:
        for name, body in (bodies | changes).items():
            if body is not None:
                entry = tarfile.TarInfo(name)
                entry.size = len(body)
                archive.addfile(entry, io.BytesIO(body))


def test_a_damaged_backup_restores_nothing(
    old: Installation, new: Installation, file: Path
) -> None:
    old.run("backup", file)
    whole = file.read_bytes()
    with tarfile.open(file) as archive:
        dump = archive.getmember("database.dump")
    for damaged, why in (
        (whole[: dump.offset_data + dump.size // 2], "damaged"),
        (whole[: dump.offset_data + 2000] + b"\0" * 4000 + whole[dump.offset_data + 6000 :], "."),
        (b"", "is no backup of Partyline"),
        (b"PGDMP" + whole, "is no backup of Partyline"),
    ):
        file.write_bytes(damaged)
        new.start(old.keys)
        new.fails(2, why, "restore", file)
        assert new.ask(TABLES) == 0
    file.unlink()
    new.fails(2, "cannot be read: No such file", "restore", file)


def test_a_backup_of_a_newer_version_is_refused(
    old: Installation, new: Installation, file: Path
) -> None:
    old.run("backup", file)
    with tarfile.open(file) as archive:
        about = json.loads(archive.extractfile("about.json").read())  # type: ignore[union-attr]
    assert about["partyline"] == VERSION
    rewrite(file, {"about.json": json.dumps(about | {"partyline": "99.1"}).encode()})
    new.start(old.keys)
    new.fails(2, "was made by Partyline 99.1; this is", "restore", file)
    rewrite(file, {"about.json": b"{}"})
    new.fails(2, "is no backup of Partyline", "restore", file)
    rewrite(file, {"about.json": json.dumps(about).encode(), "database.dump": None})
    new.fails(2, "damaged: it has no database.dump", "restore", file)
    assert new.ask(TABLES) == 0


def test_no_name_in_a_backup_leads_out_of_the_folder(
    old: Installation, new: Installation, file: Path
) -> None:
    old.run("backup", file)
    names = ("media/../escaped", "media/../../escaped", "/escaped", "secret_key", "media")
    rewrite(file, dict.fromkeys(names, b"x"))
    new.start(old.keys)
    new.run("restore", file)
    assert not [*file.parent.parent.rglob("escaped")]
    assert not Path("/escaped").exists()
    assert new.keys == old.keys
    assert (new.data / "media/a/picture").exists()


def test_no_file_is_overwritten(old: Installation, file: Path) -> None:
    file.parent.mkdir()
    file.write_text("precious")
    old.fails(2, "exists already", "backup", file)
    old.fails(2, "exists already", "backup", file.with_name("b"), "--keys", file)
    old.fails(2, "in another file", "backup", file.with_name("b"), "--keys", file.with_name("b"))
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.read_text() == "precious"


def test_an_empty_database_is_nothing_to_back_up(new: Installation, file: Path) -> None:
    new.start()
    new.fails(2, "no tables of Partyline yet", "backup", file)
    assert [*file.parent.iterdir()] == []


def test_programs_that_are_older_than_the_server_are_not_used(old: Installation) -> None:
    assert programs.find_program("pg_dump", 18).version >= 18
    with pytest.raises(Refused, match="pg_dump of PostgreSQL 99 or newer is needed"):
        programs.find_program("pg_dump", 99)
