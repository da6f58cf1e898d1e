"""Through the real server: long texts arrive, closing pages do not affect others, and a page that
does not read is closed."""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from messaging.live.frames import FRAME_LIMIT, HEARTBEAT
from messaging.live.hub import HEARTBEAT_INTERVAL
from messaging.live.reading import BATCH
from tests.stack import Stack, running_stack

LONGEST = "😀" * 1590
CUSTOMER = "+12025550177"


@dataclass
class RunningDemo:
    """Hold a running demo, ana's cookies, and a thread of hers."""

    stack: Stack
    browser: httpx.Client
    inbox: int
    thread: int
    number: int

    def run_sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.stack.database_url, autocommit=True) as connection:
            found = connection.execute(statement.encode(), values)
            return found.fetchall() if found.description else []

    def text_in(self, body: str) -> None:
        form = {"sender": CUSTOMER, "number": self.number, "text": body}
        form["csrfmiddlewaretoken"] = self.browser.cookies["csrftoken"]
        assert self.browser.post("/simulator/send/", data=form).status_code == 302

    @property
    def view(self) -> dict[str, Any]:
        (seq,) = self.run_sql("SELECT seq FROM inboxes_inbox WHERE id = %s", self.inbox)[0]
        seqs = {f"l{self.inbox}": seq, f"t{self.thread}": seq}
        return {"list": self.inbox, "thread": self.thread, "seqs": seqs}

    def open_page(self, view: dict[str, Any] | None = None) -> ClientConnection:
        cookies = "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items())
        view = view or self.view
        page: ClientConnection = connect(
            f"ws://127.0.0.1:{self.stack.port}/live/?look={quote(json.dumps(view))}",
            origin=Origin(self.stack.url),
            additional_headers={"Cookie": cookies},
            proxy=None,
            max_size=None,
        )
        return page


class DeafPage:
    """Play a page that sends messages but never reads a byte, and notices when the server hangs
    up."""

    def __init__(self, demo: RunningDemo) -> None:
        cookies = "; ".join(f"{name}={value}" for name, value in demo.browser.cookies.items())
        port = demo.stack.port
        self._line = socket.create_connection(("127.0.0.1", port))
        self._line.sendall(
            f"GET /live/?look={quote(json.dumps(demo.view))} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
            f"Origin: {demo.stack.url}\r\nCookie: {cookies}\r\n\r\n".encode()
        )
        assert self._line.recv(12) == b"HTTP/1.1 101"
        self._took: float | None = None
        self._thread = threading.Thread(target=self._keep_sending, daemon=True)
        self._thread.start()

    def _keep_sending(self) -> None:
        begun = time.monotonic()
        closing = select.poll()
        closing.register(self._line, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        while not closing.poll(250) and time.monotonic() < begun + 30:
            self._line.sendall(b"\x81\x82\0\0\0\0{}")
        self._took = time.monotonic() - begun

    def seconds_until_closed(self) -> float:
        """Return the seconds from its opening until it was closed."""
        self._thread.join(30)
        self._line.close()
        assert self._took is not None
        return self._took


@pytest.fixture(scope="module")
def deaf_page(demo: RunningDemo) -> DeafPage:
    """Open it before the other tests, which run while it waits to be closed."""
    return DeafPage(demo)


@pytest.fixture(scope="module")
def demo() -> Iterator[RunningDemo]:
    with running_stack("live_harm") as stack, httpx.Client(base_url=stack.url) as browser:
        browser.get("/sign-in/")
        token = browser.cookies["csrftoken"]
        form = {"username": "ana", "password": "partyline", "csrfmiddlewaretoken": token}
        assert browser.post("/sign-in/", data=form).status_code == 302
        browser.get("/simulator/")
        found = RunningDemo(stack, browser, 0, 0, 0)
        found.inbox, found.number = found.run_sql(
            "SELECT inbox_id, number.id FROM messaging_number AS number"
            " JOIN inboxes_inbox AS inbox ON inbox.id = inbox_id WHERE inbox.name = 'Front Desk'"
        )[0]
        found.text_in("The first one")
        (found.thread,) = found.run_sql(
            "SELECT thread.id FROM threads_thread AS thread JOIN threads_contact AS contact"
            " ON contact.id = contact_id WHERE address = %s AND thread.inbox_id = %s",
            CUSTOMER,
            found.inbox,
        )[0]
        yield found


def receive_until(
    page: ClientConnection, mark: str, times: int = 1, seconds: float = 20
) -> list[str]:
    """Return frames until the mark was in that many bubbles."""
    frames: list[str] = []
    end = time.monotonic() + seconds
    while count_bubbles(frames, mark) < times:
        frame = page.recv(timeout=max(0.01, end - time.monotonic()))
        assert isinstance(frame, str)
        frames.append(frame)
    return frames


def count_bubbles(frames: list[str], mark: str) -> int:
    rows = "".join(json.loads(frame).get("rows", "") for frame in frames)
    return sum(mark in bubble for bubble in rows.split("<article")[1:])


def receive_heartbeat(page: ClientConnection) -> None:
    end = time.monotonic() + 1.5 * HEARTBEAT_INTERVAL
    while page.recv(timeout=max(0.01, end - time.monotonic())) != HEARTBEAT:
        pass


def test_the_longest_texts_reach_open_pages(demo: RunningDemo, deaf_page: DeafPage) -> None:
    with demo.open_page() as page:
        for count in range(5):
            demo.text_in(f"open {count} {LONGEST[:1580]}")
            receive_until(page, f"open {count} ")
        receive_heartbeat(page)


def test_a_page_that_missed_more_than_a_batch_of_the_longest_texts_gets_them_all(
    demo: RunningDemo,
) -> None:
    view = demo.view
    for count in range(BATCH + 5):
        demo.text_in(f"missed {count:03} {LONGEST[:1575]}")
    with demo.open_page(view) as page:
        frames = receive_until(page, "missed ", BATCH + 5)
    assert max(len(frame.encode()) for frame in frames) <= FRAME_LIMIT
    told = [json.loads(frame) for frame in frames]
    assert sum(f"t{demo.thread}" in frame.get("seqs", {}) for frame in told) >= 2, (
        "a page whose line breaks in between goes on where it was"
    )
    rows = "".join(frame.get("rows", "") for frame in told)
    assert all(f"missed {count:03} " in rows for count in range(BATCH + 5))


def test_pages_that_close_do_not_affect_others(demo: RunningDemo) -> None:
    is_over = threading.Event()

    def come_and_go() -> None:
        while not is_over.is_set():
            try:
                with demo.open_page() as page:
                    page.recv(timeout=5)
            except (ConnectionClosed, TimeoutError, OSError):
                pass

    with demo.open_page() as stays:
        guests = [threading.Thread(target=come_and_go) for _ in range(4)]
        for guest in guests:
            guest.start()
        try:
            for count in range(25):
                demo.text_in(f"beside closes {count:02}")
            receive_until(stays, "beside closes ", 25)
            receive_heartbeat(stays)
        finally:
            is_over.set()
            for guest in guests:
                guest.join()
    assert "Traceback" not in demo.stack.log


def test_a_page_that_never_reads_is_closed_and_the_others_go_on(
    demo: RunningDemo, deaf_page: DeafPage
) -> None:
    with demo.open_page() as reads:
        assert deaf_page.seconds_until_closed() < 15
        demo.text_in("still here")
        receive_until(reads, "still here")
