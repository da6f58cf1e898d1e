"""Files of saved replies: stored when a reply is saved, deleted from the store with their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models.signals import post_delete

from messaging.attachments.drafts import (
    MAX_FILES,
    TOO_MANY,
    FileRefused,
    check_upload,
    store_upload,
)
from messaging.attachments.storing import StoredFile, delete_stored
from messaging.models import SavedReply, SavedReplyFile

NamedFile = tuple[str, StoredFile]


def store_uploads(uploads: Sequence[UploadedFile[Any]]) -> list[NamedFile]:
    """Store the files that come with a form, all of them or none. Raises FileRefused."""
    if len(uploads) > MAX_FILES:
        raise FileRefused(TOO_MANY)
    names = [check_upload(upload) for upload in uploads]
    stored: list[NamedFile] = []
    with deleted_on_failure(stored):
        for name, upload in zip(names, uploads, strict=True):
            stored.append((name, store_upload(upload)))  # kept if the next fails
    return stored


@contextmanager
def deleted_on_failure(stored: Sequence[NamedFile]) -> Iterator[None]:
    """Delete the files from the store if no row was made for them."""
    try:
        yield
    except BaseException:
        for _, file in stored:
            file.delete()
        raise


def add_files(reply: SavedReply, stored: Sequence[NamedFile]) -> None:
    """Give stored files to the reply. The caller holds its row. Raises FileRefused."""
    if reply.files.count() + len(stored) > MAX_FILES:
        raise FileRefused(TOO_MANY)
    for name, file in stored:
        SavedReplyFile.objects.create(reply=reply, name=name, **file.columns)


def connect_receivers() -> None:
    post_delete.connect(
        forget_file, sender=SavedReplyFile, dispatch_uid="messaging.forget_reply_file"
    )


def forget_file(*, instance: SavedReplyFile, **_: Any) -> None:
    """Delete a file from the store after its row, whatever deleted that: also its inbox's end."""
    names = [instance.stored_name, instance.thumbnail_name]
    transaction.on_commit(lambda: delete_stored(names))
