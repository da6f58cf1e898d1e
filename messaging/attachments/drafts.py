"""Files in a composer: the agent's own until they are sent or scheduled, deleted after a while if
they are neither."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from inboxes.models import Agent
from messaging.attachments.fetching import MAX_FILE_SIZE
from messaging.attachments.isolation import DecoderBusy
from messaging.attachments.naming import clean_name
from messaging.attachments.storing import (
    StoredFile,
    delete_stored,
    store_copy,
    store_file,
)
from messaging.carriers import results
from messaging.models import Attachment, Message, SavedReplyFile, ScheduledText
from threads.actions import change_state
from threads.models import Thread

MAX_FILES = 10
MOST_WITHOUT_A_THREAD = 50
KEPT_FOR = timedelta(days=7)  # How long an unsent file stays in a composer

BATCH = 200
BUSY = "Too many pictures are being added right now. Try again in a moment."
TOO_MANY = f"You can attach at most {MAX_FILES} files."
FILE_GONE = "A file of this reply is gone. Attach it again on the reply's page."


class FileRefused(Exception):
    """Raised when a file is not taken; the text is the sentence for the agent."""


def add_file(*, thread: Thread | None, agent: Agent, upload: UploadedFile[Any]) -> Attachment:
    """Put a file into the agent's composer in the thread, on all tabs.

    Without a thread it waits for a first text, in the form that names it. Raises FileRefused.
    """
    name = check_upload(upload)
    _make_room(thread, agent)
    stored = store_upload(upload)
    return _add_stored(thread, agent, [(name, stored)])[0]


def add_copies(
    *, thread: Thread | None, agent: Agent, originals: Sequence[SavedReplyFile | Attachment]
) -> list[Attachment]:
    """Put copies of stored files into the agent's composer, all of them or none.

    Each is an attachment with a file of its own. Raises FileRefused.
    """
    if not originals:
        return []
    _make_room(thread, agent, len(originals))
    stored: list[tuple[str, StoredFile]] = []
    try:
        for original in originals:
            copy = store_copy(original)
            stored.append((original.name, copy))
    except BaseException as error:
        _delete_files(stored)
        if isinstance(error, FileNotFoundError):
            raise FileRefused(FILE_GONE) from error
        raise
    return _add_stored(thread, agent, stored)


def check_upload(upload: UploadedFile[Any]) -> str:
    """Return the name of a file that may be stored. Raises FileRefused."""
    name = clean_name(upload.name or "")
    if not upload.size:
        raise FileRefused(f"{name or 'This file'} is empty.")
    if upload.size > MAX_FILE_SIZE:
        raise FileRefused(
            f"{name or 'This file'} is larger than {MAX_FILE_SIZE // (1024 * 1024)} MB."
        )
    return name


def store_upload(upload: UploadedFile[Any]) -> StoredFile:
    """Store the bytes of a checked file. Raises FileRefused."""
    try:
        return store_file(upload.read())
    except DecoderBusy as error:
        raise FileRefused(BUSY) from error


def _add_stored(
    thread: Thread | None, agent: Agent, stored: Sequence[tuple[str, StoredFile]]
) -> list[Attachment]:
    """Make attachments of stored files and their names; delete the files if that fails."""
    try:
        with transaction.atomic():
            attachments = [
                Attachment.objects.create(
                    thread=thread,
                    uploader=agent,
                    name=name,
                    state=Attachment.State.READY,
                    **file.columns,
                )
                for name, file in stored
            ]
            if thread is not None:
                change_state(thread=thread, agent=agent)
    except BaseException:
        _delete_files(stored)
        raise
    return attachments


def _delete_files(stored: Sequence[tuple[str, StoredFile]]) -> None:
    for _, file in stored:
        file.delete()


def _make_room(thread: Thread | None, agent: Agent, count: int = 1) -> None:
    """Raise FileRefused if the composer has no room for `count` more files.

    The forms of first texts are many, and may have been left: their oldest files give way.
    """
    drafted = Attachment.objects.drafted(thread, agent)
    if thread is None:
        _delete_attachments(list(drafted.order_by("-pk")[MOST_WITHOUT_A_THREAD - count :]))
    elif drafted.count() + count > MAX_FILES:
        raise FileRefused(TOO_MANY)


@transaction.atomic
def remove_file(*, attachment: Attachment) -> bool:
    """Take a file out of the composer; return False if it was sent or scheduled meanwhile."""
    found = Attachment.objects.unsent().select_for_update().filter(pk=attachment.pk)
    if _delete_attachments(list(found)) == 0:
        return False
    if attachment.uploader is not None and attachment.thread is not None:
        change_state(thread=attachment.thread, agent=attachment.uploader)
    return True


def delete_unsent() -> int:
    """Delete files that were left in composers for long; return how many."""
    old = Attachment.objects.unsent().filter(created_at__lt=timezone.now() - KEPT_FOR)
    count = 0
    while True:
        with transaction.atomic():
            batch = list(old.select_for_update(skip_locked=True).order_by("pk")[:BATCH])
            count += _delete_attachments(batch)
        if len(batch) < BATCH:
            return count


def _delete_attachments(attachments: Collection[Attachment]) -> int:
    """Delete rows, then their files: the other way round a row could be left without a file."""
    names = [name for one in attachments for name in (one.stored_name, one.thumbnail_name)]
    Attachment.objects.filter(pk__in=[one.pk for one in attachments]).delete()
    transaction.on_commit(lambda: delete_stored(names))
    return len(attachments)


def claim_files(thread: Thread | None, author: Agent, keys: Collection[int]) -> list[Attachment]:
    """Lock the files that a form names, so that no other message takes them.

    Raises FileRefused unless all of them are still in the author's composer.
    """
    if not keys:
        return []
    drafted = Attachment.objects.drafted(thread, author).filter(pk__in=keys)
    found = list(drafted.select_for_update())
    if len(found) != len(set(keys)):
        raise FileRefused("One of the files is gone. Check what's left, then send.")
    if len(found) > MAX_FILES:
        raise FileRefused(TOO_MANY)
    return found


def attach_files(files: Collection[Attachment], message: Message) -> None:
    """Give the files to the message that was made from their form or their scheduled text."""
    if files:
        Attachment.objects.filter(pk__in=[one.pk for one in files], message=None).update(
            thread=message.thread_id, message=message, scheduled_text=None
        )


def schedule_files(files: Collection[Attachment], text: ScheduledText) -> None:
    """Give the claimed files to a text that goes later."""
    if files:
        Attachment.objects.unsent().filter(pk__in=[one.pk for one in files]).update(
            thread=text.thread_id, scheduled_text=text
        )


def scheduled_files(text: ScheduledText) -> list[Attachment]:
    """Return the text's files, in order. The caller holds the inbox's counter."""
    return list(Attachment.objects.filter(scheduled_text=text).order_by("pk"))


def drop_scheduled_files(files: Collection[Attachment]) -> None:
    """Delete files that a scheduled text goes without. The caller holds the inbox's counter."""
    _delete_attachments(files)


