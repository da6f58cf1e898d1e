"""The real program behind a line that can be cut, and what people do in its pages."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
from playwright.sync_api import BrowserContext, Locator, Page, WebSocket

from tests.browser.line import Line
from tests.stack import Stack, begin, wait_until_ready

FRONT_DESK = "+12025550110"
DISPATCH = "+12025550111"
WIDE = {"width": 1200, "height": 760}
NARROW = {"width": 390, "height": 780}

_words = itertools.count(1)
_people = itertools.count(200)


def fresh(sentence: str) -> str:
    """The sentence, made unlike any other of the run."""
    return f"{sentence} ({next(_words)})"


def stranger() -> str:
    """The number of somebody who never wrote before."""
    return f"+13035550{next(_people):03d}"


def shown(number: str) -> str:
    """A number as the pages write it."""
    return f"({number[2:5]}) {number[5:8]}-{number[8:]}"


@dataclass
class House:
    """`url` goes through the line, `stack.url` past it."""

    stack: Stack
    line: Line
    url: str
    outside: httpx.Client
    cookies: dict[str, Any] = field(default_factory=dict)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Django's own models cannot be used beside Playwright's event loop."""
        with psycopg.connect(self.stack.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def text_in(self, body: str, *, sender: str, to: str = FRONT_DESK) -> None:
        """A text from outside by the handset's form, past the line."""
        if "csrftoken" not in self.outside.cookies:
            self.outside.get(f"{self.stack.url}/simulator/").raise_for_status()
        number = self.sql("SELECT id FROM messaging_number WHERE address = %s", to)[0][0]
        form = {
            "sender": sender,
            "number": number,
            "text": body,
            "csrfmiddlewaretoken": self.outside.cookies["csrftoken"],
        }
        answer = self.outside.post(f"{self.stack.url}/simulator/send/", data=form)
        assert answer.status_code == 302, answer.text

    def lift(self, sender: str) -> None:
        """Bring somebody's thread up to the first page of its list, whatever was there before."""
        self.text_in("On the first page", sender=sender)

    def thread(self, sender: str, to: str = FRONT_DESK) -> str:
        """The path of a thread."""
        found = self.sql(
            "SELECT t.id FROM threads_thread t JOIN threads_contact c ON c.id = t.contact_id"
            " JOIN messaging_number n ON n.inbox_id = t.inbox_id"
            " WHERE c.address = %s AND n.address = %s",
            sender,
            to,
        )
        return f"/threads/{found[0][0]}/"

    def inbox(self, to: str = FRONT_DESK) -> str:
        """The path of a shared inbox."""
        found = self.sql("SELECT inbox_id FROM messaging_number WHERE address = %s", to)
        return f"/inboxes/{found[0][0]}/"

    def count(self, body: str) -> int:
        """How many messages with that very text there are."""
        found = self.sql("SELECT count(*) FROM messaging_message WHERE body = %s", body)
        return int(found[0][0])

    def stop(self) -> None:
        self.stack.stop(patience=40)

    def start(self) -> None:
        again = self.stack.again
        self.stack.process = again() if again else begin(self.stack.environment).process
        wait_until_ready(self.stack)

    @contextmanager
    def far_end(self, answer: str, receipts: str = "delivered") -> Iterator[None]:
        """The carrier behaves in a way, then well again."""
        tell = "UPDATE simulator_farend SET answer = %s, receipts = %s"
        self.sql(
            "INSERT INTO simulator_farend (id, answer, receipts)"
            " VALUES (1, 'accept', 'delivered') ON CONFLICT DO NOTHING"
        )
        self.sql(tell, answer, receipts)
        try:
            yield
        finally:
            self.sql(tell, "accept", "delivered")


def fill_sign_in(page: Page, who: str) -> None:
    page.get_by_role("textbox", name="Username").fill(who)
    page.get_by_role("textbox", name="Password").fill("partyline")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def sign_in(context: BrowserContext, house: House, who: str, *, anew: bool = False) -> None:
    """Sign a browser in. Unless `anew`, the session of an earlier test is used again."""
    if anew or who not in house.cookies:
        page = context.new_page()
        page.goto(f"{house.url}/sign-in/")
        fill_sign_in(page, who)
        page.close()
        if not anew:
            house.cookies[who] = context.cookies()
    else:
        context.add_cookies(house.cookies[who])


def handset(context: BrowserContext, house: House, number: str) -> Page:
    page = context.new_page()
    page.goto(f"{house.url}/simulator/?from={quote(number)}")
    return page


def text_from(phone: Page, body: str, to: str = "Front Desk") -> None:
    """Text from an open handset."""
    number = phone.get_by_role("combobox", name="To")
    number.select_option(number.get_by_role("option", name=to).get_attribute("value"))
    phone.get_by_role("textbox", name="Text").fill(body)
    phone.get_by_role("button", name="Send text").click()
    phone.get_by_text("Sent at").wait_for()


def sockets_of(page: Page) -> list[WebSocket]:
    """Every socket that the page opens from now on, in order."""
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    return sockets


def wait_until_live(page: Page) -> None:
    """The socket is open and has said something."""
    page.locator("html[data-connection=online]").wait_for(state="attached")


def history(page: Page) -> Locator:
    return page.get_by_role("log", name="History")


def bubble(page: Page, body: str) -> Locator:
    return history(page).get_by_role("article").filter(has_text=body)


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def answer(page: Page, body: str) -> None:
    box(page).fill(body)
    page.get_by_role("button", name="Send", exact=True).click()


def row(page: Page, words: str) -> Locator:
    return (
        page.get_by_role("navigation", name="Messages")
        .get_by_role("listitem")
        .filter(has_text=words)
    )


def texts(page: Page, selector: str) -> list[str]:
    """What stands in each element, without the white space of the markup."""
    return [re.sub(r"\s+", " ", text).strip() for text in page.locator(selector).all_inner_texts()]


def eventually(look: Callable[[], object], seconds: float = 20.0) -> None:
    """For what shows in the database or in a list of values rather than on the page."""
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
