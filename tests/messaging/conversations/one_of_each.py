"""One of each thing that an address can name, made once for a module: a picture takes a process.

Import the fixtures. What a test changes is rolled back after it; its objects in memory are not.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from messaging.attachments import drafts
from messaging.attachments.storing import store_file
from messaging.contacts.consents import record_consent
from messaging.models import Attachment, Message, SavedReply, SavedReplyFile
from messaging.outbound.scheduling import schedule_text
from messaging.outbound.sending import write_message
from tests.cast import ANAS_LINE, Cast, create_cast
from tests.databases import rolled_back
from tests.messaging.attachments.picture_bytes import make_picture
from threads.actions import set_priority
from threads.models import Activity, Consent, Thread


@dataclass(frozen=True)
class OneOfEach:
    """Keys by what they name, in Front Desk and on ana's line."""

    cast: Cast
    shared: dict[str, int]
    personal: dict[str, int]


@pytest.fixture(scope="module")
def one_of_each(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OneOfEach]:
    media = tmp_path_factory.mktemp("media")
    with rolled_back(django_db_blocker), override_settings(MEDIA_ROOT=media):
        cast = create_cast()
        yield OneOfEach(cast, _keys(cast, cast.thread()), _keys(cast, cast.thread(to=ANAS_LINE)))


@pytest.fixture
def cast(one_of_each: OneOfEach, db: None) -> Cast:
    return one_of_each.cast


@pytest.fixture(autouse=True)
def _own_files(one_of_each: OneOfEach) -> None:
    """Keep the files in the module's folder."""


def _keys(cast: Cast, thread: Thread) -> dict[str, int]:
    file = drafts.add_file(
        thread=thread,
        agent=cast.ana,
        upload=SimpleUploadedFile("a.jpg", make_picture(size=(9, 9))),
    )
    message = write_message(
        thread=thread,
        author=cast.ana,
        body="Secret words",
        form_key=uuid.uuid4(),
        files=[file.pk],
    )
    later = schedule_text(
        thread=thread,
        author=cast.ana,
        body="Secret plans",
        send_at=timezone.now() + timedelta(hours=1),
        form_key=uuid.uuid4(),
    )
    reply = SavedReply.objects.create(inbox=thread.inbox, name="secret", body="Secret words")
    consent = record_consent(
        contact=thread.contact,
        how=Consent.How.FORM,
        words="Secret form",
        given_on=date(2026, 1, 2),
        by=cast.ana,
    )
    reply_file = SavedReplyFile.objects.create(
        reply=reply, name="a.jpg", **store_file(make_picture(size=(9, 9))).columns
    )
    card = Attachment.objects.create(
        message=Message.objects.filter(thread=thread, kind="inbound").earliest("pk"),
        thread=thread,
        state="ready",
        **store_file(b"BEGIN:VCARD\r\nFN:Secret\r\nTEL:+12025550143\r\nEND:VCARD\r\n").columns,
    )
    set_priority(thread=thread, priority="high", by=cast.ana)
    return {
        "inbox": thread.inbox_id,
        "thread": thread.pk,
        "contact": thread.contact_id,
        "consent": consent.pk,
        "activity": Activity.objects.get(thread=thread, kind=Activity.Kind.PRIORITY).pk,
        "message": message.pk,
        "attachment": file.pk,
        "card": card.pk,
        "later": later.pk,
        "reply": reply.pk,
        "reply_file": reply_file.pk,
    }
