"""A text that was found afterwards appears on an open page."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from tests.browser.pages import (
    OpenPage,
    find_message,
    find_row,
    format_number,
    history,
    make_unique,
    new_number,
    wait_until_live,
)
from tests.browser.server import Server
from tests.cast import FRONT_DESK

CAUSE = "for the test"


def receive_late(server: Server, sender: str, body: str) -> None:
    """Receive a text that came half an hour ago and was quarantined, by replaying it."""
    said = {"type": "message", "id": body, "from": sender, "to": FRONT_DESK, "text": body}
    ((webhook, account),) = server.query(
        "INSERT INTO messaging_webhook (account_id, path, headers, body, digest, is_quarantined,"
        " reason, received_at) SELECT id, '/', '{}', %s, %s, true, %s,"
        " now() - interval '30 minutes' FROM messaging_carrieraccount LIMIT 1"
        " RETURNING id, account_id",
        json.dumps(said).encode(),
        body,
        CAUSE,
    )
    server.query(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
        " VALUES ('default', 'replay_quarantine', %s)",
        json.dumps({"account_id": account, "reason": CAUSE, "upto": webhook}),
    )


def test_a_late_text_stands_where_it_belongs_and_is_new_to_everybody(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    first, between, last = make_unique("First"), make_unique("Between"), make_unique("Last")
    server.receive_text(first, sender=number)
    server.query(
        "UPDATE messaging_message SET created_at = now() - interval '1 hour' WHERE body = %s",
        first,
    )
    server.receive_text(last, sender=number)
    page, other = (
        open_page("ana", server.thread_path(number)),
        open_page("ben", server.inbox_path()),
    )
    for one in (page, other):
        wait_until_live(one)
    expect(find_row(other, format_number(number)).locator(".row-unread")).to_contain_text(
        "2 unread"
    )

    receive_late(server, number, between)
    expect(find_message(page, between)).to_contain_text("Arrived late")
    expect(history(page).locator(".text")).to_have_text([first, between, last])
    expect(find_row(other, format_number(number))).to_contain_text(between)
    expect(find_row(other, format_number(number)).locator(".row-unread")).to_contain_text(
        "3 unread"
    )
    expect(find_row(page, format_number(number)).locator(".row-unread")).not_to_contain_text(
        "unread"
    )

    page.reload()
    expect(history(page).locator(".text")).to_have_text([first, between, last])
    expect(history(page).locator("[data-new]")).to_have_count(0)
