"""Schedule texts with pictures and files: kept, seen by members, sent as MMS, put away."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging.models import Attachment, Message, ScheduledText
from messaging.outbound import delivery
from messaging.outbound.scheduling import (
    delete_scheduled_text,
    send_if_due,
    send_scheduled_text_now,
)
from messaging.tasks import forget_unsent_files
from tests.cast import Cast, client_of
from tests.messaging.attachments.picture_bytes import make_picture
from tests.messaging.attachments.sending_files import (
    PDF,
    RecordingCarrier,
    recording_carrier,
    send_message,
    stored_names,
    upload_files,
)
from tests.messaging.scheduled_texts import HOUR, make_due, schedule_in
from threads.models import Thread

__all__ = ["recording_carrier"]


def schedule_with(cast: Cast, thread: Thread, *data: bytes, **more: Any) -> ScheduledText:
    files = upload_files(client_of(cast.ana), thread, *data)
    answer = send_message(client_of(cast.ana), thread, files, later="hour", **more)
    assert answer.status_code == 200, answer.content.decode()
    return ScheduledText.objects.get()


def test_a_scheduled_text_takes_its_files_with_it_when_it_is_due(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    text = schedule_with(cast, cast.thread(), make_picture(), make_picture("PNG"), body="Look")
    assert not Attachment.objects.unsent().exists(), "the composer is empty"
    page = client_of(cast.ben).get(f"/threads/{text.thread_id}/").content.decode()
    first, _ = Attachment.objects.order_by("pk")
    assert f'src="/attachments/{first.pk}/thumbnail/"' in page
    assert f'name="attachment" value="{first.pk}"' not in page
    assert send_if_due(text=make_due(text))
    message = Message.objects.get(kind="outbound")
    assert (message.body, message.picture_count) == ("Look", 2)
    delivery.deliver_thread(text.thread_id)
    assert [file.status_code for file in recording_carrier.files] == [200, 200]
    assert not Attachment.objects.exclude(scheduled_text=None).exists()


def test_files_alone_are_scheduled_and_sent_by_hand(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    text = schedule_with(cast, cast.thread(), make_picture())
    message = send_scheduled_text_now(text=text, agent=cast.ben)
    assert (message.body, message.picture_count) == ("", 1)


def test_files_of_a_scheduled_text_are_seen_by_its_members_alone(cast: Cast) -> None:
    thread = cast.thread()
    [file] = upload_files(client_of(cast.ana), thread, make_picture())
    path = f"/attachments/{file.pk}/"
    assert client_of(cast.ben).get(path).status_code == 404, "it is ana's draft"
    send_message(client_of(cast.ana), thread, [file], later="hour")
    for agent, status in ((cast.ana, 200), (cast.ben, 200), (cast.dov, 404)):
        assert client_of(agent).get(path).status_code == status
    for agent in (cast.ana, cast.ben):
        assert client_of(agent).post(f"{path}remove/").status_code == 404
    assert Attachment.objects.filter(scheduled_text__isnull=False).exists()


def test_what_is_unticked_is_put_away_when_it_is_changed(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    text = schedule_with(cast, cast.thread(), make_picture(), make_picture("PNG"))
    kept, dropped = Attachment.objects.order_by("pk")
    fields = {"body": "", "known": text.seq, "at": "2027-01-04T09:00", "zone": "UTC"}
    client = client_of(cast.ben)
    page = client.get(f"/later/{text.pk}/").content.decode()
    assert page.count('name="attachment"') == 2
    answer = client.post(f"/later/{text.pk}/", fields)
    assert answer.status_code == 422, "neither words nor files"
    answer = client.post(f"/later/{text.pk}/", fields | {"attachment": [kept.pk]})
    assert answer.status_code == 302
    assert list(Attachment.objects.all()) == [kept]
    assert not Attachment.objects.filter(pk=dropped.pk).exists()


def test_deleting_it_deletes_its_files(
    cast: Cast, django_capture_on_commit_callbacks: Any, recording_carrier: RecordingCarrier
) -> None:
    before = stored_names()
    text = schedule_with(cast, cast.thread(), make_picture())
    with django_capture_on_commit_callbacks(execute=True):
        delete_scheduled_text(text=text)
    assert not Attachment.objects.exists()
    assert stored_names() == before


def test_the_clean_up_of_unsent_files_leaves_them(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    text = schedule_with(cast, cast.thread(), make_picture())
    Attachment.objects.update(created_at=timezone.now() - timedelta(days=30))
    forget_unsent_files.func(timestamp=0)
    assert text.attachments.count() == 1


def test_files_that_the_carrier_does_not_take_are_refused_at_once_and_held_later(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    RecordingCarrier(monkeypatch)
    thread = cast.thread()
    files = upload_files(client_of(cast.ana), thread, PDF)
    answer = send_message(client_of(cast.ana), thread, files, later="hour")
    assert answer.status_code == 422
    assert "can&#x27;t send file-0" in answer.content.decode()
    RecordingCarrier(monkeypatch, media_types=frozenset({"application/pdf"}))
    assert send_message(client_of(cast.ana), thread, files, later="hour").status_code == 200
    RecordingCarrier(monkeypatch, media_count=0)
    text = make_due(ScheduledText.objects.get())
    assert not send_if_due(text=text)
    text.refresh_from_db()
    assert (text.state, text.attachments.count()) == ("held", 1)
    assert "can't send files" in text.reason


def test_the_database_keeps_files_in_their_thread(cast: Cast) -> None:
    text, other = schedule_in(cast, cast.thread()), cast.thread(sender="+12025550188")
    [file] = upload_files(client_of(cast.ana), other, make_picture())
    for columns in ({"scheduled_text": text}, {"thread": None, "scheduled_text": text}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Attachment.objects.filter(pk=file.pk).update(**columns)


def test_a_text_is_scheduled_once_with_its_files_however_often_its_form_comes(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    thread, key = cast.thread(), uuid.uuid4()
    files = upload_files(client_of(cast.ana), thread, make_picture())
    for _ in range(2):
        answer = send_message(
            client_of(cast.ana), thread, files, later="hour", form_key=key, body="Look"
        )
        assert answer.status_code == 200
    assert ScheduledText.objects.get().attachments.count() == 1
    assert ScheduledText.objects.get().send_at > timezone.now() + HOUR / 2
