"""A text that was found afterwards, on a page that is open."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.house import (
    FRONT_DESK,
    House,
    bubble,
    fresh,
    history,
    row,
    shown,
    stranger,
    wait_until_live,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Sit = Callable[..., Page]

CAUSE = "for the test"


def arrive_late(house: House, sender: str, body: str) -> None:
    """It came half an hour ago and lay in quarantine; a worker tries it again."""
    said = {"type": "message", "id": body, "from": sender, "to": FRONT_DESK, "text": body}
    ((webhook, account),) = house.sql(
        "INSERT INTO messaging_webhook (account_id, path, headers, body, digest, is_quarantined,"
        " reason, received_at) SELECT id, '/', '{}', %s, %s, true, %s,"
        " now() - interval '30 minutes' FROM messaging_carrieraccount LIMIT 1"
        " RETURNING id, account_id",
        json.dumps(said).encode(),
        body,
        CAUSE,
    )
    house.sql(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
        " VALUES ('default', 'replay_quarantine', %s)",
        json.dumps({"account_id": account, "reason": CAUSE, "upto": webhook}),
    )


def test_a_late_text_stands_where_it_belongs_and_is_new_to_everybody(
    sit: Sit, house: House
) -> None:
    number = stranger()
    first, between, last = fresh("First"), fresh("Between"), fresh("Last")
    house.text_in(first, sender=number)
    house.sql(
        "UPDATE messaging_message SET created_at = now() - interval '1 hour' WHERE body = %s",
        first,
    )
    house.text_in(last, sender=number)
    page, other = sit("ana", house.thread(number)), sit("ben", house.inbox())
    for one in (page, other):
        wait_until_live(one)
    expect(row(other, shown(number)).locator(".row-marks")).to_contain_text("2 unread")

    arrive_late(house, number, between)
    expect(bubble(page, between)).to_contain_text("Arrived late")
    expect(history(page).locator(".text")).to_have_text([first, between, last])
    expect(row(other, shown(number))).to_contain_text(between)
    expect(row(other, shown(number)).locator(".row-marks")).to_contain_text("3 unread")
    expect(row(page, shown(number)).locator(".row-marks")).not_to_contain_text("unread")

    page.reload()
    expect(history(page).locator(".text")).to_have_text([first, between, last])
    expect(history(page).locator("[data-new]")).to_have_count(0)
