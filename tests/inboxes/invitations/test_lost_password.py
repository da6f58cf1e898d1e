"""Somebody who lost their password gets a link by e-mail; nobody learns who has an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes.invitations import actions, sending
from inboxes.models import Agent, OneTimeLink
from tests.cast import Cast
from tests.mail import MailServer, link_path, plain_text

NEW = {"password": "a garden of stones"}


@pytest.fixture(autouse=True)
def _address_of_ben(cast: Cast) -> None:
    Agent.objects.filter(pk=cast.ben.pk).update(email="ben@example.com")


def ask(login: str) -> Any:
    return Client().post("/password-reset/", {"login": login})


def asked_for() -> list[int | None]:
    """Return for whom links were asked, as the jobs say."""
    jobs = ProcrastinateJob.objects.filter(task_name="send_lost_password_link").order_by("id")
    return [job.args["agent_id"] for job in jobs]


def run_jobs() -> None:
    """Do what the worker does with what was asked for."""
    for agent_id in asked_for():
        if agent_id is not None:
            actions.send_lost_password_link(agent_id=agent_id)
    for link in OneTimeLink.objects.all():
        sending.send_link(link.pk)


@pytest.mark.parametrize("login", ["ben", "ben@example.com", "BEN@Example.com", " ben "])
def test_a_link_comes_by_e_mail_and_gives_a_new_password(
    cast: Cast, mail: MailServer, login: str
) -> None:
    assert ask(login).headers["Location"] == "/password-reset/?sent"
    assert mail.emails() == []
    run_jobs()
    (message,) = mail.emails()
    assert message["To"] == "ben@example.com"
    assert "Your username is ben." in plain_text(message)
    assert "If you didn't ask for this, ignore it" in plain_text(message)
    assert Client().post(link_path(message), NEW).status_code == 302
    assert Agent.objects.get(pk=cast.ben.pk).check_password(NEW["password"])
    assert Client().get(link_path(message)).status_code == 404


def test_the_link_works_for_an_hour(cast: Cast, mail: MailServer) -> None:
    ask("ben")
    run_jobs()
    path = link_path(mail.emails()[0])
    with time_machine.travel(timezone.now() + timedelta(minutes=59)):
        assert Client().get(path).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert Client().get(path).status_code == 404


def test_everybody_gets_the_same_answer_by_the_same_work(cast: Cast, mail: MailServer) -> None:
    Agent.objects.filter(pk=cast.cho.pk).update(email="cho@example.com", is_active=False)
    seen, work = set(), set()
    for login in ("ben", "ben@example.com", "ana", "nobody", "cho", "x@example.com"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = ask(login)
        seen.add((response.status_code, response.content, response.headers["Location"]))
        work.add(tuple(query["sql"].split()[0] for query in queries))
    assert len(seen) == 1
    assert len(work) == 1
    assert asked_for() == [cast.ben.pk, cast.ben.pk, None, None, None, None]


def test_two_agents_with_one_address_are_told_nothing(cast: Cast, mail: MailServer) -> None:
    Agent.objects.filter(pk=cast.cho.pk).update(email="Ben@example.com")
    ask("ben@example.com")
    ask("ben")
    assert asked_for() == [None, cast.ben.pk]


def test_an_address_means_its_owner_and_not_whoever_is_called_like_it(
    cast: Cast, mail: MailServer
) -> None:
    Agent.objects.create(
        username="ben@example.com", display_name="Mallory", email="mallory@example.com"
    )
    ask("ben@example.com")
    assert asked_for() == [cast.ben.pk]


def test_an_address_that_looks_alike_is_nobody_s(cast: Cast, mail: MailServer) -> None:
    Agent.objects.filter(pk=cast.ben.pk).update(email="kim@example.com")
    for login in ("k\u0131m@example.com", "\u212aim@example.com", "KIM@example.com"):
        ask(login)
    assert asked_for() == [None, None, cast.ben.pk]


def test_look_alikes_of_an_address_do_not_keep_its_owner_out(cast: Cast, mail: MailServer) -> None:
    for name in "abc":
        Agent.objects.create(username=name, display_name=name, email="b\u0131ll@example.com")
    bill = Agent.objects.create(username="bill", display_name="Bill", email="bill@example.com")
    ask("bill@example.com")
    assert asked_for() == [bill.pk]


def test_asking_again_and_again_sends_one_e_mail_in_five_minutes(
    cast: Cast, mail: MailServer
) -> None:
    for _ in range(3):
        ask("ben")
    run_jobs()
    assert len(mail.emails()) == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        run_jobs()
    assert len(mail.emails()) == 2


def test_asking_too_often_is_stopped_for_an_address(cast: Cast, mail: MailServer) -> None:
    answers = [ask("ben").status_code for _ in range(11)]
    assert answers == [302] * 10 + [429]
    assert ask("ana").status_code == 302


def test_nothing_typed_is_kept_in_a_job(cast: Cast, mail: MailServer) -> None:
    ask("hunter2-typed-by-mistake")
    assert "hunter2" not in str(list(ProcrastinateJob.objects.values()))


@pytest.mark.parametrize("login", ["", "   ", "x" * 255, "be\0n"])
def test_nonsense_is_said_beside_the_field(cast: Cast, mail: MailServer, login: str) -> None:
    response = ask(login)
    assert response.status_code == 422
    assert "field-error" in response.text
    assert asked_for() == []


def test_without_a_server_the_page_names_whom_to_ask(cast: Cast) -> None:
    for response in (Client().get("/password-reset/"), ask("ben")):
        assert response.status_code == 200
        assert "Ask an administrator for a link" in response.text
    assert asked_for() == []
