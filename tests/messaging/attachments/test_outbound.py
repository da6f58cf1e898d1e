"""Files from a composer: added, kept until they are sent, made to fit the carrier."""

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
    make_animation,
    make_noise,
    make_photo_with_location,
    make_picture,
    open_picture,
)
from tests.messaging.attachments.sending_files import (
    PDF,
    RecordingCarrier,
    recording_carrier,
    send_message,
    stored_names,
    upload_file,
    upload_files,
)

__all__ = ["recording_carrier"]


def test_a_picture_goes_into_the_composer_and_out_with_the_text(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    answer = upload_file(client, thread, make_photo_with_location(), "IMG_1.jpg")
    assert answer.status_code == 201
    [attachment] = Attachment.objects.all()
    assert f'name="attachment" value="{attachment.pk}"' in answer.content.decode()
    page = client.get(f"/threads/{thread.pk}/").content.decode()
    assert f'name="attachment" value="{attachment.pk}"' in page
    assert send_message(client, thread, [attachment], body="Look").status_code == 200
    message = Message.objects.get(kind="outbound")
    assert (message.body, message.picture_count, message.file_count) == ("Look", 1, 0)
    delivery.deliver_thread(thread.pk)
    [file] = recording_carrier.files
    assert (file.status_code, file["Content-Type"]) == (200, "image/jpeg")
    assert not open_picture(file.content).getexif()
    assert b"Canary" not in file.content
    page = client.get(f"/threads/{thread.pk}/").content.decode()
    assert f'src="/attachments/{attachment.pk}/thumbnail/"' in page
    assert f'name="attachment" value="{attachment.pk}"' not in page


def test_pictures_go_without_words_and_nothing_goes_without_either(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    files = upload_files(client, thread, make_picture(), make_picture("PNG"))
    answer = send_message(client, thread)
    assert answer.status_code == 422
    assert "Write something first." in answer.content.decode()
    assert answer.content.decode().count('name="attachment"') == 2
    assert send_message(client, thread, files, body=" \n ").status_code == 200
    thread.refresh_from_db()
    assert (Message.objects.get(kind="outbound").body, thread.last_excerpt) == ("", "2 pictures")
    delivery.deliver_thread(thread.pk)
    assert [len(text.media_urls) for text in recording_carrier.texts] == [2]


def test_the_same_form_twice_makes_one_message_with_its_files(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    files, key = upload_files(client, thread, make_picture()), uuid.uuid4()
    answers = [send_message(client, thread, files, form_key=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert Message.objects.filter(kind="outbound").count() == 1
    assert Attachment.objects.get().message == Message.objects.get(kind="outbound")


def test_a_file_that_another_form_took_is_not_sent_again(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    files = upload_files(client, thread, make_picture())
    assert send_message(client, thread, files).status_code == 200
    answer = send_message(client, thread, files, body="Words stay")
    assert answer.status_code == 422
    page = html.unescape(answer.content.decode())
    assert "One of the files is gone." in page
    assert "Words stay" in page
    assert Message.objects.filter(kind="outbound").count() == 1


def test_files_of_others_and_of_other_threads_are_refused(cast: Cast) -> None:
    thread, other = cast.thread(), cast.thread(sender="+12025550188")
    mine = upload_files(client_of(cast.ana), other, make_picture())
    bens = upload_files(client_of(cast.ben), thread, make_picture())
    for files in (mine, bens):
        assert send_message(client_of(cast.ana), thread, files).status_code == 422
    assert not Attachment.objects.exclude(message=None).exists()
    for nonsense in ("x", "-1", str(2**70), ["1"] * 200):
        answer = send_message(client_of(cast.ana), thread, body="Words", attachment=nonsense)
        assert answer.status_code == 422


def test_without_scripts_files_come_with_the_form_and_outlive_its_refusal(cast: Cast) -> None:
    thread, client, key = cast.thread(), client_of(cast.ana), uuid.uuid4()
    path = f"/threads/{thread.pk}/messages/"

    def form_fields(**more: Any) -> dict[str, Any]:
        files = [SimpleUploadedFile(f"{n}.jpg", make_picture()) for n in range(2)]
        return {"body": "x" * 2000, "form_key": key, "files": files} | more

    answer = client.post(path, form_fields())
    assert answer.status_code == 422
    kept = re.findall(r'name="attachment" value="(\d+)"', answer.content.decode())
    assert len(kept) == 2
    assert 'enctype="multipart/form-data"' in answer.content.decode()
    for _ in range(2):
        sent = client.post(path, form_fields(body="Short", attachment=kept))
        assert sent.status_code == 302
    assert Message.objects.get(kind="outbound").attachments.count() == 4
    assert not Attachment.objects.filter(message=None).exists()


def test_without_scripts_a_file_is_taken_out_and_the_words_stay(cast: Cast) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    [file] = upload_files(client, thread, make_picture())
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
def test_a_refused_file_says_why(cast: Cast, data: bytes, sentence: str) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    answer = upload_file(client, thread, data)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert client.post(f"/threads/{thread.pk}/attachments/").status_code == 422
    assert not Attachment.objects.exists()


def test_a_composer_holds_ten_files(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MAX_FILES", 2)
    thread, client = cast.thread(), client_of(cast.ana)
    upload_files(client, thread, make_picture(), make_picture())
    assert upload_file(client, thread, make_picture()).status_code == 422
    assert upload_file(client_of(cast.ben), thread, make_picture()).status_code == 201


def test_a_file_can_be_taken_out_until_it_was_sent(
    cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    first, second = upload_files(client, thread, make_picture(), PDF)
    assert len(stored_names()) == 3
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"/attachments/{first.pk}/remove/").status_code == 204
    assert len(stored_names()) == 1
    send_message(client, thread, [second], is_internal="true")
    for one in (first, second):
        assert client.post(f"/attachments/{one.pk}/remove/").status_code == 404
    assert Attachment.objects.get() == second
    assert client_of(cast.ben).post(f"/attachments/{second.pk}/remove/").status_code == 404


def test_unsent_files_are_deleted_after_a_week(
    cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    old, new, sent = upload_files(client, thread, make_picture(), make_picture(), PDF)
    send_message(client, thread, [sent], is_internal="true")
    longer = timezone.now() - drafts.KEPT_FOR - timedelta(hours=1)
    Attachment.objects.filter(pk__in=[old.pk, sent.pk]).update(created_at=longer)
    with django_capture_on_commit_callbacks(execute=True):
        forget_unsent_files(timestamp=0)
    assert set(Attachment.objects.all()) == {new, sent}
    assert stored_names() == {new.stored_name, new.thumbnail_name, sent.stored_name}


def test_the_carriers_limits_are_checked_before_sending(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    files = upload_files(client, thread, make_picture(), make_picture(), PDF)
    RecordingCarrier(monkeypatch, media_count=0)
    assert "can't send files" in html.unescape(
        send_message(client, thread, files).content.decode()
    )
    RecordingCarrier(monkeypatch, media_count=1)
    assert "at most 1 file " in html.unescape(send_message(client, thread, files).content.decode())
    RecordingCarrier(monkeypatch)
    assert "can't send file-2" in html.unescape(
        send_message(client, thread, files).content.decode()
    )
    RecordingCarrier(monkeypatch, media_types=frozenset({"application/pdf"}), media_bytes=10)
    assert "Choose a smaller file" in html.unescape(
        send_message(client, thread, files).content.decode()
    )
    assert not Message.objects.filter(kind="outbound").exists()
    # The team takes them all.
    assert send_message(client, thread, files, is_internal="true").status_code == 200


def test_pictures_share_the_carriers_limit_and_each_is_made_to_fit(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_carrier = RecordingCarrier(
        monkeypatch, media_bytes=400_000, media_types=frozenset({"image/jpeg"})
    )
    thread, client = cast.thread(), client_of(cast.ana)
    files = upload_files(
        client, thread, make_noise((700, 500)), make_noise((500, 700), seed=9), make_animation()
    )
    send_message(client, thread, files)
    delivery.deliver_thread(thread.pk)
    assert [file["Content-Type"] for file in recording_carrier.files] == ["image/jpeg"] * 3
    sizes = [len(file.content) for file in recording_carrier.files]
    assert sum(sizes) <= 400_000
    assert max(sizes) > 30_000
    # Ours stay as they were.
    assert files[0].size > 400_000
    assert len(stored_names()) == 3 * 2 + 3


def test_a_small_animation_is_sent_unchanged(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    send_message(client, thread, upload_files(client, thread, make_animation()))
    delivery.deliver_thread(thread.pk)
    assert recording_carrier.files[0]["Content-Type"] == "image/gif"
    assert open_picture(recording_carrier.files[0].content).n_frames == 3  # type: ignore[attr-defined]


def test_a_picture_that_cannot_be_made_to_fit_fails_with_a_reason_and_nothing_is_sent(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_carrier = RecordingCarrier(monkeypatch, media_bytes=200)
    thread, client = cast.thread(), client_of(cast.ana)
    send_message(client, thread, upload_files(client, thread, make_noise((200, 200))))
    delivery.deliver_thread(thread.pk)
    message = Message.objects.get(kind="outbound")
    assert message.state == "failed"
    assert "rejected the picture" in message.reason
    assert (recording_carrier.texts, PublicLink.objects.count()) == ([], 0)


def test_a_text_waits_while_the_storage_is_away(
    cast: Cast, recording_carrier: RecordingCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, client = cast.thread(), client_of(cast.ana)
    files = upload_files(client, thread, make_noise((900, 900)))
    RecordingCarrier(monkeypatch, media_bytes=100_000)
    send_message(client, thread, files)

    def away(*args: object) -> None:
        raise ConnectionError("no bucket")

    with monkeypatch.context() as patch:
        patch.setattr(links, "load_bytes", away)
        delivery.deliver_thread(thread.pk)
    message = Message.objects.get(kind="outbound")
    assert (message.state, message.tries) == ("queued", 1)
    assert recording_carrier.texts == []
