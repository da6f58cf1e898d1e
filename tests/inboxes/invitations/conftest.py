from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.mail import MailServer, running_mail_server, use_server


@pytest.fixture(scope="module")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with running_mail_server(tmp_path_factory.mktemp("mail") / "taken.jsonl") as server:
        yield server


@pytest.fixture
def mail(running_server: MailServer, settings: Any) -> MailServer:
    """Set up e-mail, and return the server that takes it."""
    running_server.forget()
    use_server(settings, running_server.port)
    return running_server


@pytest.fixture
def away_mail(settings: Any) -> None:
    """Set up e-mail with a server that is away."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        use_server(settings, free.getsockname()[1])
