"""Try the limits of the site that `manage.py nginx_site` writes, in a real nginx."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from urllib.parse import quote

import pytest

from config.management.commands.nginx_site import render_site
from tests.running_cluster import free_ports
from tests.stack import ROOT


@dataclass(frozen=True)
class Nginx:
    port: int
    web_port: int
    folder: Path

    def write_files(self) -> Path:
        """Return the path of the main file, which includes the site's."""
        (self.folder / "nginx").mkdir()
        (self.folder / "nginx/site.conf").write_text(
            site(self.folder, self.port, self.web_port, has_limits=True)
        )
        text = (ROOT / "deploy/cluster/nginx.conf.template").read_text()
        main = self.folder / "nginx/nginx.conf"
        main.write_text(text.replace("$data", str(self.folder)))
        return main


def site(folder: Path, port: int, web_port: int, *, has_limits: bool) -> str:
    return render_site(
        host="127.0.0.1",
        web_ports=[web_port],
        static=folder,
        logs=folder,
        addresses=[f"127.0.0.1:{port}"],
        certificates=None,
        has_limits=has_limits,
    )


async def answer_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer 200 with the head of the request; keep a request to a path with `/held` open."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/held" in head:
            await reader.read()
        size = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(head)
        writer.write(b"HTTP/1.1 200 OK\r\n" + size + head)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


@contextmanager
def running_upstream(port: int) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        asyncio.start_server(answer_request, "127.0.0.1", port, backlog=999)
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(asyncio.sleep(0))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@pytest.fixture(scope="module")
def nginx() -> Iterator[Nginx]:
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with tempfile.TemporaryDirectory(prefix="partyline-nginx-") as name:
        port = free_ports(2)
        started = Nginx(port, port + 1, Path(name))
        started.folder.chmod(0o711)
        command = [program, "-c", str(started.write_files())]
        subprocess.run([*command, "-t"], check=True, capture_output=True)
        with running_upstream(started.web_port):
            process = subprocess.Popen(command)
            try:
                _wait_until_listening(started)
                yield started
            finally:
                process.terminate()
                process.wait(10)


def _wait_until_listening(nginx: Nginx) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", nginx.port), 1).close()
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.02)
        else:
            return


def open_connection(nginx: Nginx, source: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", nginx.port), 20, (source, 0))


def send_requests(
    nginx: Nginx, source: str, method: str, path: str, times: int = 1
) -> tuple[Counter[str], str]:
    """Send requests on one connection. Returns the count of each status, and the last answer."""
    length = "Content-Length: 0\r\n" if method == "POST" else ""
    one = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nDaphne-Root-Path: /x\r\n{length}"
    last = f"{one}Connection: close\r\n\r\n"
    with open_connection(nginx, source) as out:
        out.sendall(f"{one}\r\n".encode() * (times - 1) + last.encode())
        text = b"".join(iter(lambda: out.recv(65536), b"")).decode()
    answers = text.split("HTTP/1.1 ")[1:]
    return Counter(one[:3] for one in answers if one[:3].isdigit()), answers[-1]


@pytest.mark.parametrize(
    ("number", "method", "path", "burst", "refusal"),
    [
        (1, "POST", "/sign-in/", 40, "429"),
        (2, "POST", "/sign-in/confirm/", 40, "429"),
        (3, "GET", "/admin/messaging/number/", 100, "429"),
        (4, "GET", "/live/", 400, "429"),
        (5, "GET", "/readyz", 20, "429"),
        (6, "POST", "/webhooks/twilio/x/", 900, "503"),
        (7, "POST", "/Webhooks/twilio/x/", 900, "503"),
        (8, "GET", "/sign-in/passkey/", 40, "429"),
    ],
)
def test_one_address_is_told_to_come_later_and_another_is_not(
    nginx: Nginx, number: int, method: str, path: str, burst: int, refusal: str
) -> None:
    caller, other = f"127.0.0.{10 + number}", f"127.0.0.{20 + number}"
    most, last = send_requests(nginx, caller, method, path, burst + 20)
    while refusal not in most:  # a slow machine gives time for more of them
        assert most.total() < 20_000
        found, last = send_requests(nginx, caller, method, path, 900)
        most += found
    assert most["200"] >= burst
    assert set(most) == {"200", refusal}
    if refusal == "429":
        assert "Retry-After: 10" in last
        assert "Try again in a moment." in last
    assert set(send_requests(nginx, other, method, path, 5)[0]) == {"200"}
    assert set(send_requests(nginx, caller, "GET", "/", 50)[0]) == {"200"}


def test_looking_at_the_sign_in_page_is_not_counted(nginx: Nginx) -> None:
    assert set(send_requests(nginx, "127.0.0.31", "GET", "/sign-in/", 90)[0]) == {"200"}


def test_one_address_holds_so_many_sockets(nginx: Nginx) -> None:
    request = b"GET /live/held HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with ExitStack() as opened, DefaultSelector() as selector:
        for _ in range(401):
            one = opened.enter_context(open_connection(nginx, "127.0.0.32"))
            selector.register(one, EVENT_READ, one)
            one.sendall(request)
        # nginx has two processes, so it may refuse another connection than the last one.
        (key, _), *others = selector.select(20)
        assert key.data.recv(100).startswith(b"HTTP/1.1 429 ")
        assert not others
        assert set(send_requests(nginx, "127.0.0.33", "GET", "/live/")[0]) == {"200"}


def test_a_callers_word_on_where_we_live_goes_no_further(nginx: Nginx) -> None:
    assert "Daphne-Root-Path" not in send_requests(nginx, "127.0.0.34", "GET", "/")[1]


def test_a_long_text_by_get_goes_through(nginx: Nginx) -> None:
    path = f"/webhooks/twilio/x/?Body={quote('𠮷' * 1600)}"
    assert set(send_requests(nginx, "127.0.0.35", "GET", path)[0]) == {"200"}


def test_the_log_has_no_account_token_however_the_address_is_spelled(nginx: Nginx) -> None:
    for number, path in enumerate(
        (
            "/webhooks/twilio/{}/",
            "//Webhooks//TWILIO//{}",
            "/webhooks/%22twilio%22/{}/",
            "/webhooks/signal%20wire/{}/",
            "/webhooks/twilio./{}/",
            "/webhooks/{}/",
        )
    ):
        send_requests(nginx, "127.0.0.36", "POST", path.format(f"Xylocanarytoken{number}"))
    end = time.monotonic() + 10
    log = nginx.folder / "partyline.log"
    while (text := log.read_text()).count("127.0.0.36") < 6:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert "xylocanary" not in text.lower()
    assert "/webhooks/twilio/-" in text


def test_on_one_machine_where_all_share_an_address_nothing_is_counted() -> None:
    text = site(Path("/nowhere"), 1, 2, has_limits=False)
    assert "rate=1r/s" not in text
    assert text.count("rate=10000r/s") == text.count("limit_req_zone ")
    assert "limit_conn partyline_sockets 10000;" in text
