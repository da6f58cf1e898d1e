"""Run the program for the browser tests, and reach its database and the outside world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

from config.demo import PASSWORD
from tests.browser.cable import Cable
from tests.cast import FRONT_DESK
from tests.stack import Stack, start_stack, wait_until_ready


@dataclass
class Server:
    """Browsers reach it at `url`, through the cable; `stack.url` goes past the cable."""

    stack: Stack
    cable: Cable
    url: str
    outside: httpx.Client
    connection: psycopg.Connection[tuple[Any, ...]]
    cookies: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def url_of(self, host: str) -> str:
        """Return the address by another name of this machine."""
        return f"http://{host}:{self.cable.port}"

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run SQL: Django's own models cannot be used beside Playwright's event loop."""
        cursor = self.connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def forget_views(self) -> None:
        """Let plain links show everything again, as to agents who never chose a view."""
        self.query("UPDATE inboxes_membership SET view = '' WHERE view <> ''")
        self.query("UPDATE inboxes_agent SET top_view = '' WHERE top_view <> ''")

    def cookies_of(
        self, username: str, *, host: str = "127.0.0.1", is_new: bool = False
    ) -> list[Any]:
        """Return the cookies of a signed-in browser. Unless `is_new`, a session is shared."""
        if is_new or (username, host) not in self.cookies:
            with httpx.Client(trust_env=False, timeout=20) as client:
                client.get(f"{self.stack.url}/sign-in/").raise_for_status()
                form = {
                    "username": username,
                    "password": PASSWORD,
                    "csrfmiddlewaretoken": client.cookies["csrftoken"],
                }
                answer = client.post(f"{self.stack.url}/sign-in/", data=form)
                assert answer.status_code == 302, answer.text
                cookies = [
                    {"name": name, "value": value, "url": self.url_of(host)}
                    for name, value in client.cookies.items()
                ]
            if is_new:
                return cookies
            self.cookies[username, host] = cookies
        return self.cookies[username, host]

    def receive_text(self, body: str, *, sender: str, to: str = FRONT_DESK) -> None:
        """Text one of our numbers by the handset's form, past the cable."""
        if "csrftoken" not in self.outside.cookies:
            self.outside.get(f"{self.stack.url}/simulator/").raise_for_status()
        number = self.query("SELECT id FROM messaging_number WHERE address = %s", to)[0][0]
        form = {
            "sender": sender,
            "number": number,
            "text": body,
            "csrfmiddlewaretoken": self.outside.cookies["csrftoken"],
        }
        answer = self.outside.post(f"{self.stack.url}/simulator/send/", data=form)
        assert answer.status_code == 302, answer.text

    def mark_all_read(self) -> None:
        """Leave no unread notification, for any agent.

        A page that is opened shows those of the last minute, also if they are another test's.
        """
        self.query("UPDATE messaging_notification SET read_at = now() WHERE read_at IS NULL")

    def raise_thread(self, sender: str) -> None:
        """Bring a contact's thread to the first page of its list."""
        self.receive_text("On the first page", sender=sender)

    def thread_path(self, sender: str, to: str = FRONT_DESK) -> str:
        found = self.query(
            "SELECT t.id FROM threads_thread t JOIN threads_contact c ON c.id = t.contact_id"
            " JOIN messaging_number n ON n.inbox_id = t.inbox_id"
            " WHERE c.address = %s AND n.address = %s",
            sender,
            to,
        )
        return f"/threads/{found[0][0]}/"

    def inbox_path(self, to: str = FRONT_DESK) -> str:
        found = self.query("SELECT inbox_id FROM messaging_number WHERE address = %s", to)
        return f"/inboxes/{found[0][0]}/"

    def count_messages(self, body: str) -> int:
        """Count the messages with that very text."""
        found = self.query("SELECT count(*) FROM messaging_message WHERE body = %s", body)
        return int(found[0][0])

    def stop(self) -> None:
        self.stack.stop(patience=40)

    def start(self) -> None:
        again = self.stack.again
        self.stack.process = again() if again else start_stack(self.stack.environment).process
        wait_until_ready(self.stack)

    @contextmanager
    def set_carrier(self, answer: str, receipts: str = "delivered") -> Iterator[None]:
        """Change how the simulated carrier behaves, and restore it afterwards."""
        change = "UPDATE simulator_farend SET answer = %s, receipts = %s"
        self.query(
            "INSERT INTO simulator_farend (id, answer, receipts)"
            " VALUES (1, 'accept', 'delivered') ON CONFLICT DO NOTHING"
        )
        self.query(change, answer, receipts)
        try:
            yield
        finally:
            self.query(change, "accept", "delivered")
