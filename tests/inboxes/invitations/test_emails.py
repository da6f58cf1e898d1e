"""Invitations and reset links by e-mail, through a server that speaks SMTP, or is away."""

from __future__ import annotations

import logging
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes.invitations import actions, sending
from inboxes.models import Agent, OneTimeLink
from tests.cast import Cast
from tests.certificates import make_certificate
from tests.mail import (
    MailServer,
    html_text,
    link_path,
    plain_text,
    running_mail_server,
    use_server,
)

JOINING = {"display_name": "Eva Stone", "username": "eva", "password": "a garden of stones"}


def invite(cast: Cast, email: str = "eva@example.com", **more: Any) -> OneTimeLink:
    return actions.invite(invited_by=cast.admin, email=email, **more).link


def send(link: OneTimeLink) -> OneTimeLink:
    """Send the link's e-mail as its job does, and return the link as it is then."""
    sending.send_link(link.pk)
    link.refresh_from_db()
    return link


def waiting_jobs() -> list[dict[str, Any]]:
    jobs = ProcrastinateJob.objects.filter(queue_name="emails", status="todo").order_by("id")
    return list(jobs.values("task_name", "args", "scheduled_at"))


def test_an_invitation_comes_by_e_mail_and_its_link_lets_in(cast: Cast, mail: MailServer) -> None:
    link = invite(cast, inboxes=[cast.front_desk])
    assert [job["args"] for job in waiting_jobs()] == [{"link_id": link.pk}]
    assert mail.emails() == []
    assert send(link).email_state == "sent"
    (message,) = mail.emails()
    assert message["To"] == "eva@example.com"
    assert message["From"] == "Partyline <partyline@localhost>"
    assert message["Subject"] == "The Administrator invites you to Partyline"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@127.0.0.1>")
    sent_at = parsedate_to_datetime(message["Date"]).replace(tzinfo=UTC)
    assert abs(sent_at - timezone.now()) < timedelta(minutes=1)
    for words in (plain_text(message), html_text(message)):
        assert "The Administrator invites you to Front Desk." in words
        assert link_path(message) in words
    assert "<img" not in html_text(message)
    assert Client().post(link_path(message), JOINING).status_code == 302
    assert Agent.objects.get(username="eva").email == "eva@example.com"


def test_the_link_that_the_administrator_sees_is_another_one_and_works_too(
    cast: Cast, mail: MailServer
) -> None:
    new = actions.invite(invited_by=cast.admin, email="eva@example.com")
    send(new.link)
    (message,) = mail.emails()
    shown = urlsplit(new.url).path
    assert shown != link_path(message)
    assert Client().post(shown, JOINING).status_code == 302
    assert Client().get(link_path(message)).status_code == 404


def test_no_token_is_stored_or_queued(cast: Cast, mail: MailServer) -> None:
    new = actions.invite(invited_by=cast.admin, email="eva@example.com")
    send(new.link)
    (message,) = mail.emails()
    rows = str([*OneTimeLink.objects.values(), *ProcrastinateJob.objects.values()])
    for path in (urlsplit(new.url).path, link_path(message)):
        assert path.split("/")[2] not in rows


def test_an_e_mail_is_sent_once(cast: Cast, mail: MailServer) -> None:
    link = send(invite(cast))
    send(link)
    assert len(mail.emails()) == 1


def test_a_revoked_link_is_not_sent(cast: Cast, mail: MailServer) -> None:
    link = invite(cast)
    actions.revoke(link=link, revoked_by=cast.admin)
    send(link)
    assert mail.emails() == []


def test_without_a_server_nothing_is_queued(cast: Cast) -> None:
    assert invite(cast).email_state == ""
    assert waiting_jobs() == []


