"""Files from a composer: put there, sent, lent to the carrier for a while, and to members only."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Iterable
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
from messaging import delivery
from messaging.carriers.base import Accepted, Capabilities, Outgoing
from messaging.carriers.twilio import Twilio
from messaging.media import drafts, links
from messaging.media.fetching import LARGEST
from messaging.media.naming import shown_name
from messaging.models import Attachment, Message, PublicLink
from messaging.tasks import forget_unsent_files
from tests.cast import ANAS_LINE, Cast, client_of
from tests.messaging.pictures import (
    HTML,
    SVG,
    moving,
    noise,
    open_picture,
    photo_with_a_place,
    picture,
)
from threads.models import Thread

HTMX = {"HX-Request": "true"}
PDF = b"%PDF-1.4 some pages"


def put(client: Client, thread: Thread, data: bytes, name: str = "a.jpg") -> Any:
    upload = SimpleUploadedFile(name, data, content_type="image/svg+xml")
    return client.post(f"/threads/{thread.pk}/attachments/", {"file": upload})


def attached(client: Client, thread: Thread, *files: bytes) -> list[Attachment]:
    for number, data in enumerate(files):
        assert put(client, thread, data, f"file-{number}").status_code == 201
    return list(Attachment.objects.filter(thread=thread, message=None).order_by("pk"))


def send(client: Client, thread: Thread, files: Iterable[Attachment] = (), **more: Any) -> Any:
    fields = {"body": "", "form_key": uuid.uuid4(), "attachment": [one.pk for one in files]}
    return client.post(f"/threads/{thread.pk}/messages/", fields | more, headers=HTMX)


def stored_names() -> set[str]:
    folders, _ = default_storage.listdir("")
    return {f"{one}/{name}" for one in folders for name in default_storage.listdir(one)[1]}


class Taken:
    """What the carrier was given; it fetches what it was told of, as carriers do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **capabilities: Any) -> None:
        self.texts: list[Outgoing] = []
        self.files: list[Any] = []
        can: dict[str, Any] = {
            "longest_text": 1600,
            "media_count": 10,
            "media_bytes": 5_000_000,
            "media_types": frozenset({"image/jpeg", "image/png", "image/gif"}),
        }
        monkeypatch.setattr(Twilio, "capabilities", Capabilities(**can | capabilities))
        monkeypatch.setattr(Twilio, "send", lambda _, outgoing, *__: self.take(outgoing))

    def take(self, outgoing: Outgoing) -> Accepted:
        self.texts.append(outgoing)
        self.files += [Client().get(urlsplit(url).path) for url in outgoing.media_urls]
        return Accepted(f"SM{len(self.texts)}")


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    return Taken(monkeypatch)


def test_a_picture_goes_into_the_composer_and_out_with_the_text(cast: Cast, taken: Taken) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    answer = put(client, thread, photo_with_a_place(), "IMG_1.jpg")
    assert answer.status_code == 201
    [attachment] = Attachment.objects.all()
    assert f'name="attachment" value="{attachment.pk}"' in answer.content.decode()
    page = client.get(f"/threads/{thread.pk}/").content.decode()
    assert f'name="attachment" value="{attachment.pk}"' in page
    assert send(client, thread, [attachment], body="Look").status_code == 200
    message = Message.objects.get(kind="outbound")
    assert (message.body, message.picture_count, message.file_count) == ("Look", 1, 0)
    delivery.deliver_thread(thread.pk)
    [file] = taken.files
    assert (file.status_code, file["Content-Type"]) == (200, "image/jpeg")
    assert not open_picture(file.content).getexif()
    assert b"Canary" not in file.content
    page = client.get(f"/threads/{thread.pk}/").content.decode()
    assert f'src="/attachments/{attachment.pk}/thumbnail/"' in page
    assert f'name="attachment" value="{attachment.pk}"' not in page


