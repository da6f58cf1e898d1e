"""Import a file of contacts: read it, show what it will do, do it, or take it back.

Each step is a state of the import. A job goes on with it in batches, and whoever goes on after a
worker was killed finds the lines that are left. At the end everything is in, or nothing is.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import IO, Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import InterfaceError, OperationalError, transaction
from django.db.models.signals import post_delete
from django.utils import timezone

from inboxes.database import save_columns
from inboxes.models import Agent, Inbox
from messaging.attachments import storing
from messaging.attachments.naming import clean_name
from messaging.contacts.imports import columns, csv_files, failures, reading, writing
from messaging.contacts.imports.csv_files import Dialect, Unreadable
from messaging.models import ContactImport, ContactImportLine
from messaging.stream import jobs

log = logging.getLogger(__name__)

State = ContactImport.State

MOST_BYTES = 20 * 1024 * 1024
UNEXPECTED = "Something in this file can't be read. Your administrator finds more in the log."
TOO_BIG = "This file is larger than 20 MB. Split it, and import its parts one after the other."

# The states in which a job has something to do.
WORKING = frozenset({State.READING, State.IMPORTING, State.CANCELLING})
CHOOSING = frozenset({State.UPLOADED, State.READY})
OVER = frozenset({State.FINISHED, State.CANCELLED, State.FAILED})

AT_ONCE = 300  # lines that a request reads or imports itself; a job does more
WAIT = 2.0  # seconds: a file may have more lines than its first ones let expect
MOST_BEGUN = 5  # imports that an agent has not started yet
ROUND = 10.0  # seconds after which a job gives others their turn, and goes on behind them

KEEP_LINES_FOR = timedelta(days=30)
KEEP_FOR = timedelta(days=365)  # without lines: how the columns were chosen


class NotNow(Exception):
    """Raised where the import has gone on meanwhile, so that this can't be done any more."""


class NotYet(Exception):
    """Raised where another import into the inbox has to end first."""


def begin(*, agent: Agent, inbox: Inbox, upload: UploadedFile[Any]) -> ContactImport:
    """Take a file in, and guess how it is written and what its columns hold. Raises Unreadable."""
    if upload.size is not None and upload.size > MOST_BYTES:
        raise Unreadable(TOO_BIG)
    file: IO[bytes] = upload.file  # type: ignore[assignment]  # an upload is read as bytes
    facts = csv_files.look_at(file)
    separator = csv_files.guess_separator(file, facts.encoding)
    one = ContactImport(
        inbox=inbox,
        agent=agent,
        file_name=clean_name(upload.name or "") or "contacts.csv",
        size=facts.size,
        sha256=facts.sha256,
        region=settings.DEFAULT_REGION,
    )
    dialect = Dialect(facts.encoding, separator)
    _describe_file(one, file, dialect, has_header=None)
    file.seek(0)
    one.stored_name = storing.store_stream(file)
    try:
        one.save()
    except BaseException:
        storing.delete_stored([one.stored_name])
        raise
    _cancel_forgotten(agent)
    return one


def _cancel_forgotten(agent: Agent) -> None:
    """Cancel the oldest imports that the agent began and left: their files are large."""
    begun = ContactImport.objects.filter(agent=agent, state__in=CHOOSING).order_by("-pk")
    for one in begun[MOST_BEGUN:]:
        with contextlib.suppress(NotNow):
            cancel(one=one)


def _describe_file(
    one: ContactImport, file: IO[bytes], dialect: Dialect, *, has_header: bool | None
) -> None:
    """Set what is known of the file; `has_header` is None where it has to be guessed."""
    head = csv_files.read_head(file, dialect, 20)
    first = next((row for row in head if not row.problem), None)
    if first is None:
        raise Unreadable("No line of this file can be read. Choose another separator.")
    if has_header is None:
        has_header = not any(columns.looks_like_number(cell) for cell in first.cells)
    width = max(len(row.cells) for row in head)
    one.encoding, one.separator, one.has_header = dialect.encoding, dialect.separator, has_header
    names = columns.clean_headers(first.cells)
    one.headers = names if has_header else columns.number_columns(width)
    remembered = columns.remembered_mapping(one.agent, one.headers) if has_header else None
    one.mapping = remembered or columns.guess_mapping(one.headers, head[int(has_header) :])


