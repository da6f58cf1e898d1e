"""Without JavaScript everything works but what is live by nature."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.house import (
    House,
    answer,
    box,
    bubble,
    eventually,
    fill_sign_in,
    fresh,
    history,
    row,
    shown,
    stranger,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Sit = Callable[..., Page]


def reload_until(page: Page, body: str, state: str) -> None:
    def look() -> bool:
        page.reload()
        return bubble(page, body).get_by_text(state).is_visible()

    eventually(look)


def test_one_signs_in_reads_answers_and_retries(sit: Sit, house: House) -> None:
    number, body = stranger(), fresh("By hand")
    house.text_in("No scripts here", sender=number)
    page = sit(None, java_script_enabled=False)
    fill_sign_in(page, "ben")
    row(page, "Front Desk").get_by_role("link").click()
    row(page, shown(number)).get_by_role("link").click()
    answer(page, " ")
    page.get_by_role("alert").filter(has_text="Write something first.").wait_for()
    with house.far_end("reject"):
        answer(page, body)
        reload_until(page, body, "Failed")
    bubble(page, body).get_by_role("button", name="Retry").click()
    reload_until(page, body, "Delivered")
    expect(page).to_have_url(house.url + house.thread(number))
    assert house.count(body) == 1
    page.get_by_role("link", name="Back to messages").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for()


def test_too_much_is_kept_in_the_box(sit: Sit, house: House) -> None:
    page = sit("ben", house.thread("+12025550142"), java_script_enabled=False)
    body = fresh("Much") + "x" * 1600
    answer(page, body)
    page.get_by_role("alert").filter(has_text="This is too long").wait_for()
    expect(box(page)).to_have_value(body)


def test_older_pages_are_links(sit: Sit, house: House) -> None:
    page = sit("ben", house.thread("+12025550126"), java_script_enabled=False)
    newest = history(page).get_by_role("article").last.inner_text()
    page.get_by_role("link", name="Show earlier messages").click()
    expect(history(page).get_by_role("article").last).not_to_have_text(newest)
    page.get_by_role("link", name="Show the newest messages").click()
    assert history(page).get_by_role("article").last.inner_text() == newest
