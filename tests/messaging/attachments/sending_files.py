"""Add files to a composer and send them; a carrier that fetches their links."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from messaging.carriers import results
from messaging.carriers.twilio import Twilio
from messaging.models import Attachment
from threads.models import Thread

HTMX = {"HX-Request": "true"}
PDF = b"%PDF-1.4 some pages"


def upload_file(client: Client, thread: Thread, data: bytes, name: str = "a.jpg") -> Any:
    upload = SimpleUploadedFile(name, data, content_type="image/svg+xml")
    return client.post(f"/threads/{thread.pk}/attachments/", {"file": upload})


def upload_files(client: Client, thread: Thread, *files: bytes) -> list[Attachment]:
    for number, data in enumerate(files):
        assert upload_file(client, thread, data, f"file-{number}").status_code == 201
    return list(Attachment.objects.filter(thread=thread, message=None).order_by("pk"))


def send_message(
    client: Client, thread: Thread, files: Iterable[Attachment] = (), **more: Any
) -> Any:
    fields = {"body": "", "form_key": uuid.uuid4(), "attachment": [one.pk for one in files]}
    return client.post(f"/threads/{thread.pk}/messages/", fields | more, headers=HTMX)


def stored_names() -> set[str]:
    folders, _ = default_storage.listdir("")
    return {f"{one}/{name}" for one in folders for name in default_storage.listdir(one)[1]}


class RecordingCarrier:
    """Record what the carrier is given, and fetch its media links as carriers do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **capabilities: Any) -> None:
        self.texts: list[results.Outgoing] = []
        self.files: list[Any] = []
        can: dict[str, Any] = {
            "longest_text": 1600,
            "media_count": 10,
            "media_bytes": 5_000_000,
            "media_types": frozenset({"image/jpeg", "image/png", "image/gif"}),
        }
        monkeypatch.setattr(Twilio, "capabilities", results.Capabilities(**can | capabilities))
        monkeypatch.setattr(Twilio, "send", lambda _, outgoing, *__: self.take(outgoing))

    def take(self, outgoing: results.Outgoing) -> results.Accepted:
        self.texts.append(outgoing)
        self.files += [Client().get(urlsplit(url).path) for url in outgoing.media_urls]
        return results.Accepted(f"SM{len(self.texts)}")


@pytest.fixture
def recording_carrier(monkeypatch: pytest.MonkeyPatch) -> RecordingCarrier:
    return RecordingCarrier(monkeypatch)
