"""Restoring a backup into an empty installation."""

import contextlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from django.conf import settings

from config.backup.errors import Refused
from config.backup.keys import FILES, forgetting_new_keys, other_keys, put_in_place
from config.backup.making import ABOUT, DATABASE, SECOND_FACTORS
from config.backup.programs import connect, connection_options, find_newest, find_program
from config.version import VERSION

# What was waiting may have been sent since, so nothing is sent again by itself. Texts say of
# themselves that they count as failures, except for confirmations of opt-outs, as in
# messaging/stream/failures.py; `upgrade` then brings the counts of threads and inboxes right.
WHY = "Restored from a backup: this may have gone already. Check, and send it again if needed."
LINK_WHY = "Restored from a backup: it may have gone already. Renew the link if needed."
# Jobs go: texts that came are fetched, numbers looked at and files loaded by periodic ones, and
# the others send something. Only of an opt-out in other inboxes no periodic job knows.
HOLD_ALL = f"""
SET LOCAL search_path = public;
UPDATE public.messaging_message AS message
   SET state = 'failed', reason = '{WHY}',
       unseen_failure = CASE WHEN EXISTS (
           SELECT FROM public.messaging_optout WHERE confirmation_id = message.id
       ) THEN '' ELSE 'failed' END
 WHERE kind = 'outbound' AND state = 'queued';
UPDATE public.messaging_scheduledtext
   SET state = 'held', reason = '{WHY}', is_counted = true WHERE state = 'waiting';
UPDATE public.inboxes_onetimelink
   SET email_state = 'failed', email_error = '{LINK_WHY}'
 WHERE email_state IN ('waiting', 'retrying');
UPDATE public.messaging_emailpreference SET told_until = GREATEST(
    told_until, (SELECT coalesce(max(id), 0) FROM public.messaging_notification)
);
DELETE FROM public.procrastinate_jobs
 WHERE status IN ('todo', 'doing') AND task_name <> 'show_opt_out_elsewhere';
"""  # noqa: S608  a constant of ours
# Written by newer programs; a server older than 17 does not know it, and it changes nothing.
UNKNOWN_TO_OLD_SERVERS = b"SET transaction_timeout = 0;\n"


def restore_backup(file: Path, keys_file: Path | None, *, without_keys: bool) -> None:
    """Restore what `make_backup` wrote. Nothing is changed if it is refused. Raises Refused."""
    with forgetting_new_keys(), _as_refusal(), ExitStack() as opened:
        archive = opened.enter_context(_open_archive(file))
        about = _read_about(archive, file)
        keys = opened.enter_context(_open_archive(keys_file)) if keys_file else None
        if keys is not None and keys_file is not None:
            put_in_place(_read_keys(keys, keys_file, about))
        elif not without_keys:
            _check_keys(about)
        _check_is_empty()
        _restore_media(archive)
        _restore_database(archive, keys)


@contextmanager
def _as_refusal() -> Iterator[None]:
    try:
        yield
    except tarfile.TarError as error:
        raise Refused(f"The backup is damaged: {error}.") from error


def _open_archive(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path, "r:")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    except tarfile.TarError as error:
        raise Refused(f"{path} is no backup of Partyline.") from error


