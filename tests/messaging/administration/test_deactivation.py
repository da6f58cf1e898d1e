"""An administrator who deactivates somebody reads first what becomes of what is theirs."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection, transaction
from django.utils import timezone

from inboxes.actions import keep_an_administrator, remove_member
from inboxes.models import Agent, PhoneSignIn
from inboxes.phone_sign_in.actions import offer_phone_sign_in
from messaging.models import PushSubscription
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


@pytest.mark.parametrize("is_listed", [True, False])
def test_nothing_from_before_comes_back_when_somebody_is_let_in_again(
    cast: Cast, is_listed: bool
) -> None:
    theirs, other, admin = client_of(cast.ben), client_of(cast.ana), client_of(cast.admin)
    for agent, client in ((cast.ben, theirs), (cast.ana, other)):
        key = str(client.session.session_key)
        PushSubscription.objects.create(
            agent=agent, session_key=key, endpoint=f"https://push.example.com/{agent.pk}"
        )
        offer_phone_sign_in(agent=agent, session_key=key)
    if not is_listed:  # from before lists were kept, and not used since
        UserSession.objects.filter(user=cast.ben).delete()
    admin.post(page_of(cast.ben))
    admin.post(page_of(cast.ben, "reactivate"))
    assert theirs.get("/").status_code == 302
    assert other.get("/").status_code == 200
    for rows in (PushSubscription.objects.all(), PhoneSignIn.objects.all()):
        assert [row.agent for row in rows] == [cast.ana]
    assert not UserSession.objects.filter(user=cast.ben).exists()


def test_a_deactivation_in_whatever_form_ends_the_sessions(cast: Cast) -> None:
    theirs = client_of(cast.ben)
    cast.ben.is_active = False
    cast.ben.save()
    Agent.objects.filter(pk=cast.ben.pk).update(is_active=True)
    assert theirs.get("/").status_code == 302


def count_waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["button", "form"])
def test_two_administrators_who_take_each_others_rights_leave_one(cast: Cast, way: str) -> None:
    Agent.objects.filter(pk=cast.ben.pk).update(is_staff=True)
    admin = client_of(cast.admin)
    form = {"username": "ben", "display_name": "Ben Okafor", "email": ""}

    def send() -> str:
        try:
            if way == "button":
                return read_words(admin.post(page_of(cast.ben), follow=True))
            return read_words(admin.post(page_of(cast.ben, "change"), form, follow=True))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            keep_an_administrator(but=cast.admin)
            Agent.objects.filter(pk=cast.admin.pk).update(is_staff=False)
            sent = pool.submit(send)
            end = time.monotonic() + 10
            while not sent.done() and not count_waiting():
                assert time.monotonic() < end
                time.sleep(0.02)
        words = sent.result()
    ben = Agent.objects.get(pk=cast.ben.pk)
    assert (ben.is_active, ben.is_staff) == (True, True)
    if way == "form":
        assert "Somebody has to be left who may use the administration." in words


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
