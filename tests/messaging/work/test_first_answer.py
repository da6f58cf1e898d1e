"""An inbox may give a thread that is nobody's to whoever answers it first."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inboxes.models import Inbox
from messaging.models import Message, ScheduledText
from messaging.outbound.scheduling import schedule_text, send_if_due
from messaging.outbound.sending import retry_message, write_message
from messaging.outbound.starting import start_conversation
from tests.cast import ANAS_LINE, Cast, client_of
from tests.messaging.work.test_deeds import assign
from threads.models import Activity, Thread

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(cast: Cast) -> Cast:
    Inbox.objects.update(assigns_first_answerer=True)
    return cast


def assignee(thread: Thread) -> str:
    row = Thread.objects.select_related("assignee").get(pk=thread.pk)
    return row.assignee.username if row.assignee else ""


def test_the_first_who_answers_gets_it_and_the_second_changes_nothing(cast: Cast) -> None:
    thread = cast.thread()
    text = cast.answer(thread, "On our way", author=cast.ben)
    assert assignee(thread) == "ben"
    line = Activity.objects.get()
    assert (line.kind, line.actor, line.after_id) == ("assigned", cast.ben, text.pk)
    assert line.details["is_first_answer"] is True
    cast.answer(thread, "Ten minutes", author=cast.ana)
    assert assignee(thread) == "ben"


def test_no_inbox_does_so_by_itself(cast: Cast) -> None:
    Inbox.objects.update(assigns_first_answerer=False)
    thread = cast.thread()
    cast.answer(thread, "On our way")
    assert assignee(thread) == ""


def test_internal_and_automatic_messages_and_retries_assign_nobody(cast: Cast) -> None:
    Inbox.objects.update(assigns_first_answerer=False)
    thread = cast.thread()
    text = cast.answer(thread, "On our way", author=cast.ben)
    Inbox.objects.update(assigns_first_answerer=True)
    Message.objects.filter(pk=text.pk).update(state="failed")
    retry_message(message=Message.objects.get(pk=text.pk))
    cast.note(thread, "Between us")
    cast.answer(thread, "@ben could you?", author=cast.ana)
    cast.text_in("Please stop")
    assert Message.objects.filter(is_automatic=True, kind="outbound").exists()
    assert assignee(thread) == ""


def test_a_scheduled_text_assigns_its_author_when_it_goes(cast: Cast) -> None:
    thread = cast.thread()
    text = schedule_text(
        thread=thread,
        author=cast.cho,
        body="See you tomorrow",
        send_at=timezone.now() + timedelta(hours=1),
        form_key=uuid.uuid4(),
    )
    assert assignee(thread) == ""
    ScheduledText.objects.update(send_at=timezone.now() - timedelta(seconds=1))
    assert send_if_due(text=text)
    assert assignee(thread) == "cho"


def test_whoever_starts_a_conversation_and_an_owner_get_it_too(cast: Cast) -> None:
    message = start_conversation(
        inbox=cast.front_desk,
        author=cast.ben,
        address="+12025550199",
        body="Hello",
        form_key=uuid.uuid4(),
    )
    assert assignee(message.thread) == "ben"
    mine = cast.thread(to=ANAS_LINE)
    cast.answer(mine, "Hi")
    assert assignee(mine) == "ana"


def test_a_thread_that_is_somebodys_stays_theirs_whatever_the_page_still_showed(
    cast: Cast,
) -> None:
    stale = cast.thread()
    assign(stale, cast.cho, by=cast.ana)
    assert stale.assignee_id is None
    form: dict[str, Any] = {"body": "Hi", "form_key": uuid.uuid4()}
    write_message(thread=stale, author=cast.ben, **form)
    assert assignee(stale) == "cho"


def test_an_administrator_chooses_it_in_plain_words(cast: Cast) -> None:
    Inbox.objects.update(assigns_first_answerer=False)
    admin, path = client_of(cast.admin), f"/admin/inboxes/inbox/{cast.front_desk.pk}/change/"
    assert "Assign to whoever answers first" in admin.get(path).content.decode()
    form = {
        "name": "Front Desk",
        "assigns_first_answerer": "on",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
        "labels-TOTAL_FORMS": "0",
        "labels-INITIAL_FORMS": "0",
    }
    assert admin.post(path, form).status_code == 302
    assert Inbox.objects.get(pk=cast.front_desk.pk).assigns_first_answerer
    line = admin.get(f"/admin/inboxes/inbox/{cast.anas_line.pk}/change/").content.decode()
    assert "answers first" not in line