@transaction.atomic
def describe_again(*, one: ContactImport, dialect: Dialect) -> ContactImport:
    """Read the first lines in another way than guessed. Raises Unreadable, NotNow."""
    locked = _lock(one, CHOOSING)
    with _open(locked) as file:
        _describe_file(locked, file, dialect, has_header=dialect.has_header)
    _forget_lines(locked)
    locked.state = State.UPLOADED
    locked.save()
    return locked


def read_samples(one: ContactImport, count: int) -> list[list[str]]:
    """Return the first lines below the names of the columns. Raises Unreadable."""
    dialect = Dialect(one.encoding, one.separator, one.has_header)
    with _open(one) as file:
        rows = csv_files.read_head(file, dialect, count + 1)
    return [row.cells for row in rows[int(one.has_header) :][:count]]


def estimate_lines(one: ContactImport) -> int:
    """Return about how many lines the file has, by its size and its first lines."""
    samples = read_samples(one, 20)
    length = sum(len(cell) + 1 for row in samples for cell in row) / max(len(samples), 1)
    return int(one.size / max(length, 1))


@transaction.atomic
def choose_columns(
    *, one: ContactImport, mapping: Mapping[str, int], region: str
) -> ContactImport:
    """Begin to read all lines, for the preview. Raises NotNow."""
    locked = _lock(one, CHOOSING)
    _forget_lines(locked)
    locked.mapping, locked.region = dict(mapping), region
    locked.state = State.READING
    locked.save()
    jobs.defer_import(locked.pk)
    return locked


@transaction.atomic
def start(*, one: ContactImport) -> ContactImport:
    """Begin to write what the preview showed. Raises NotNow, NotYet."""
    _wait_for_no_other(one)
    locked = _lock(one, {State.READY})
    if not locked.contact_count:
        raise NotNow
    locked.state, locked.done_count = State.IMPORTING, 0
    locked.save()
    jobs.defer_import(locked.pk)
    return locked


@transaction.atomic
def cancel(*, one: ContactImport) -> ContactImport:
    """Stop, and take back what was written. Raises NotNow once all is in."""
    locked = _lock(one, {*CHOOSING, *WORKING})
    if locked.state in CHOOSING:  # nothing was written
        locked.state, locked.finished_at = State.CANCELLED, timezone.now()
        _forget_file(locked)
        locked.save()
        return locked
    locked.state, locked.failures = State.CANCELLING, 0
    locked.save()
    jobs.defer_import(locked.pk)
    return locked


def _wait_for_no_other(one: ContactImport) -> None:
    """Raise NotYet while another import writes into the inbox: it may be taken back.

    Two that start at once lock the rows in one order, so that the second sees the first.
    """
    rows = ContactImport.objects.select_for_update(of=("self",)).filter(inbox=one.inbox_id)
    states = [State.READY, State.IMPORTING, State.CANCELLING]
    locked = list(rows.filter(state__in=states).order_by("pk"))
    if any(other.state != State.READY and other.pk != one.pk for other in locked):
        raise NotYet


def _lock(one: ContactImport, states: frozenset[State] | set[State]) -> ContactImport:
    rows = ContactImport.objects.select_for_update(of=("self",)).select_related("agent", "inbox")
    locked = rows.filter(pk=one.pk, state__in=states).first()
    if locked is None:
        raise NotNow
    return locked


def _forget_lines(one: ContactImport) -> None:
    """Delete what was read, to read it again; the caller saves."""
    ContactImportLine.objects.filter(contact_import=one)._raw_delete(ContactImportLine.objects.db)
    one.line_count = one.done_count = one.contact_count = 0
    one.new_count = one.merged_count = one.same_count = one.opt_out_count = one.error_count = 0


def _open(one: ContactImport) -> Any:
    try:
        return default_storage.open(one.stored_name).file
    except FileNotFoundError as error:
        raise Unreadable(reading.GONE) from error


def go_on_here(one: ContactImport, *, line_count: int) -> ContactImport:
    """Do at once what is little; its job does what takes longer than somebody should wait, and
    tries again what went wrong."""
    if line_count <= AT_ONCE:
        try:
            go_on(one.pk, seconds=WAIT)
        except Exception as error:  # noqa: BLE001  whatever it is, the job tries again
            failures.log_failure(one, error)
        one.refresh_from_db()
    return one


def go_on(import_id: int, *, seconds: float | None = None) -> bool:
    """Do what is left of the import's step, and of those that follow by themselves.

    Return False if time was up before the end.
    """
    until = None if seconds is None else time.monotonic() + seconds
    while (one := _working(import_id)) is not None:
        for _ in _steps(one):
            if until is not None and time.monotonic() > until:
                return False
    return True