def test_pictures_go_without_words_and_nothing_goes_without_either(
    cast: Cast, taken: Taken
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    files = attached(client, thread, picture(), picture("PNG"))
    answer = send(client, thread)
    assert answer.status_code == 422
    assert "Write something first." in answer.content.decode()
    assert answer.content.decode().count('name="attachment"') == 2
    assert send(client, thread, files, body=" \n ").status_code == 200
    thread.refresh_from_db()
    assert (Message.objects.get(kind="outbound").body, thread.last_excerpt) == ("", "2 pictures")
    delivery.deliver_thread(thread.pk)
    assert [len(text.media_urls) for text in taken.texts] == [2]


def test_the_same_form_twice_makes_one_message_with_its_files(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    files, key = attached(client, thread, picture()), uuid.uuid4()
    answers = [send(client, thread, files, form_key=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert Message.objects.filter(kind="outbound").count() == 1
    assert Attachment.objects.get().message == Message.objects.get(kind="outbound")


def test_a_file_that_another_form_took_is_not_sent_again(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    files = attached(client, thread, picture())
    assert send(client, thread, files).status_code == 200
    answer = send(client, thread, files, body="Words stay")
    assert answer.status_code == 422
    page = html.unescape(answer.content.decode())
    assert "A file of this message is no longer here." in page
    assert "Words stay" in page
    assert Message.objects.filter(kind="outbound").count() == 1


def test_files_of_others_and_of_other_threads_are_not_taken(cast: Cast) -> None:
    thread, other = cast.thread(), cast.thread(sender="+12025550188")
    mine = attached(client_of(cast.ana), other, picture())
    bens = attached(client_of(cast.ben), thread, picture())
    for files in (mine, bens):
        assert send(client_of(cast.ana), thread, files).status_code == 422
    assert not Attachment.objects.exclude(message=None).exists()
    for nonsense in ("x", "-1", str(2**70), ["1"] * 200):
        answer = send(client_of(cast.ana), thread, body="Words", attachment=nonsense)
        assert answer.status_code == 422


def test_without_scripts_files_come_with_the_form_and_outlive_its_refusal(cast: Cast) -> None:
    thread, client, key = cast.thread(), client_of(cast.ana), uuid.uuid4()
    path = f"/threads/{thread.pk}/messages/"

    def form(**more: Any) -> dict[str, Any]:
        files = [SimpleUploadedFile(f"{n}.jpg", picture()) for n in range(2)]
        return {"body": "x" * 2000, "form_key": key, "files": files} | more

    answer = client.post(path, form())
    assert answer.status_code == 422
    kept = re.findall(r'name="attachment" value="(\d+)"', answer.content.decode())
    assert len(kept) == 2
    assert 'enctype="multipart/form-data"' in answer.content.decode()
    for _ in range(2):
        sent = client.post(path, form(body="Short", attachment=kept))
        assert sent.status_code == 302
    assert Message.objects.get(kind="outbound").attachments.count() == 4
    assert not Attachment.objects.filter(message=None).exists()


def test_without_scripts_a_file_is_taken_out_and_the_words_stay(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    [file] = attached(client, thread, picture())
    fields = {"body": "Half a", "form_key": uuid.uuid4(), "is_internal": "true"}
    answer = client.post(f"/attachments/{file.pk}/remove/", fields)
    assert answer.status_code == 302
    page = client.get(f"/threads/{thread.pk}/").content.decode()
    assert "Half a</textarea>" in page
    assert 'name="attachment"' not in page


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"", "is empty"), (b"x" * (LARGEST + 1), "larger than 20 MB")],
)
def test_a_file_that_is_not_taken_says_why(cast: Cast, data: bytes, sentence: str) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    answer = put(client, thread, data)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert client.post(f"/threads/{thread.pk}/attachments/").status_code == 422
    assert not Attachment.objects.exists()


def test_a_composer_holds_ten_files(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MOST_FILES", 2)
    thread, client = cast.thread(), client_of(cast.ana)
    attached(client, thread, picture(), picture())
    assert put(client, thread, picture()).status_code == 422
    assert put(client_of(cast.ben), thread, picture()).status_code == 201


def test_a_file_can_be_taken_out_until_it_was_sent(
    cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    first, second = attached(client, thread, picture(), PDF)
    assert len(stored_names()) == 3
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"/attachments/{first.pk}/remove/").status_code == 204
    assert len(stored_names()) == 1
    send(client, thread, [second], is_internal="true")
    for one in (first, second):
        assert client.post(f"/attachments/{one.pk}/remove/").status_code == 404
    assert Attachment.objects.get() == second
    assert client_of(cast.ben).post(f"/attachments/{second.pk}/remove/").status_code == 404


def test_what_was_never_sent_goes_by_itself(
    cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    old, new, sent = attached(client, thread, picture(), picture(), PDF)
    send(client, thread, [sent], is_internal="true")
    longer = timezone.now() - drafts.KEPT_FOR - timedelta(hours=1)
    Attachment.objects.filter(pk__in=[old.pk, sent.pk]).update(created_at=longer)
    with django_capture_on_commit_callbacks(execute=True):
        forget_unsent_files(timestamp=0)
    assert set(Attachment.objects.all()) == {new, sent}
    assert stored_names() == {new.stored_name, new.thumbnail_name, sent.stored_name}


def test_the_carriers_limits_are_told_before_anything_goes(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    files = attached(client, thread, picture(), picture(), PDF)
    Taken(monkeypatch, media_count=0)
    assert "takes words only" in html.unescape(send(client, thread, files).content.decode())
    Taken(monkeypatch, media_count=1)
    assert "at most 1 files" in html.unescape(send(client, thread, files).content.decode())
    Taken(monkeypatch)
    assert "does not take file-2" in html.unescape(send(client, thread, files).content.decode())
    Taken(monkeypatch, media_types=frozenset({"application/pdf"}), media_bytes=10)
    assert "Take a smaller file" in html.unescape(send(client, thread, files).content.decode())
    assert not Message.objects.filter(kind="outbound").exists()
    # The team takes them all.
    assert send(client, thread, files, is_internal="true").status_code == 200


def test_pictures_share_the_carriers_limit_and_each_is_made_to_fit(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Taken(monkeypatch, media_bytes=400_000, media_types=frozenset({"image/jpeg"}))
    thread, client = cast.thread(), client_of(cast.ana)
    files = attached(client, thread, noise((700, 500)), noise((500, 700), seed=9), moving())
    send(client, thread, files)
    delivery.deliver_thread(thread.pk)
    assert [file["Content-Type"] for file in taken.files] == ["image/jpeg"] * 3
    sizes = [len(file.content) for file in taken.files]
    assert sum(sizes) <= 400_000
    assert max(sizes) > 30_000
    # Ours stay as they were.
    assert files[0].size > 400_000
    assert len(stored_names()) == 3 * 2 + 3


def test_a_small_animation_goes_as_it_moves(cast: Cast, taken: Taken) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    send(client, thread, attached(client, thread, moving()))
    delivery.deliver_thread(thread.pk)
    assert taken.files[0]["Content-Type"] == "image/gif"
    assert open_picture(taken.files[0].content).n_frames == 3  # type: ignore[attr-defined]


def test_a_picture_that_cannot_be_made_to_fit_fails_with_a_reason_and_nothing_is_sent(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Taken(monkeypatch, media_bytes=200)
    thread, client = cast.thread(), client_of(cast.ana)
    send(client, thread, attached(client, thread, noise((200, 200))))
    delivery.deliver_thread(thread.pk)
    message = Message.objects.get(kind="outbound")
    assert message.state == "failed"
    assert "did not take the picture" in message.reason
    assert (taken.texts, PublicLink.objects.count()) == ([], 0)


def test_while_the_storage_is_away_the_text_waits(
    cast: Cast, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    files = attached(client, thread, noise((900, 900)))
    Taken(monkeypatch, media_bytes=100_000)
    send(client, thread, files)

    def away(*args: object) -> None:
        raise ConnectionError("no bucket")

    with monkeypatch.context() as patch:
        patch.setattr(links, "get", away)
        delivery.deliver_thread(thread.pk)
    message = Message.objects.get(kind="outbound")
    assert (message.state, message.tries) == ("queued", 1)
    assert taken.texts == []


def sent_link(cast: Cast) -> tuple[str, PublicLink]:
    thread, client = cast.thread(), client_of(cast.ana)
    send(client, thread, attached(client, thread, picture()))
    delivery.deliver_thread(thread.pk)
    link = PublicLink.objects.get()
    return urlsplit(links.url_of(link)).path, link


def test_a_public_link_needs_no_cookie_and_gives_none(cast: Cast, taken: Taken) -> None:
    path, _ = sent_link(cast)
    answer = Client().get(path)
    assert answer.status_code == 200
    assert not answer.cookies
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert Client().head(path).status_code == 200
    assert Client().post(path).status_code == 405


def test_a_public_link_ends_and_cannot_be_made_up(
    cast: Cast, taken: Taken, time_machine: Any
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
    time_machine.move_to(timezone.now() + links.GOOD_FOR + timedelta(minutes=1))
    assert Client().get(path).status_code == 404


def test_what_was_made_for_a_link_goes_with_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    Taken(monkeypatch, media_types=frozenset({"image/jpeg"}))
    thread, client = cast.thread(), client_of(cast.ana)
    send(client, thread, attached(client, thread, picture("PNG")))
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
    cast: Cast, taken: Taken, statement: str
) -> None:
    _, link = sent_link(cast)
    client = client_of(cast.ana)
    thread = link.attachment.thread
    [secret] = attached(client, thread, PDF)
    send(client, thread, [secret], is_internal="true")
    sql = statement.format(internal=secret.pk, outbound=link.attachment_id)
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_internal_files_reach_no_carrier_and_have_no_public_address(
    cast: Cast, taken: Taken
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    [first] = attached(client, thread, photo_with_a_place())
    send(client, thread, [first], is_internal="true")
    [second] = attached(client, thread, PDF)
    send(client, thread, [second], body="@ben look")
    assert [message.kind for message in Message.objects.order_by("pk")][1:] == ["internal"] * 2
    for message in Message.objects.filter(kind="internal"):
        client.post(f"/messages/{message.pk}/retry/", headers=HTMX)
    delivery.deliver_thread(thread.pk)
    assert (taken.texts, PublicLink.objects.count()) == ([], 0)
    assert client_of(cast.ben).get(f"/attachments/{first.pk}/").status_code == 200
    page = client_of(cast.ben).get(f"/threads/{thread.pk}/").content.decode()
    assert f"/attachments/{second.pk}/" in page


def test_membership_is_asked_at_each_download(cast: Cast, taken: Taken) -> None:
    thread, ana = cast.thread(), client_of(cast.ana)
    [file] = attached(ana, thread, picture())
    path = f"/attachments/{file.pk}/"
    # Not sent yet: the uploader's alone.
    assert ana.get(path).status_code == 200
    assert client_of(cast.ben).get(path).status_code == 404
    send(ana, thread, [file])
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
    Attachment.objects.update(name=shown_name(name))
    send(client, thread, [file], is_internal="true")
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


def test_files_lie_under_names_that_nobody_chose(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    attached(client, thread, PDF, picture())
    for name in stored_names():
        assert re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{32}", name)
    paths = [default_storage.path(name) for name in stored_names()]
    assert all(oct(Path(path).stat().st_mode)[-3:] == "600" for path in paths)


def test_any_storage_will_do(cast: Cast, taken: Taken, settings: Any) -> None:
    """A bucket has no paths and no folders."""
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = settings.STORAGES | {"default": memory}
    path, link = sent_link(cast)
    assert isinstance(storages["default"], InMemoryStorage)
    assert list(settings.MEDIA_ROOT.iterdir()) == []
    assert Client().get(path).status_code == 200
    assert client_of(cast.ana).get(f"/attachments/{link.attachment_id}/").status_code == 200


def test_a_personal_line_sends_pictures_too(cast: Cast, taken: Taken) -> None:
    thread, client = cast.thread(to=ANAS_LINE), client_of(cast.ana)
    files = attached(client, thread, picture())
    assert send(client, thread, files).status_code == 200
    assert client_of(cast.ben).get(f"/attachments/{files[0].pk}/").status_code == 404
    delivery.deliver_thread(thread.pk)
    assert len(taken.files) == 1


def test_what_a_colleague_drafts_stands_in_nobody_elses_composer(cast: Cast) -> None:
    thread = cast.thread()
    attached(client_of(cast.ana), thread, picture())
    for client in (client_of(cast.ben), client_of(cast.cho)):
        assert 'name="attachment"' not in client.get(f"/threads/{thread.pk}/").content.decode()
        listed = client.get(f"/threads/{thread.pk}/attachments/").content.decode()
        assert 'name="attachment"' not in listed
    mine = client_of(cast.ana).get(f"/threads/{thread.pk}/attachments/").content.decode()
    assert mine.count('name="attachment"') == 1
