"""An administrator who deactivates somebody reads first what becomes of what is theirs."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.utils import timezone

from inboxes.actions import remove_member
from inboxes.models import Agent
from messaging.outbound.scheduling import schedule_text
from tests.cast import Cast, client_of
from tests.markup import read_words


def page_of(agent: Agent, page: str = "deactivate") -> str:
    return f"/admin/inboxes/agent/{agent.pk}/{page}/"


def test_what_becomes_of_line_texts_and_inboxes_is_said_before(cast: Cast) -> None:
    schedule_text(
        thread=cast.thread(),
        author=cast.ana,
        body="See you tomorrow",
        send_at=timezone.now() + timedelta(hours=2),
        form_key=uuid.uuid4(),
    )
    remove_member(inbox=cast.dispatch, agent=cast.ben, changed_by=cast.admin)
    words = read_words(client_of(cast.admin).get(page_of(cast.ana)))
    for said in (
        "signed out everywhere at once",
        "1 scheduled text of theirs",
        "Nobody else reads <bdi>Dispatch</bdi>",
        "personal line (202) 555-0112",
    ):
        assert said in words
    assert "Front Desk" not in words
    words = read_words(client_of(cast.admin).get(page_of(cast.cho)))
    assert "scheduled" not in words
    assert "personal line" not in words
    assert Agent.objects.get(pk=cast.ana.pk).is_active


def test_somebody_deactivated_is_signed_out_and_can_be_let_in_again(cast: Cast) -> None:
    theirs, admin = client_of(cast.ben), client_of(cast.admin)
    assert theirs.get("/").status_code == 200
    answer = admin.post(page_of(cast.ben), follow=True)
    assert "Ben Okafor is deactivated and signed out." in read_words(answer)
    assert "Let them sign in again" in read_words(answer)
    assert theirs.get("/").status_code == 302
    assert "Deactivated" in read_words(admin.get("/admin/inboxes/agent/?q=ben"))
    answer = admin.post(page_of(cast.ben, "reactivate"), follow=True)
    assert "Ben Okafor may sign in again." in read_words(answer)
    history = read_words(admin.get(page_of(cast.ben, "history")))
    assert "Deactivated." in history
    assert "Reactivated." in history


def test_reading_the_page_changes_nothing(cast: Cast) -> None:
    for page in ("deactivate", "reactivate"):
        client_of(cast.admin).get(page_of(cast.ben, page))
    assert Agent.objects.get(pk=cast.ben.pk).is_active


def test_administrators_neither_deactivate_themselves_nor_take_their_own_rights(
    cast: Cast,
) -> None:
    admin = client_of(cast.admin)
    assert "You can't deactivate yourself." in read_words(admin.get(page_of(cast.admin)))
    admin.post(page_of(cast.admin))
    form = {"username": "admin", "display_name": "The Administrator"}
    admin.post(page_of(cast.admin, "change"), form)
    oneself = Agent.objects.get(pk=cast.admin.pk)
    assert (oneself.is_active, oneself.is_staff) == (True, True)


def test_somebody_who_is_not_there_is_not_found(cast: Cast) -> None:
    assert client_of(cast.admin).get("/admin/inboxes/agent/9999999/deactivate/").status_code == 404
