"""Files from a composer: put there, kept until they are sent, made to fit the carrier."""

from __future__ import annotations

import html
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from messaging.attachments import drafts, links
from messaging.attachments.fetching import MAX_FILE_SIZE
from messaging.models import Attachment, Message, PublicLink
from messaging.outbound import delivery
from messaging.tasks import forget_unsent_files
from tests.cast import Cast, client_of
from tests.messaging.attachments.picture_bytes import (
    moving,
    noise,
    open_picture,
    photo_with_a_place,
    picture,
)
from tests.messaging.attachments.sending_files import (
    PDF,
    Taken,
    attached,
    put,
    send,
    stored_names,
    taken,
)

__all__ = ["taken"]


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
    [(b"", "is empty"), (b"x" * (MAX_FILE_SIZE + 1), "larger than 20 MB")],
)
def test_a_file_that_is_not_taken_says_why(cast: Cast, data: bytes, sentence: str) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    answer = put(client, thread, data)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert client.post(f"/threads/{thread.pk}/attachments/").status_code == 422
    assert not Attachment.objects.exists()


def test_a_composer_holds_ten_files(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MAX_FILES", 2)
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