def _working(import_id: int) -> ContactImport | None:
    rows = ContactImport.objects.select_related("agent", "inbox")
    return rows.filter(pk=import_id, state__in=WORKING).first()


def _steps(one: ContactImport) -> Iterator[None]:
    """Do the batches of the import's state, and yield after each, until it has another state."""
    batches: dict[str, Callable[[ContactImport], Iterator[None]]] = {
        State.READING: reading.read_lines,
        State.IMPORTING: _write,
        State.CANCELLING: _take_back,
    }
    try:
        yield from batches[one.state](one)
    except Unreadable as error:
        _fail(one.pk, str(error))
    except Exception as error:
        is_passing = isinstance(error, (OperationalError, InterfaceError))
        if is_passing:
            raise
        if one.state != State.READING:
            failures.note_failure(one.pk, one.state)
            raise  # so that its job fails
        failures.log_failure(one, error)
        _fail(one.pk, UNEXPECTED)


def _write(one: ContactImport) -> Iterator[None]:
    last: int | None = 0
    while (last := writing.write_batch(one.pk, behind=last or 0)) is not None:
        yield
    _end(one.pk, State.IMPORTING, State.FINISHED)


def _take_back(one: ContactImport) -> Iterator[None]:
    last: int | None = None
    while (last := writing.take_batch_back(one.pk, before=last)) is not None:
        yield
    behind: int | None = 0
    while (behind := writing.follow_batch(one, behind=behind or 0)) is not None:
        yield
    _end(one.pk, State.CANCELLING, State.CANCELLED)


@transaction.atomic
def _end(import_id: int, state: State, then: State) -> None:
    rows = ContactImport.objects.select_for_update(of=("self",))
    one = rows.filter(pk=import_id, state=state).first()
    if one is None:
        return
    one.state, one.finished_at = then, timezone.now()
    if then == State.CANCELLED:
        _forget_file(one)
        if one.reason == failures.STOPPED:
            one.state = State.FAILED
    else:
        reading.count_outcomes(one)
    one.save()
    log.info(
        "Import %s of agent %s into inbox %s: %s, %s added, %s merged, %s left out.",
        one.pk, one.agent_id, one.inbox_id, one.state, one.new_count, one.merged_count,
        one.error_count,
    )  # fmt: skip


@transaction.atomic
def _fail(import_id: int, sentence: str) -> None:
    rows = ContactImport.objects.select_for_update(of=("self",))
    one = rows.filter(pk=import_id, state=State.READING).first()
    if one is not None:
        one.state, one.reason = State.FAILED, sentence
        one.finished_at = timezone.now()
        _forget_file(one)
        one.save()


def _forget_file(one: ContactImport) -> None:
    """Delete the lines and, once that is committed, the file; the caller saves."""
    ContactImportLine.objects.filter(contact_import=one)._raw_delete(ContactImportLine.objects.db)
    name, one.stored_name = one.stored_name, ""
    transaction.on_commit(lambda: storing.delete_stored([name]))


def connect_receivers() -> None:
    post_delete.connect(
        forget_file, sender=ContactImport, dispatch_uid="messaging.forget_import_file"
    )


def forget_file(*, instance: ContactImport, **_: Any) -> None:
    """Delete a file from the store after its row, whatever deleted that: also its inbox's end."""
    if name := instance.stored_name:
        transaction.on_commit(lambda: storing.delete_stored([name]))


def wake_forgotten_imports() -> None:
    """Queue a job for every import that nobody goes on with: its process may be gone."""
    working = ContactImport.objects.filter(state__in=WORKING).values_list("pk", flat=True)
    for import_id in jobs.imports_without_a_job(working):
        log.warning("Import %s had no job left and is woken.", import_id)
        jobs.defer_import(import_id)


def delete_old_imports() -> int:
    """Delete the files and lines of old imports; return of how many."""
    now = timezone.now()
    ContactImport.objects.filter(created_at__lt=now - KEEP_FOR, state__in=OVER).delete()
    old = ContactImport.objects.filter(created_at__lt=now - KEEP_LINES_FOR)
    keys = list(
        old.exclude(stored_name="").exclude(state__in=WORKING).values_list("pk", flat=True)
    )
    for key in keys:
        with transaction.atomic():
            one = old.select_for_update(of=("self",)).get(pk=key)
            if one.state in CHOOSING:
                one.state = State.CANCELLED
            _forget_file(one)
            save_columns(one, state=one.state, stored_name="")
    return len(keys)
