"""A push service on this machine, the browsers that it serves, and the worker's part."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from threading import Thread as Runner
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from messaging import base64url
from messaging.models import Message
from messaging.notifications import push, webpush

SILENT, DRIPPING = "silent", "dripping"


class Browser:
    """Hold the keys of a browser that subscribed, and decrypt what it is sent."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = b"sixteen bytes ok"

    @property
    def form_fields(self) -> dict[str, str]:
        return {
            "p256dh": base64url.encode(webpush.public_bytes(self.key)),
            "auth": base64url.encode(self.auth),
        }

    def open(self, body: bytes) -> Any:
        """Decrypt a body as RFC 8291's receiver, written apart from the sender."""
        salt, length = body[:16], body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self.key.exchange(ec.ECDH(), point)
        info = b"WebPush: info\0" + webpush.public_bytes(self.key) + sender
        material = HKDF(hashes.SHA256(), 32, self.auth, info).derive(shared)
        key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(material)
        nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(material)
        plain = AESGCM(key).decrypt(nonce, sealed, None)
        assert plain.endswith(b"\x02")
        return json.loads(plain[:-1])


class FakeService(ThreadingHTTPServer):
    """Play a push service that logs its requests.

    `answers` by name: a status, or one of `SILENT` and `DRIPPING`.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.log: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: dict[str, int | str] = {}
        self.has_ended = Event()

    def endpoint(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: FakeService

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.log.append((self.path[1:], dict(self.headers), body))
        answer = self.server.answers.get(self.path[1:], 201)
        if isinstance(answer, int):
            self.send_response(answer)
            self.end_headers()
            return
        self.close_connection = True
        with contextlib.suppress(OSError):  # the caller had enough
            while not self.server.has_ended.wait(0.02):
                self.wfile.write(b"H" if answer == DRIPPING else b"")

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture
def service(settings: Settings) -> Iterator[FakeService]:
    settings.PUSH_ANYWHERE = True
    server = FakeService()
    runner = Runner(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    runner.start()
    yield server
    server.has_ended.set()
    server.shutdown()
    runner.join()
    server.server_close()


def run_push_jobs(message: Message) -> None:
    """Run a message's push job, and those that it defers, as the worker does."""
    push.push_message(message.pk)
    made = ProcrastinateJob.objects.filter(task_name="push_agent").order_by("pk")
    todo = list(made.values_list("args", flat=True))
    made.delete()
    for args in todo:
        push.push_agent(**args, is_ending=lambda: False)


def subscribe_browser(client: Client, endpoint: str, browser: Browser) -> None:
    answer = client.post("/settings/push/", {"endpoint": endpoint, **browser.form_fields})
    assert answer.status_code == 204, answer.content
