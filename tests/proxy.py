"""Run a proxy in front of Partyline that a test may set up wrongly."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

Headers = dict[str, str]
Request = tuple[str, Headers, bytes]


class Proxy:
    """Pass requests on to `target`, after `change`; or answer with `answer`."""

    def __init__(self) -> None:
        self.target = ""
        self.change: Callable[[str, Headers, bytes], Request] = lambda *request: request
        self.answer: tuple[int, Headers, bytes] | None = None
        self.calls = 0
        handler = type("Bound", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def speak_tls(self, context: ssl.SSLContext) -> None:
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        self.proxy.calls += 1
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.proxy.answer is not None:
            self._reply(*self.proxy.answer)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, headers, body = self.proxy.change(self.path, headers, body)
        there = http.client.HTTPConnection(urlsplit(self.proxy.target).netloc, timeout=20)
        there.request(self.command, path, body, headers | {"content-length": str(len(body))})
        answer = there.getresponse()
        self._reply(answer.status, {}, answer.read())
        there.close()

    def _reply(self, status: int, headers: Headers, body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """Start a proxy. Import this fixture to use it."""
    running = Proxy()
    yield running
    running.stop()
