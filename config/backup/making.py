"""Making a backup while Partyline runs."""

import io
import json
import os
import secrets
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from config import environment
from config.backup.errors import Refused
from config.backup.keys import FILES, current_keys, fingerprint
from config.backup.programs import Program, connect, connection_options, find_program
from config.version import VERSION

ABOUT, DATABASE, SECOND_FACTORS = "about.json", "database.dump", "second_factors.dump"
SETTINGS = "partyline.env"
# They would be of use to a thief only: who holds a session is signed in, and push subscriptions
# end with their sessions.
SESSION_TABLES = (
    "django_session",
    "usersessions_usersession",
    "inboxes_phonesignin",
    "messaging_pushsubscription",
)
# Whoever has these as well needs only passwords, so they are kept with the keys.
SECOND_FACTOR_TABLES = ("otp_", "mfa_")


def make_backup(file: Path, keys_file: Path | None) -> None:
    """Write the database, pictures and files to `file`, and to `keys_file` the rest.

    Both are complete when they appear, and only their owner can read them. Raises Refused.
    """
    for path in filter(None, (file, keys_file)):
        if path.exists():
            raise Refused(f"{path} exists already.")
        path.parent.mkdir(parents=True, exist_ok=True)
    if file == keys_file:
        raise Refused("The keys belong in another file, to be kept in another place.")
    about = _describe()
    with tempfile.TemporaryDirectory(prefix=".partyline-", dir=file.parent) as folder:
        # The database comes first, so that every file that it names is there to be packed.
        dumps = _dump_database(Path(folder))
        if keys_file is not None:
            with _new_archive(keys_file) as archive:
                _add_keys(archive, about, dumps[SECOND_FACTORS])
        with _new_archive(file) as archive:
            _add_text(archive, ABOUT, json.dumps(about))
            archive.add(dumps[DATABASE], DATABASE)
            dumps[DATABASE].unlink()
            _add_media(archive)


def _describe() -> dict[str, Any]:
    """Return what is known of the backup without reading it all."""
    salt = secrets.token_hex(16)
    return {
        "partyline": VERSION,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "id": secrets.token_hex(8),
        "salt": salt,
        "keys": {name: fingerprint(key, salt) for name, key in current_keys().items()},
        "bucket": settings.MEDIA_BUCKET,
    }


def _dump_database(folder: Path) -> dict[str, Path]:
    """Dump the database and its second factors as they were at one moment."""
    dumps = {name: folder / name for name in (DATABASE, SECOND_FACTORS)}
    with connect() as connection:
        program = find_program("pg_dump", connection.info.server_version // 10_000)
        # This session holds the moment until both are made.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        moment = f"--snapshot={row[0] if row else ''}"
        second_factors = _second_factor_tables(connection)
        without = [f"--exclude-table-data={name}" for name in (*SESSION_TABLES, *second_factors)]
        _dump(program, dumps[DATABASE], moment, *without)
        only = [f"--table={name}" for name in second_factors]
        _dump(program, dumps[SECOND_FACTORS], moment, "--data-only", *only)
    return dumps


def _second_factor_tables(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    names = [str(row[0]) for row in rows]
    found = [name for name in names if name.startswith(SECOND_FACTOR_TABLES)]
    if not found:
        raise Refused("The database has no tables of Partyline yet.")
    return found


def _dump(program: Program, file: Path, *options: str) -> None:
    where, variables = connection_options()
    command = [program.path, where, "--format=custom", "--no-owner", "--no-privileges"]
    done = subprocess.run(  # noqa: S603  PostgreSQL's own program
        [*command, "--no-password", f"--file={file}", *options],
        env=variables,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refused(f"The database cannot be read: {done.stderr.strip()}")


@contextmanager
def _new_archive(path: Path) -> Iterator[tarfile.TarFile]:
    """Open a file that appears under its name once it is complete and on the disk."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w") as archive:
                yield archive
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    body = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(body), 0o600, int(datetime.now(UTC).timestamp())
    archive.addfile(entry, io.BytesIO(body))


def _add_media(archive: tarfile.TarFile) -> None:
    root = Path(settings.MEDIA_ROOT)
    for path in sorted(root.rglob("*")):
        try:
            if path.is_file():
                archive.add(path, f"media/{path.relative_to(root)}", recursive=False)
        except FileNotFoundError:
            continue  # deleted for good while it was about to be packed


def _add_keys(archive: tarfile.TarFile, about: dict[str, Any], second_factors: Path) -> None:
    _add_text(archive, ABOUT, json.dumps(about))
    for name, key in current_keys().items():
        _add_text(archive, FILES[name], key + "\n")
    archive.add(second_factors, SECOND_FACTORS)
    # For people to compare with; it differs on a new machine, so nothing restores it.
    given = sorted(
        name for name in os.environ if name in environment.names_read or name.startswith("AWS_")
    )
    _add_text(archive, SETTINGS, "".join(f"{name}={os.environ[name]}\n" for name in given))
