"""A text to a group changes open pages: whom an answer reaches stands above the text box."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import httpx
from cryptography.fernet import Fernet
from playwright.sync_api import expect

from messaging.carriers.simulator import signature
from tests.browser.pages import (
    OpenPage,
    find_message,
    find_row,
    find_violations,
    format_number,
    make_unique,
    message_box,
    new_number,
    wait_until_live,
)
from tests.browser.server import Server
from tests.cast import FRONT_DESK


def receive_group_text(server: Server, body: str, *, sender: str, others: list[str]) -> None:
    """Post a webhook as the simulated carrier does, with the secret that both ends share."""
    [[token, stored]] = server.query(
        "SELECT token, encrypted_credentials FROM messaging_carrieraccount"
        " WHERE carrier = 'simulator'"
    )
    key = server.stack.environment["FIELD_KEYS"]
    secret = json.loads(Fernet(key).decrypt(stored.encode()))["secret"]
    event = {
        "type": "message",
        "id": make_unique("group"),
        "from": sender,
        "to": FRONT_DESK,
        "text": body,
        "others": others,
    }
    url = f"{server.stack.url}/webhooks/simulator/{token}/"
    content = json.dumps(event).encode()
    mark = signature(secret, urlsplit(url).path, content)
    headers = {"content-type": "application/json", "x-simulator-signature": mark}
    assert httpx.post(url, content=content, headers=headers, trust_env=False).status_code == 200


def test_an_open_conversation_says_that_an_answer_leaves_the_group(
    open_page: OpenPage, server: Server
) -> None:
    number, other = new_number(), new_number()
    server.receive_text("Hello?", sender=number)
    page = open_page("ana", server.thread_path(number))
    wait_until_live(page)
    note = page.get_by_text(
        f"This was a group text. Your reply goes to {format_number(number)} only."
    )
    expect(note).to_have_count(0)
    message_box(page).press_sequentially("Half an answer")
    words = make_unique("Hello everybody")
    receive_group_text(server, words, sender=number, others=[other, "+12025550199"])
    expect(note).to_be_visible()
    expect(message_box(page)).to_have_accessible_description(re.compile("^This was a group text"))
    expect(find_message(page, words)).to_contain_text(
        f"Group text, also to {format_number(other)} and (202) 555-0199"
    )
    expect(find_row(page, words)).to_contain_text("Group text")
    expect(message_box(page)).to_have_value("Half an answer")
    expect(message_box(page)).to_be_focused()
    assert find_violations(page) == []
    server.receive_text("And this to you alone", sender=number)
    expect(note).to_have_count(0)