def test_a_server_that_is_away_is_tried_again_with_the_same_link(
    cast: Cast, away_mail: None, running_server: MailServer, settings: Any
) -> None:
    link = invite(cast)
    ProcrastinateJob.objects.all().delete()
    assert send(link).email_state == "retrying"
    assert link.email_error == "The e-mail server can't be reached."
    first_hash = link.email_token_hash
    (job,) = waiting_jobs()
    assert job["args"] == {"link_id": link.pk}
    assert timedelta(seconds=25) < job["scheduled_at"] - timezone.now() < timedelta(seconds=31)
    send(link)
    latest = waiting_jobs()[-1]["scheduled_at"] - timezone.now()
    assert timedelta(seconds=115) < latest < timedelta(seconds=121)
    running_server.forget()
    use_server(settings, running_server.port)
    assert send(link).email_state == "sent"
    assert (link.email_error, link.email_failures) == ("", 0)
    assert bytes(link.email_token_hash or b"") == bytes(first_hash or b"")
    assert len(running_server.emails()) == 1


def test_what_a_server_refuses_for_now_is_tried_again_and_what_it_refuses_is_not(
    cast: Cast, mail: MailServer
) -> None:
    later = send(invite(cast, "later@example.com"))
    assert later.email_state == "retrying"
    assert later.email_error == "The e-mail server refuses it for now."
    ProcrastinateJob.objects.all().delete()
    refused = send(invite(cast, "refused@example.com"))
    assert refused.email_state == "failed"
    assert refused.email_error == "The e-mail server refuses the address."
    assert [job for job in waiting_jobs() if job["scheduled_at"]] == []


def test_an_e_mail_that_can_not_leave_before_its_link_ends_has_failed(
    cast: Cast, away_mail: None
) -> None:
    link = invite(cast)
    with time_machine.travel(link.expires_at - timedelta(seconds=10)):
        assert send(link).email_state == "failed"


def test_an_e_mail_whose_job_is_gone_is_queued_again(cast: Cast, away_mail: None) -> None:
    link = invite(cast)
    ProcrastinateJob.objects.all().delete()
    sending.wake_forgotten_emails()
    assert waiting_jobs() == []
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        sending.wake_forgotten_emails()
    assert [job["args"] for job in waiting_jobs()] == [{"link_id": link.pk}]


def test_an_untrusted_certificate_gets_no_password(
    cast: Cast, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(b"".join(make_certificate("localhost")))
    options = ["--certificate", str(certificate), "--user", "texts:se/cret"]
    with running_mail_server(tmp_path / "taken.jsonl", *options) as server:
        use_server(settings, server.port)
        settings.EMAIL_HOST, settings.EMAIL_USE_TLS = "localhost", True
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "texts", "se/cret"
        link = send(invite(cast))
        assert link.email_error == "The e-mail server offers no encryption that can be trusted."
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        settings.EMAIL_HOST_PASSWORD = "wrong"
        assert "refuses the user and password" in send(link).email_error
        settings.EMAIL_HOST_PASSWORD = "se/cret"
        assert send(link).email_state == "sent"
        (delivery,) = server.deliveries()
    assert (delivery["encrypted"], delivery["signed_in"]) == (True, True)


def test_a_name_with_a_line_break_adds_no_header(cast: Cast, mail: MailServer) -> None:
    Agent.objects.filter(pk=cast.admin.pk).update(display_name="Eve\r\nBcc: all@example.com")
    cast.admin.refresh_from_db()
    send(invite(cast))
    (message,) = mail.emails()
    assert message["Bcc"] is None
    assert message["Subject"] == "Eve Bcc: all@example.com invites you to Partyline"


def test_markup_in_a_name_stays_text(cast: Cast, mail: MailServer) -> None:
    Agent.objects.filter(pk=cast.admin.pk).update(display_name="<b>Eve</b> & Co")
    cast.admin.refresh_from_db()
    send(invite(cast))
    (message,) = mail.emails()
    assert "<b>Eve</b> & Co invites" in plain_text(message)
    assert "&lt;b&gt;Eve&lt;/b&gt; &amp; Co invites" in html_text(message)


def test_logs_name_neither_addresses_nor_links(
    cast: Cast, mail: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        new = actions.invite(invited_by=cast.admin, email="canary.eva@example.com")
        send(new.link)
        refused = send(invite(cast, "refused@example.com"))
        assert refused.email_state == "failed"
    assert "An e-mail was not sent: SMTPRecipientsRefused" in caplog.text
    (message,) = mail.emails()
    for secret in (
        "canary.eva",
        "refused@example.com",
        urlsplit(new.url).path.split("/")[2],
        link_path(message).split("/")[2],
    ):
        assert secret not in caplog.text
