"""Store bytes in Django's storage, under random names."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from messaging.attachments.isolation import read_picture
from messaging.attachments.pictures import NotAPicture
from messaging.attachments.sniffing import sniff_type
from messaging.models import Attachment, SavedReplyFile


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Hold the columns of an attachment whose file was stored."""

    kind: str
    content_type: str
    size: int
    sha256: str
    stored_name: str
    thumbnail_name: str = ""
    width: int | None = None
    height: int | None = None
    is_animated: bool = False

    @property
    def columns(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}

    def delete(self) -> None:
        delete_stored([self.stored_name, self.thumbnail_name])


def store_file(data: bytes) -> StoredFile:
    """Store a picture encoded again, or any other file unchanged."""
    digest = hashlib.sha256(data).hexdigest()
    try:
        picture = read_picture(data)
    except NotAPicture:
        kind = Attachment.Kind.FILE.value
        return StoredFile(kind, sniff_type(data), len(data), digest, store_bytes(data))
    return StoredFile(
        kind=Attachment.Kind.PICTURE.value,
        content_type=picture.content_type,
        size=len(picture.data),
        sha256=digest,
        stored_name=store_bytes(picture.data),
        thumbnail_name=store_bytes(picture.thumbnail),
        width=picture.width,
        height=picture.height,
        is_animated=picture.is_animated,
    )


def store_copy(original: SavedReplyFile | Attachment) -> StoredFile:
    """Store the row's file once more. Raises what `load_bytes` raises."""
    data = load_bytes(original.stored_name)
    thumbnail = load_bytes(original.thumbnail_name) if original.thumbnail_name else b""
    return StoredFile(
        kind=original.kind,
        content_type=original.content_type,
        size=original.size,
        sha256=original.sha256,
        stored_name=store_bytes(data),
        thumbnail_name=store_bytes(thumbnail) if thumbnail else "",
        width=original.width,
        height=original.height,
        is_animated=original.is_animated,
    )


def store_bytes(data: bytes) -> str:
    """Return the name under which the bytes are found."""
    name = uuid.uuid4().hex
    return default_storage.save(f"{name[:2]}/{name}", ContentFile(data))


def store_stream(file: IO[bytes]) -> str:
    """Return the name under which the rest of the file is found; it is never whole in memory."""
    name = uuid.uuid4().hex
    return default_storage.save(f"{name[:2]}/{name}", File(file))


def load_bytes(name: str) -> bytes:
    """Raise FileNotFoundError, or what the storage raises while it is away."""
    with default_storage.open(name) as file:
        data: bytes = file.read()
    return data


def delete_stored(names: Iterable[str]) -> None:
    for name in names:
        if name:
            default_storage.delete(name)
