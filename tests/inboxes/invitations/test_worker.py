"""E-mails leave from the worker; a server that is away holds nothing up."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from inboxes.invitations import actions
from inboxes.models import OneTimeLink
from messaging.models import Message
from tests.cast import Cast
from tests.far_end_client import FarEnd, far_end
from tests.mail import MailServer, link_path
from tests.messaging.stepped_worker import carrier
from tests.messaging.worker_processes import run_workers, wait_until

__all__ = ["carrier", "far_end"]

pytestmark = pytest.mark.django_db(transaction=True)


class SilentServer:
    """Takes connections and never answers: the worst way in which a server can be away."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.taken: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.taken.append(self.listening.accept()[0])

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        for one in [self.listening, *self.taken]:
            one.close()


@pytest.fixture
def silent() -> Iterator[SilentServer]:
    server = SilentServer()
    yield server
    server.end()


def test_a_worker_sends_what_a_request_queued(
    cast: Cast, carrier: FarEnd, mail: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", mail.url)
    link = actions.invite(invited_by=cast.admin, email="canary.eva@example.com").link
    with run_workers(carrier, tmp_path / "workers.log") as log:
        (message,) = mail.await_emails(1, seconds=30)
        wait_until(lambda: OneTimeLink.objects.get(pk=link.pk).email_state == "sent", log)
    assert Client().get(link_path(message)).status_code == 200
    printed = log.read_text()
    assert "canary.eva" not in printed
    assert link_path(message).split("/")[2] not in printed


def test_texts_leave_while_the_e_mail_server_is_silent(
    cast: Cast,
    carrier: FarEnd,
    mail: MailServer,
    silent: SilentServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    doing = ProcrastinateJob.objects.filter(queue_name="emails", status="doing")
    monkeypatch.setenv("EMAIL_URL", f"smtp://127.0.0.1:{silent.port}")
    for number in range(4):
        actions.invite(invited_by=cast.admin, email=f"eva{number}@example.com")
    thread = cast.thread()
    with run_workers(carrier, tmp_path / "workers.log") as log:
        wait_until(lambda: doing.count() == 2, log)
        cast.answer(thread, "On our way")
        sent = Message.objects.filter(kind="outbound", state="sent")
        wait_until(sent.exists, log, 5)
        assert doing.count() == 2
        silent.end()
