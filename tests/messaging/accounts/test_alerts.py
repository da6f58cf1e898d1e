"""Administrators are told by e-mail, where there is a server, that a number receives nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from inboxes.models import Agent
from messaging.accounts.watching import check_account, check_number, set_back
from messaging.models import CarrierAccount, NumberConnection
from tests.cast import FRONT_DESK, Cast
from tests.mail import MailServer, html_text, plain_text, running_mail_server, use_server
from tests.messaging.accounts.numbers_of_account import THEIRS, connect, connected
from tests.messaging.carriers.number_far_ends.twilio import TwilioNumbers
from tests.messaging.stepped_worker import due_jobs, end_waits, run_jobs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with running_mail_server(tmp_path_factory.mktemp("mail") / "taken.jsonl") as server:
        yield server


@pytest.fixture
def mail(running_server: MailServer, settings: Any) -> MailServer:
    running_server.forget()
    use_server(settings, running_server.port)
    return running_server


@pytest.fixture
def row(account: CarrierAccount, far_end: TwilioNumbers, cast: Cast) -> NumberConnection:
    Agent.objects.filter(username__in=["admin", "ana"]).update(email="someone@example.com")
    far_end.add(FRONT_DESK)
    return check_number(connection=connected(account, FRONT_DESK))


def test_administrators_get_one_e_mail_for_a_change(
    row: NumberConnection, far_end: TwilioNumbers, mail: MailServer
) -> None:
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    check_number(connection=check_number(connection=row))
    end_waits()
    run_jobs()
    [sent] = mail.emails()
    for words in (plain_text(sent), html_text(sent)):
        assert "(202) 555-0110 (Front Desk) don't reach Partyline" in " ".join(words.split())
        assert "hooks.example.net" not in words
    assert "/admin/messaging/number/" in plain_text(sent)
    event = row.events.first()
    assert event is not None
    assert event.words == "Texts go to hooks.example.net. The Administrator was told by e-mail."


def test_who_set_it_back_before_is_not_told_any_more(
    row: NumberConnection, far_end: TwilioNumbers, mail: MailServer
) -> None:
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    set_back(connection=check_number(connection=row), agent=None)
    end_waits()
    run_jobs()
    assert mail.emails() == []


def test_without_a_server_nobody_is_said_to_be_told(
    row: NumberConnection, far_end: TwilioNumbers
) -> None:
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    check_number(connection=row)
    event = row.events.first()
    assert event is not None
    assert event.words == "Texts go to hooks.example.net."


def test_a_change_of_many_numbers_is_one_e_mail_for_each_administrator(
    account: CarrierAccount, far_end: TwilioNumbers, mail: MailServer, settings: Any, cast: Cast
) -> None:
    administrators = (cast.admin, cast.ana)
    for agent in administrators:
        Agent.objects.filter(pk=agent.pk).update(
            is_staff=True, email=f"{agent.username}@example.com"
        )
    addresses = [f"+1604555{at:04}" for at in range(30)]
    for address in addresses:
        far_end.add(address, state="missing")
    assert all(one.is_good for one in connect(account, *addresses))
    settings.PUBLIC_URL = "https://new.example.com"
    assert check_account(account=account) == 30
    end_waits()
    assert len(due_jobs()) == 2
    event = NumberConnection.objects.first().events.first()  # type: ignore[union-attr]
    assert event is not None
    assert event.words == "Texts go to texts.example.com.", "nobody was told yet"
    run_jobs()
    sent = mail.emails()
    assert len(sent) == 2
    for words in (plain_text(sent[0]), html_text(sent[0])):
        assert "new texts to 30 numbers don't reach Partyline" in " ".join(words.split())
        assert "PUBLIC_URL has changed since" in words
        assert words.count("(604) 555-") == 20
        assert "and 10 more" in words
    event.refresh_from_db()
    for agent in administrators:
        assert f"{agent.display_name} was told by e-mail." in event.words


def test_an_e_mail_that_is_refused_is_not_said_to_have_told_anybody(
    row: NumberConnection, far_end: TwilioNumbers, mail: MailServer, settings: Any
) -> None:
    use_server(settings, 1)
    far_end.change_elsewhere(FRONT_DESK, THEIRS)
    check_number(connection=row)
    end_waits()
    run_jobs()
    event = row.events.first()
    assert event is not None
    assert event.words == "Texts go to hooks.example.net."
