"""Whoever has a password and guesses at codes is stopped for the day, and the agent is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from inboxes.invitations import actions
from inboxes.models import Agent, SignInFailure
from inboxes.sign_in import throttle, wrong_codes
from tests.cast import client_of
from tests.inboxes.sign_in.passkey_device import Device
from tests.inboxes.sign_in.people import PASSWORD, add_app, code_now, create_agent, sign_in
from tests.mail import MailServer, plain_text, running_mail_server, use_server
from tests.markup import read_words

pytestmark = pytest.mark.django_db

HOME, CODE_PAGE = "198.51.100.8", "/sign-in/code/"


@pytest.fixture
def mia() -> Agent:
    agent = create_agent("mia")
    Agent.objects.filter(pk=agent.pk).update(email="mia@example.com")
    add_app(agent)
    return Agent.objects.get(pk=agent.pk)


@pytest.fixture
def mail(tmp_path: Path, settings: Settings) -> Iterator[MailServer]:
    with running_mail_server(tmp_path / "taken.jsonl") as server:
        use_server(settings, server.port)
        yield server


def enter_wrong_codes(agent: Agent, count: int, *, hours_ago: int) -> None:
    """Have somebody enter wrong codes, each from another address."""
    of = throttle.codes_of(agent.pk)
    for number in range(count):
        SignInFailure.objects.create(
            address=f"203.0.113.{number}",
            subject=of.key,
            kind=of.kind,
            at=timezone.now() - timedelta(hours=hours_ago, seconds=number),
        )


def give(code: str, address: str = HOME) -> int:
    client = sign_in("mia", client=Client(REMOTE_ADDR=address))
    return client.post(CODE_PAGE, {"code": code}).status_code


def test_a_hundred_wrong_codes_in_a_day_are_the_last_ones_and_the_page_says_what_to_do(
    mia: Agent,
) -> None:
    enter_wrong_codes(mia, 98, hours_ago=20)
    assert [give("000000", f"192.0.2.{n}") for n in range(3)] == [200, 429, 429]
    client = sign_in("mia", client=Client(REMOTE_ADDR=HOME))
    answer = client.post(CODE_PAGE, {"code": code_now()})
    assert answer.status_code == 429
    assert "ask an administrator for a link to choose a new password" in read_words(answer)
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        assert give(code_now()) == 302


def test_a_passkey_still_is_the_second_step_then(mia: Agent) -> None:
    phone = Device(mia)
    enter_wrong_codes(mia, 100, hours_ago=0)
    client = sign_in("mia")
    page = client.get(CODE_PAGE)
    options = page.context["js_data"]["request_options"]["publicKey"]
    answer = client.post(CODE_PAGE, {"credential": phone.answer(options["challenge"])})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_wrong_passkeys_keep_no_code_out(mia: Agent) -> None:
    Device(mia)
    client = sign_in("mia")
    wrong = {"credential": '{"x": 1}'}
    answers = [client.post(CODE_PAGE, wrong).status_code for _ in range(11)]
    assert answers[-1] == 429
    assert client.post(CODE_PAGE, {"code": code_now()}).status_code == 302


def test_a_new_password_by_an_administrator_s_link_starts_anew(mia: Agent) -> None:
    root = create_agent("root", is_administrator=True)
    enter_wrong_codes(mia, 100, hours_ago=3)
    link = actions.send_reset_link(agent=mia, made_by=root)
    client = Client()
    client.post(link.url.removeprefix("http://127.0.0.1:8000"), {"password": "a garden of stones"})
    assert client.post(CODE_PAGE, {"code": code_now()}).status_code == 302


def test_the_account_page_tells_of_many_wrong_codes_until_the_password_is_changed(
    mia: Agent,
) -> None:
    client = client_of(mia)
    enter_wrong_codes(mia, 9, hours_ago=23)
    assert "wrong codes" not in read_words(client.get("/account/"))
    enter_wrong_codes(mia, 41, hours_ago=2)
    page = read_words(client.get("/account/"))
    assert "50 wrong codes were entered for you in the last 24 hours" in page
    assert "wrong codes" not in read_words(client_of(create_agent("eve")).get("/account/"))
    new = "a garden of stones"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/account/password/", form).status_code == 302
    assert "wrong codes" not in read_words(client.get("/account/"))


def warnings() -> list[int]:
    jobs = ProcrastinateJob.objects.filter(task_name=wrong_codes.WARN)
    return [job.args["agent_id"] for job in jobs]


def test_an_e_mail_warns_at_most_once_a_day(mia: Agent, mail: MailServer) -> None:
    enter_wrong_codes(mia, 8, hours_ago=1)
    give("000000")
    assert warnings() == []
    give("000000")
    give("000000")
    assert warnings() == [mia.pk]
    wrong_codes.send_warning(mia.pk)
    (message,) = mail.emails()
    assert message["To"] == "mia@example.com"
    assert "/account/password/" in plain_text(message)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        enter_wrong_codes(mia, 9, hours_ago=1)
        give("000000")
    assert warnings() == [mia.pk, mia.pk]


def test_without_a_server_or_an_address_no_e_mail_waits(mia: Agent, settings: Settings) -> None:
    enter_wrong_codes(mia, 20, hours_ago=1)
    give("000000")
    settings.EMAIL_URL = "smtp://localhost"
    Agent.objects.filter(pk=mia.pk).update(email="")
    give("000000")
    assert warnings() == []
