"""Start a conversation with pictures and files, and with a text that can be taken back."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from messaging.models import Attachment, Message, ScheduledText
from messaging.outbound import delivery
from messaging.outbound.scheduling import send_if_due
from messaging.outbound.undo_send import take_back
from tests.cast import CUSTOMER, Cast, client_of
from tests.messaging.attachments.picture_bytes import make_picture
from tests.messaging.attachments.sending_files import (
    PDF,
    RecordingCarrier,
    recording_carrier,
)
from tests.messaging.scheduled_texts import make_due
from threads.models import Thread, ThreadState

__all__ = ["recording_carrier"]

NEW = "+12025550199"


def picture(name: str = "roof.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, make_picture(size=(9, 9)))


def add_file(client: Client, file: SimpleUploadedFile | None = None) -> Attachment:
    answer = client.post("/start/files/", {"file": file or picture()})
    assert answer.status_code == 201, answer.content
    return Attachment.objects.order_by("-pk")[0]


def start(cast: Cast, client: Client | None = None, **more: Any) -> Any:
    form = {
        "inbox": cast.front_desk.pk,
        "to": NEW,
        "body": "Hello",
        "form_key": uuid.uuid4(),
    }
    return (client or client_of(cast.ana)).post("/start/", form | more)


def test_a_first_text_takes_its_files_with_it(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    client = client_of(cast.ana)
    file = add_file(client)
    answer = start(cast, client, body="", attachment=[file.pk])
    message = Message.objects.get(kind="outbound")
    assert answer["Location"] == f"/threads/{message.thread_id}/"
    assert (message.body, message.picture_count) == ("", 1)
    file.refresh_from_db()
    assert (file.message, file.thread) == (message, message.thread)
    delivery.deliver_thread(message.thread_id)
    assert [one.status_code for one in recording_carrier.files] == [200]


def test_nothing_is_lost_from_the_form_when_it_is_refused(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    client = client_of(cast.ana)
    answer = start(cast, client, to="nonsense", files=[picture("a.jpg"), picture("b.jpg")])
    assert answer.status_code == 422
    page = answer.content.decode()
    kept = re.findall(r'name="attachment" value="(\d+)"', page)
    assert len(kept) == 2
    assert "a.jpg" in page
    assert "b.jpg" in page
    assert 'value="nonsense"' in page
    assert start(cast, client, attachment=kept).status_code == 302
    assert Message.objects.get(kind="outbound").picture_count == 2
    assert client.get("/start/").content.decode().count('name="attachment"') == 0


def test_without_scripts_a_file_is_removed_and_the_form_stays(cast: Cast) -> None:
    client = client_of(cast.ana)
    kept, removed = add_file(client), add_file(client)
    answer = start(cast, client, attachment=[kept.pk, removed.pk], to="", remove=removed.pk)
    page = answer.content.decode()
    assert re.findall(r'name="attachment" value="(\d+)"', page) == [str(kept.pk)]
    assert "Enter a phone number." not in page
    assert ">Hello</textarea>" in page
    assert not Attachment.objects.filter(pk=removed.pk).exists()
    assert not Message.objects.exists()


def test_a_file_that_waits_for_a_first_text_is_its_agents_alone(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    file = add_file(client_of(cast.ana))
    path = f"/attachments/{file.pk}/"
    assert client_of(cast.ana).get(path).status_code == 200
    for agent in (cast.ben, cast.admin):
        assert client_of(agent).get(path).status_code == 404
        assert client_of(agent).post(f"{path}remove/").status_code == 404
    answer = start(cast, client_of(cast.ben), attachment=[file.pk])
    assert answer.status_code == 422
    assert "One of the files is gone." in answer.content.decode()
    assert client_of(cast.ana).post(f"{path}remove/").status_code == 204
    assert not Attachment.objects.exists()


def test_files_that_the_carrier_does_not_take_are_named_beside_the_text(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    client = client_of(cast.ana)
    file = add_file(client, SimpleUploadedFile("plan.pdf", PDF))
    answer = start(cast, client, attachment=[file.pk])
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "can&#x27;t send plan.pdf" in page
    assert f'name="attachment" value="{file.pk}"' in page
    assert not Thread.objects.filter(contact__address=NEW).exists(), "nothing half-done"


def test_the_same_form_twice_starts_one_conversation_with_its_files(
    cast: Cast, recording_carrier: RecordingCarrier
) -> None:
    key = uuid.uuid4()
    for _ in range(2):
        assert start(cast, form_key=key, files=[picture()]).status_code == 302
    assert Message.objects.get(kind="outbound").picture_count == 1
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize("to", [NEW, CUSTOMER])
def test_a_first_text_can_be_taken_back_too(
    cast: Cast, recording_carrier: RecordingCarrier, to: str
) -> None:
    if to == CUSTOMER:
        cast.thread()
    cast.ana.undo_seconds = 5
    cast.ana.save()
    client, key = client_of(cast.ana), uuid.uuid4()
    file = add_file(client)
    answer = start(cast, client, to=to, form_key=key, attachment=[file.pk])
    assert start(cast, client, to=to, form_key=key, attachment=[file.pk]).status_code == 302
    text = ScheduledText.objects.get()
    page = client.get(answer["Location"]).content.decode()
    assert f'id="leaving-{text.pk}"' in page
    assert client.get(f"/inboxes/{cast.front_desk.pk}/").status_code == 200
    take_back(text=text, agent=cast.ana)
    assert not send_if_due(text=make_due(text))
    state = ThreadState.objects.get(agent=cast.ana, thread=text.thread_id)
    assert state.draft_body == "Hello"
    assert Attachment.objects.drafted(text.thread, cast.ana).get() == file
    again = start(cast, client, to=to)
    assert again["Location"] == answer["Location"]
    assert send_if_due(text=make_due(ScheduledText.objects.leaving().get()))
    assert Message.objects.get(kind="outbound").body == "Hello"
