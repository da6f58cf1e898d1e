"""Files are for members, for carriers while a link is valid, and never run."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.core.files.storage import InMemoryStorage, default_storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import Error, connection, transaction
from django.test import Client
from django.utils import timezone

from inboxes.actions import remove_member
from messaging.attachments import drafts, links
from messaging.attachments.naming import clean_name
from messaging.models import Attachment, Message, PublicLink
from messaging.outbound import delivery
from messaging.tasks import forget_unsent_files
from tests.cast import ANAS_LINE, Cast, client_of
from tests.messaging.attachments.picture_bytes import (
    HTML,
    SVG,
    make_photo_with_location,
    make_picture,
)
from tests.messaging.attachments.sending_files import (
    HTMX,
    PDF,
    RecordingCarrier,
    recording_carrier,
    send_message,
    stored_names,
    upload_files,
)

__all__ = ["recording_carrier"]


def sent_link(cast: Cast) -> tuple[str, PublicLink]:
    thread, client = cast.thread(), client_of(cast.ana)
    send_message(client, thread, upload_files(client, thread, make_picture()))
    delivery.deliver_thread(thread.pk)
    link = PublicLink.objects.get()
    return urlsplit(links.public_url(link)).path, link


def test_a_public_link_needs_no_cookie_and_gives_none(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    path, _ = sent_link(cast)
    answer = Client().get(path)
    assert answer.status_code == 200
    assert not answer.cookies
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert Client().head(path).status_code == 200
    assert Client().post(path).status_code == 405


def test_a_public_link_expires_and_cannot_be_forged(
    cast: Cast, recording_carrier: RecordingCarrier, time_machine: Any
) -> None:
    path, link = sent_link(cast)
    token, name = path.split("/")[2:]
    key = [link.token.hex, link.attachment_id, link.attempt_id]
    forged = [
        token[:-2] + "AA",
        str(link.token),
        signing.dumps(key),
        *(
            signing.dumps(made_up, salt=links.SALT)
            for made_up in (
                [uuid.uuid4().hex, *key[1:]],
                [key[0], link.attachment_id + 1, link.attempt_id],
                [key[0], link.attachment_id, link.attempt_id + 1],
                "x",
                [1],
            )
        ),
    ]
    for one in forged:
        assert Client().get(f"/media/{one}/{name}").status_code == 404
    assert Client().get(path).status_code == 200
    PublicLink.objects.update(expires_at=timezone.now())
    assert Client().get(path).status_code == 404
    PublicLink.objects.update(expires_at=timezone.now() + timedelta(days=90))
    time_machine.move_to(timezone.now() + links.VALID_FOR + timedelta(minutes=1))
    assert Client().get(path).status_code == 404


def test_a_file_made_for_a_link_is_deleted_with_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    RecordingCarrier(monkeypatch, media_types=frozenset({"image/jpeg"}))
    thread, client = cast.thread(), client_of(cast.ana)
    send_message(client, thread, upload_files(client, thread, make_picture("PNG")))
    delivery.deliver_thread(thread.pk)
    assert len(stored_names()) == 3
    PublicLink.objects.update(expires_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        forget_unsent_files(timestamp=0)
    attachment = Attachment.objects.get()
    assert stored_names() == {attachment.stored_name, attachment.thumbnail_name}
    assert client.get(f"/attachments/{attachment.pk}/").status_code == 200


SQL = [
    """INSERT INTO messaging_publiclink (token, attachment_id, attempt_id, stored_name,
       content_type, expires_at) SELECT gen_random_uuid(), {internal}, id, '', 'x', now()
       FROM messaging_attempt LIMIT 1""",
    "UPDATE messaging_publiclink SET attachment_id = {internal}",
    """UPDATE messaging_attachment SET message_id = (SELECT message_id FROM messaging_attachment
       WHERE id = {internal}) WHERE id = {outbound}""",
    """UPDATE messaging_attachment SET message_id = (SELECT message_id FROM messaging_attachment
       WHERE id = {outbound}) WHERE id = {internal}""",
    "UPDATE messaging_attachment SET message_id = NULL WHERE id = {internal}",
    """UPDATE messaging_attachment SET stored_name = (SELECT stored_name FROM messaging_attachment
       WHERE id = {internal}) WHERE id = {outbound}""",
    "UPDATE messaging_message SET kind = 'outbound', state = 'queued' WHERE kind = 'internal'",
]


@pytest.mark.parametrize("statement", SQL)
def test_the_database_refuses_a_public_link_for_an_internal_file(
    cast: Cast, recording_carrier: RecordingCarrier, statement: str
) -> None:
    _, link = sent_link(cast)
    client = client_of(cast.ana)
    thread = link.attachment.thread
    assert thread is not None
    [secret] = upload_files(client, thread, PDF)
    send_message(client, thread, [secret], is_internal="true")
    sql = statement.format(internal=secret.pk, outbound=link.attachment_id)
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_internal_files_reach_no_carrier_and_have_no_public_address(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    [first] = upload_files(client, thread, make_photo_with_location())
    send_message(client, thread, [first], is_internal="true")
    [second] = upload_files(client, thread, PDF)
    send_message(client, thread, [second], body="@ben look")
    assert [message.kind for message in Message.objects.order_by("pk")][1:] == ["internal"] * 2
    for message in Message.objects.filter(kind="internal"):
        client.post(f"/messages/{message.pk}/retry/", headers=HTMX)
    delivery.deliver_thread(thread.pk)
    assert (recording_carrier.texts, PublicLink.objects.count()) == ([], 0)
    assert client_of(cast.ben).get(f"/attachments/{first.pk}/").status_code == 200
    page = client_of(cast.ben).get(f"/threads/{thread.pk}/").content.decode()
    assert f"/attachments/{second.pk}/" in page


def test_membership_is_checked_at_each_download(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    thread, ana = cast.thread(), client_of(cast.ana)
    [file] = upload_files(ana, thread, make_picture())
    path = f"/attachments/{file.pk}/"
    # Not sent yet: the uploader's alone.
    assert ana.get(path).status_code == 200
    assert client_of(cast.ben).get(path).status_code == 404
    send_message(ana, thread, [file])
    ben = client_of(cast.ben)
    assert ben.get(path).status_code == 200
    remove_member(inbox=cast.front_desk, agent=cast.ben, changed_by=cast.admin)
    missing = ben.get("/attachments/999999/")
    for one in (ben, client_of(cast.dov), client_of(cast.admin)):
        for address in (path, f"{path}thumbnail/"):
            answer = one.get(address)
            assert (answer.status_code, answer.content) == (404, missing.content)
    assert Client().get(path).status_code == 302


HOSTILE = [
    ("page.html", HTML),
    ("drawing.svg", SVG),
    ("photo.jpg", b"\xff\xd8\xff\xe0" + HTML),
    ("photo.png", b"\x89PNG\r\n\x1a\n" + HTML),
    ("both.gif", b"GIF89a/*" + HTML + b"*/=1;alert(1)"),
    ('"; filename="evil.html', HTML),
    ("line\r\nSet-Cookie: a=b", HTML),
    ("in\u202elmth.exe", HTML),
    ("<img src=x onerror=alert(1)>.txt", HTML),
    ("script.js", b"alert(1)"),
]


@pytest.mark.parametrize(("name", "data"), HOSTILE)
def test_a_hostile_file_is_only_ever_saved(cast: Cast, name: str, data: bytes) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    file = drafts.add_file(thread=thread, agent=cast.ana, upload=SimpleUploadedFile("x", data))
    Attachment.objects.update(name=clean_name(name))
    send_message(client, thread, [file], is_internal="true")
    answer = client.get(f"/attachments/{file.pk}/")
    assert answer.content == data
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"
    assert not answer.cookies
    page = client.get(f"/threads/{thread.pk}/").content.decode()
    assert "<img src=x" not in page
    assert "onload=alert" not in page


def test_files_are_stored_under_random_names(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    upload_files(client, thread, PDF, make_picture())
    for name in stored_names():
        assert re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{32}", name)
    paths = [default_storage.path(name) for name in stored_names()]
    assert all(oct(Path(path).stat().st_mode)[-3:] == "600" for path in paths)


def test_a_storage_without_paths_works(
    cast: Cast, recording_carrier: RecordingCarrier, settings: Any
) -> None:
    """Use a storage without paths and folders, like a bucket."""
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = settings.STORAGES | {"default": memory}
    path, link = sent_link(cast)
    assert isinstance(storages["default"], InMemoryStorage)
    assert list(settings.MEDIA_ROOT.iterdir()) == []
    assert Client().get(path).status_code == 200
    assert client_of(cast.ana).get(f"/attachments/{link.attachment_id}/").status_code == 200


def test_a_personal_line_sends_pictures_too(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    thread, client = cast.thread(to=ANAS_LINE), client_of(cast.ana)
    files = upload_files(client, thread, make_picture())
    assert send_message(client, thread, files).status_code == 200
    assert client_of(cast.ben).get(f"/attachments/{files[0].pk}/").status_code == 404
    delivery.deliver_thread(thread.pk)
    assert len(recording_carrier.files) == 1


def test_a_draft_file_is_in_nobody_elses_composer(cast: Cast) -> None:
    thread = cast.thread()
    upload_files(client_of(cast.ana), thread, make_picture())
    for client in (client_of(cast.ben), client_of(cast.cho)):
        assert 'name="attachment"' not in client.get(f"/threads/{thread.pk}/").content.decode()
        listed = client.get(f"/threads/{thread.pk}/attachments/").content.decode()
        assert 'name="attachment"' not in listed
    mine = client_of(cast.ana).get(f"/threads/{thread.pk}/attachments/").content.decode()
    assert mine.count('name="attachment"') == 1
