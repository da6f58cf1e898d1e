"""Run `mail_server.py` beside tests, and read what it took."""

from __future__ import annotations

import email
import email.policy
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.stack import ROOT


class MailServer:
    """An e-mail server that listens on a port, and the file of what it took."""

    def __init__(self, path: Path, port: int) -> None:
        self.path = path
        self.port = port

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def deliveries(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def emails(self) -> list[EmailMessage]:
        """Return the e-mails that it took, the oldest first."""
        return [
            email.message_from_string(one["content"], policy=email.policy.default)
            for one in self.deliveries()
        ]

    def await_emails(self, count: int, *, seconds: float = 10) -> list[EmailMessage]:
        deadline = time.monotonic() + seconds
        while len(self.deliveries()) < count:
            assert time.monotonic() < deadline, f"only {len(self.deliveries())} e-mails came"
            time.sleep(0.05)
        return self.emails()

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


@contextmanager
def running_mail_server(path: Path, *options: str) -> Iterator[MailServer]:
    command = [sys.executable, "tests/mail_server.py", str(path), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            yield MailServer(path, int(words[-1]))
        finally:
            process.terminate()


def use_server(settings: Any, port: int) -> None:
    """Send e-mails through the server at this port, as EMAIL_URL would have it."""
    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port


def plain_text(message: EmailMessage) -> str:
    part = message.get_body(["plain"])
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html_text(message: EmailMessage) -> str:
    part = message.get_body(["html"])
    assert part is not None
    return str(part.get_content())


def link_path(message: EmailMessage) -> str:
    """Return the path of the address in the plain part."""
    found = re.search(r"^http\S+$", plain_text(message), re.MULTILINE)
    assert found is not None
    return urlsplit(found[0]).path