def return_files(text: ScheduledText) -> None:
    """Put the files of a text that was taken back into the composer that they came from."""
    Attachment.objects.filter(scheduled_text=text).update(scheduled_text=None)


def carrier_objection(files: Collection[Attachment], capabilities: results.Capabilities) -> str:
    """Return why the carrier would refuse these files, or "". Pictures can be shrunk to fit."""
    if not files:
        return ""
    if not capabilities.media_count:
        return "Your carrier can't send files from this number. Remove them, or send a link."
    if len(files) > capabilities.media_count:
        most = f"{capabilities.media_count} file{'' if capabilities.media_count == 1 else 's'}"
        return f"Your carrier sends at most {most} in a text. Remove some."
    others = [one for one in files if not one.is_picture]
    for one in others:
        if one.content_type not in capabilities.media_types:
            return f"Your carrier can't send {one.name or 'this file'}. Remove it to send this."
    if sum(one.size for one in others) > capabilities.media_bytes:
        limit = capabilities.media_bytes / 1_000_000
        return f"Your carrier sends at most {limit:.2g} MB in a text. Choose a smaller file."
    return ""


def count_kinds(files: Collection[Attachment]) -> dict[str, int]:
    """Return the counts for the columns of the files' message."""
    pictures = sum(one.is_picture for one in files)
    return {"picture_count": pictures, "file_count": len(files) - pictures}
