"""E-mails about what was missed: for those who asked, once, and without a word of the messages."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes.actions import remove_member
from inboxes.models import Agent, Membership
from messaging.models import EmailPreference, Notification
from messaging.notifications import missed
from messaging.stream.notifying import mark_notifications_read
from tests.cast import DISPATCH, Cast, client_of
from tests.mail import MailServer, html_text, plain_text, running_mail_server, use_server
from threads.actions import set_mute

START = timezone.now()


@pytest.fixture(scope="module")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with running_mail_server(tmp_path_factory.mktemp("mail") / "taken.jsonl") as server:
        yield server


@pytest.fixture
def mail(running_server: MailServer, settings: Any) -> MailServer:
    running_server.forget()
    use_server(settings, running_server.port)
    return running_server


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def _ben_wants_e_mails(cast: Cast) -> None:
    Agent.objects.filter(pk=cast.ben.pk).update(email="ben@example.com")
    missed.choose_emails(agent=cast.ben, minutes=5)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def run_jobs() -> None:
    """Do what the worker does once a minute."""
    missed.queue_due_emails()
    jobs = ProcrastinateJob.objects.filter(task_name="send_missed_email", status="todo")
    for job in list(jobs):
        missed.send_missed_email(job.args["agent_id"])
    jobs.delete()


def test_what_nobody_read_is_told_by_e_mail_after_the_chosen_minutes(
    cast: Cast, mail: MailServer, clock: time_machine.Traveller
) -> None:
    clock.move_to(after(1))
    thread = cast.text_in("The gate code is 4711").thread
    cast.text_in("A second one")
    cast.note(thread, "@ben look at this")
    cast.text_in("To the other inbox", to=DISPATCH)
    clock.move_to(after(5.9))
    run_jobs()
    assert mail.emails() == []
    clock.move_to(after(6.1))
    run_jobs()
    (message,) = mail.emails()
    assert message["To"] == "ben@example.com"
    assert message["Subject"] == "You missed something in Dispatch and 1 more"
    words = plain_text(message)
    assert "- Dispatch: 1 message\n" in words
    assert "- Front Desk: 1 mention of you, 2 messages\n" in words
    assert "http://127.0.0.1:8000/notifications/" in words
    assert "Front Desk: 1 mention of you, 2 messages" in html_text(message)


def test_no_word_number_or_name_of_a_contact_is_told(
    cast: Cast, mail: MailServer, clock: time_machine.Traveller
) -> None:
    clock.move_to(after(1))
    cast.text_in("The gate code is 4711")
    clock.move_to(after(7))
    run_jobs()
    (message,) = mail.emails()
    # Ids, the parts' boundary and the links' signatures may hold any digits, by chance.
    headers = [
        words for name, words in message.items() if name not in ("Content-Type", "Message-ID")
    ]
    told = "\n".join([*headers, plain_text(message), html_text(message)])
    told = re.sub(r"/e-mails/stop/[^\s\">]+", "", told)
    for secret in ("4711", "gate", "2025550177", "555"):
        assert secret not in told


def test_nothing_is_told_twice_and_at_most_every_five_minutes(
    cast: Cast, mail: MailServer, clock: time_machine.Traveller
) -> None:
    clock.move_to(after(1))
    cast.text_in("One")
    clock.move_to(after(4))
    cast.text_in("Two")
    for minute in (6.1, 7, 8, 9, 10, 11):
        clock.move_to(after(minute))
        run_jobs()
    assert len(mail.emails()) == 1
    clock.move_to(after(11.2))
    run_jobs()
    run_jobs()
    clock.move_to(after(60))
    run_jobs()
    assert ["1 message" in plain_text(message) for message in mail.emails()] == [True, True]


def test_what_was_read_or_shown_to_an_open_page_is_not_told(
    cast: Cast, mail: MailServer, clock: time_machine.Traveller
) -> None:
    clock.move_to(after(1))
    cast.text_in("Shown")
    clock.move_to(after(2))
    missed.note_open_pages([cast.ana.pk, cast.ben.pk])
    clock.move_to(after(3))
    thread = cast.text_in("Read", to=DISPATCH).thread
    mark_notifications_read(agent=cast.ben, thread=thread)
    clock.move_to(after(30))
    run_jobs()
    assert mail.emails() == []
    assert Notification.objects.filter(agent=cast.ben).unread().count() == 1


def test_muted_threads_are_not_told_but_mentions_in_them_are(
    cast: Cast, mail: MailServer, clock: time_machine.Traveller
) -> None:
    thread = cast.thread()
    set_mute(agent=cast.ben, thread=thread, is_muted=True)
    missed.note_open_pages([cast.ben.pk])
    clock.move_to(after(1))
    cast.text_in("Muted")
    clock.move_to(after(20))
    run_jobs()
    assert mail.emails() == []
    cast.note(thread, "@ben please")
    clock.move_to(after(26))
    run_jobs()
    assert "Front Desk: 1 mention of you\n" in plain_text(mail.emails()[0])


def test_an_inbox_that_was_left_is_not_named(
    cast: Cast, mail: MailServer, clock: time_machine.Traveller
) -> None:
    clock.move_to(after(1))
    cast.text_in("For members", to=DISPATCH)
    remove_member(inbox=cast.dispatch, agent=cast.ben, changed_by=cast.admin)
    clock.move_to(after(7))
    run_jobs()
    run_jobs()
    assert mail.emails() == []


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": ""}])
def test_whoever_is_deactivated_or_has_no_address_gets_nothing(
    cast: Cast, mail: MailServer, clock: time_machine.Traveller, change: dict[str, Any]
) -> None:
    clock.move_to(after(1))
    cast.text_in("Hello")
    clock.move_to(after(7))
    missed.queue_due_emails()
    Agent.objects.filter(pk=cast.ben.pk).update(**change)
    run_jobs()
    assert mail.emails() == []


def test_who_did_not_ask_gets_nothing(
    cast: Cast, mail: MailServer, clock: time_machine.Traveller
) -> None:
    Agent.objects.filter(pk=cast.cho.pk).update(email="cho@example.com")
    clock.move_to(after(1))
    cast.text_in("Hello")
    clock.move_to(after(7))
    run_jobs()
    assert [message["To"] for message in mail.emails()] == ["ben@example.com"]


def test_a_server_that_is_away_loses_nothing_and_its_trouble_is_shown(
    cast: Cast, running_server: MailServer, settings: Any, clock: time_machine.Traveller
) -> None:
    running_server.forget()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        use_server(settings, free.getsockname()[1])
    clock.move_to(after(1))
    cast.text_in("Hello")
    clock.move_to(after(7))
    run_jobs()
    page = client_of(cast.ben).get("/settings/").text.replace("&#x27;", "'")
    assert "The last e-mail didn't leave. The e-mail server can't be reached." in page
    use_server(settings, running_server.port)
    run_jobs()
    assert running_server.emails() == []
    clock.move_to(after(12.1))
    run_jobs()
    assert len(running_server.emails()) == 1
    assert EmailPreference.objects.get(agent=cast.ben).error == ""


def test_an_address_that_is_refused_is_not_tried_again_and_again(
    cast: Cast, mail: MailServer, clock: time_machine.Traveller
) -> None:
    Agent.objects.filter(pk=cast.ben.pk).update(email="refused@example.com")
    clock.move_to(after(1))
    cast.text_in("Hello")
    clock.move_to(after(7))
    run_jobs()
    assert "refuses the address" in EmailPreference.objects.get(agent=cast.ben).error
    clock.move_to(after(20))
    missed.queue_due_emails()
    assert not ProcrastinateJob.objects.filter(task_name="send_missed_email").exists()


def stop_link(mail: MailServer) -> str:
    (message,) = mail.emails()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.fullmatch("<(.+)>", message["List-Unsubscribe"].strip())
    assert found is not None
    return urlsplit(found[1]).path


def test_one_click_stops_the_e_mails_signed_out_and_does_nothing_else(
    cast: Cast, mail: MailServer, clock: time_machine.Traveller
) -> None:
    clock.move_to(after(1))
    cast.text_in("Hello")
    clock.move_to(after(7))
    run_jobs()
    path = stop_link(mail)
    client = Client(enforce_csrf_checks=True)
    assert "Stop these e-mails?" in client.get(path).text
    assert EmailPreference.objects.filter(agent=cast.ben).exists()
    answer = client.post(path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert not EmailPreference.objects.filter(agent=cast.ben).exists()
    assert client.get("/").status_code == 302
    assert client.post(path).status_code == 200
    cast.text_in("Hello again")
    clock.move_to(after(30))
    run_jobs()
    assert len(mail.emails()) == 1


def test_a_made_up_stop_link_is_no_link(cast: Cast) -> None:
    good = missed.stop_path(cast.ben.pk)
    other = good.replace(f"/{cast.ben.pk}:", f"/{cast.ana.pk}:")
    for path in (other, "/e-mails/stop/x/", "/e-mails/stop/1:x/", good[:-2] + "/"):
        assert Client().get(path).status_code == 404
        assert Client().post(path).status_code == 404
    assert EmailPreference.objects.filter(agent=cast.ben).exists()


def settings_form(cast: Cast, **more: str) -> dict[str, str]:
    levels = {f"inbox_{inbox.pk}": "everything" for inbox in (cast.front_desk, cast.dispatch)}
    return levels | more


def test_an_agent_chooses_it_in_their_settings(cast: Cast, mail: MailServer) -> None:
    client = client_of(cast.ben)
    client.post("/settings/", settings_form(cast, email_after="60"))
    assert EmailPreference.objects.get(agent=cast.ben).minutes == 60
    page = client.get("/settings/").text
    assert re.search(r'value="60"[^>]*checked', page)
    assert "To ben@example.com" in page
    assert client.post("/settings/", settings_form(cast, email_after="7")).status_code == 422
    client.post("/settings/", settings_form(cast, email_after=""))
    assert not EmailPreference.objects.filter(agent=cast.ben).exists()


def test_it_is_offered_only_where_it_can_work(cast: Cast, mail: MailServer, settings: Any) -> None:
    assert "E-mail about what I missed" not in client_of(cast.ana).get("/settings/").text
    settings.EMAIL_URL = ""
    client = client_of(cast.ben)
    assert "E-mail about what I missed" not in client.get("/settings/").text
    client.post("/settings/", settings_form(cast))
    assert EmailPreference.objects.get(agent=cast.ben).minutes == 5


def test_looking_for_ten_thousand_agents_takes_one_query_that_walks_an_index(
    cast: Cast, mail: MailServer, clock: time_machine.Traveller
) -> None:
    agents = Agent.objects.bulk_create(
        Agent(username=f"a{n}", display_name=f"Agent {n}", email=f"a{n}@example.com")
        for n in range(2_000)
    )
    EmailPreference.objects.bulk_create(
        EmailPreference(agent=agent, minutes=5, told_until=0) for agent in agents
    )
    Membership.objects.bulk_create(
        Membership(inbox=cast.front_desk, agent=agent) for agent in agents
    )
    for _ in range(5):
        cast.text_in("Hello")
    missed.note_open_pages([agent.pk for agent in [*agents, cast.ben]])
    clock.move_to(after(7))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_emailpreference, messaging_notification, inboxes_agent")
    with CaptureQueriesContext(connection) as queries:
        missed.queue_due_emails()
    assert len(queries) == 1
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + missed._FIND_DUE, {"now": timezone.now(), "count": 500})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Cond: ((agent_id = wish.agent_id) AND (id > wish.told_until))" in plan
    assert "Seq Scan on messaging_notification" not in plan