def _read_about(archive: tarfile.TarFile, path: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads(_read(archive, ABOUT))
        made_by = _as_numbers(about["partyline"])
    except (KeyError, ValueError, TypeError) as error:
        raise Refused(f"{path} is no backup of Partyline.") from error
    if made_by > _as_numbers(VERSION):
        raise Refused(
            f"{path} was made by Partyline {about['partyline']}; this is {VERSION}."
            " Install that version or a newer one first."
        )
    return about


def _as_numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    """Return a small member. Raises KeyError if it is missing."""
    with _member(archive, name) as file:
        return file.read()


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    """Open a member. Raises KeyError if it is missing."""
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file


def _read_keys(archive: tarfile.TarFile, path: Path, about: dict[str, Any]) -> dict[str, str]:
    of_keys = _read_about(archive, path)
    if of_keys.get("id") != about.get("id"):
        raise Refused(
            f"{path} belongs to another backup: it was made {of_keys.get('made')},"
            f" the data {about.get('made')}.",
            status=4,
        )
    try:
        return {name: _read(archive, file).decode().strip() for name, file in FILES.items()}
    except KeyError as error:
        raise Refused(f"{path} has no keys.") from error


def _check_keys(about: dict[str, Any]) -> None:
    if others := other_keys(about.get("keys", {}), about.get("salt", "")):
        raise Refused(
            f"The backup was made with another {' and '.join(others)} than is here. Give the file"
            " that has them (--keys FILE), or put them in place. Without them (--without-keys)"
            " the carriers' secrets have to be entered again, and second factors set up again.",
            status=4,
        )


def _check_is_empty() -> None:
    with connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone()
    if row and row[0]:
        raise Refused(f"The database is not empty: it has {row[0]} tables.", status=3)


def _restore_media(archive: tarfile.TarFile) -> None:
    root = Path(settings.MEDIA_ROOT)
    for entry in archive:
        parts = PurePosixPath(entry.name).parts
        if not entry.isreg() or parts[:1] != ("media",) or ".." in parts or len(parts) < 2:
            continue
        target = root.joinpath(*parts[1:])
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.touch(mode=0o600)
        with _member(archive, entry.name) as packed, target.open("wb") as file:
            shutil.copyfileobj(packed, file)


def _restore_database(archive: tarfile.TarFile, keys: tarfile.TarFile | None) -> None:
    """Restore all of it in one transaction, which ends in nothing if the input breaks off."""
    where, variables = connection_options()
    options = ["--no-psqlrc", "--quiet", "--no-password"]
    # Terse: no error message repeats what people wrote.
    options += ["--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--file=-"]
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=settings.DATA_DIR) as name:
        dumps = [_unpack(archive, DATABASE, Path(name))]
        if keys is not None:
            dumps.append(_unpack(keys, SECOND_FACTORS, Path(name)))
        with (
            tempfile.TemporaryFile() as complaints,
            subprocess.Popen(  # noqa: S603  PostgreSQL's own program
                [find_program("psql").path, where, *options],
                env=variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
            ) as psql,
        ):
            _write_scripts(dumps, psql)
            if psql.wait():
                raise Refused(f"The database cannot be restored: {_words_of(complaints)}")


def _unpack(archive: tarfile.TarFile, name: str, folder: Path) -> Path:
    target = folder / name
    try:
        with _member(archive, name) as packed, target.open("wb") as file:
            shutil.copyfileobj(packed, file)
    except KeyError as error:
        raise Refused(f"The backup is damaged: it has no {name}.") from error
    return target


def _write_scripts(dumps: list[Path], psql: subprocess.Popen[bytes]) -> None:
    """Give psql the SQL of the dumps and of what follows them."""
    script = cast("IO[bytes]", psql.stdin)
    try:
        script.write(b"BEGIN;\n")
        for dump in dumps:
            _write_script(dump, script)
        script.write(HOLD_ALL.encode() + b"COMMIT;\n")
        script.close()
    except BrokenPipeError:
        with contextlib.suppress(BrokenPipeError):
            script.close()  # psql has ended, and its complaint says why
    except BaseException:
        psql.kill()
        raise


def _write_script(dump: Path, out: IO[bytes]) -> None:
    """Write the SQL of a dump to `out`. Raises Refused, or BrokenPipeError."""
    command = [find_newest("pg_restore").path, "--no-owner", "--no-privileges", "--file=-"]
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(  # noqa: S603  PostgreSQL's own program
            [*command, str(dump)], stdout=subprocess.PIPE, stderr=complaints
        ) as converting,
    ):
        for line in cast("IO[bytes]", converting.stdout):
            if line != UNKNOWN_TO_OLD_SERVERS:
                out.write(line)
        if converting.wait():
            raise Refused(f"The backup is damaged: {_words_of(complaints)}")


def _words_of(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    return complaints.read().decode(errors="replace").strip()[-2000:]
