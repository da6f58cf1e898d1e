"""A media host on loopback, with TLS and a certificate authority, that counts connections."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from messaging.private_networks import Network, is_public
from tests.certificates import make_certificate

NAMES = ["media.carrier.test", "*.cdn.test"]
Answer = bytes | Callable[[ssl.SSLSocket], None]


def ok_response(body: bytes, **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *lines, "", ""])
    return head.encode() + body


def redirect_response(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


def trusting_context() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=make_certificate(*NAMES)[0].decode())


@dataclass
class MediaHost:
    """Hold `answers` by path; `connections` counts each one, also without a request."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    connections: int = 0
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def network(
        self,
        addresses: Mapping[str, list[str]] | list[str],
        is_allowed: Callable[[str], bool] = is_public,
    ) -> Network:
        """Return production's network, with this host's port, these names and its authority."""

        def resolve(host: str, port: int) -> list[str]:
            return addresses[host] if isinstance(addresses, Mapping) else addresses

        return Network("https", self.port, is_allowed, resolve, trusting_context)


@contextmanager
def media_host(address: str = "", port: int = 0) -> Iterator[MediaHost]:
    """Listen on every IPv4 and IPv6 address, unless one is given."""
    kind = socket.AF_INET if address else socket.AF_INET6
    with socket.socket(kind) as listening, TemporaryDirectory() as folder:
        if kind == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind((address or "::", port))
        listening.listen(16)
        listening.settimeout(0.05)
        pem = Path(folder) / "certificate.pem"
        pem.write_bytes(b"".join(make_certificate(*NAMES)))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pem)
        host = MediaHost(listening.getsockname()[1])
        ended = threading.Event()
        server = threading.Thread(target=_serve, args=(host, listening, tls, ended), daemon=True)
        server.start()
        try:
            yield host
        finally:
            ended.set()
            server.join(5)


def _serve(
    host: MediaHost, listening: socket.socket, tls: ssl.SSLContext, ended: threading.Event
) -> None:
    while not ended.is_set():
        try:
            connection, _ = listening.accept()
        except TimeoutError:
            continue
        host.connections += 1
        connection.settimeout(3)
        try:
            with tls.wrap_socket(connection, server_side=True) as line:
                _send_answer(host, line)
        except OSError:
            connection.close()  # a caller that does not trust us, or that had enough


def _send_answer(host: MediaHost, line: ssl.SSLSocket) -> None:
    raw = b""
    while b"\r\n\r\n" not in raw:
        chunk = line.recv(65536)
        if not chunk:
            return
        raw += chunk
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    path = first.split(" ")[1]
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in rest)}
    # A line that is closed over unread bytes takes the answer with it.
    while len(body) < int(headers.get("content-length", 0)) and (chunk := line.recv(65536)):
        body += chunk
    host.requests.append((path, headers))
    answer = host.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    if isinstance(answer, bytes):
        line.sendall(answer)
    else:
        answer(line)
