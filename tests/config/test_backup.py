"""`partyline backup` and `partyline restore`: what they write, and what they refuse to touch."""

from __future__ import annotations

import io
import json
import secrets
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
def databases() -> Iterator[tuple[str, str]]:
    """Make one with our tables and an agent, and an empty one that is emptied for each test."""
    with (
        own_database("backup_full", migrated_database()) as full,
        own_database("backup_new") as new,
    ):
        with psycopg.connect(full) as connection:
            add_agent(connection)
        yield full, new


def add_agent(connection: psycopg.Connection[Any]) -> None:
    """Write an agent's row with the defaults that its columns need."""
    columns = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = 'inboxes_agent' AND is_nullable = 'NO' AND column_default IS NULL"
        " AND is_identity = 'NO'"
    ).fetchall()
    values = {"boolean": "true", "integer": "0", "bigint": "0", "smallint": "0"}
    values |= {"timestamp with time zone": "now()"}
    names = ", ".join(name for name, _ in columns)
    filled = ", ".join(values.get(kind, "'ana'") for _, kind in columns)
    connection.execute(f"INSERT INTO inboxes_agent ({names}) VALUES ({filled})".encode())


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
    assert new.keys == old.keys
    assert {(new.data / name).stat().st_mode & 0o777 for name in new.keys} == {0o600}
    assert (new.data / "media/a/picture").read_bytes() == b"\xff\xd8"
    assert new.ask(AGENTS) == old.ask(AGENTS) == 1
    assert new.ask(TABLES) == old.ask(TABLES)
    assert "Now start Partyline." in capsys.readouterr().out


def test_the_keys_that_are_there_already_are_enough(
    old: Installation, new: Installation, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old.run("backup", file)
    assert f"(--keys FILE) in {old.data}" in capsys.readouterr().out
    new.start(old.keys)
    new.run("restore", file)
    assert new.ask(AGENTS) == 1
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
    assert (new.ask(AGENTS), new.keys) == (1, old.keys)


def test_one_who_insists_starts_with_new_keys(
    old: Installation, new: Installation, file: Path
) -> None:
    old.run("backup", file)
    new.start()
    fresh = new.keys
    new.run("restore", file, "--without-keys")
    assert (new.ask(AGENTS), new.keys) == (1, fresh)


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
    assert old.ask(AGENTS) == 1


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
