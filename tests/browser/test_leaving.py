"""Who loses a seat or signs out is out at once, on pages already open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.house import (
    DISPATCH,
    House,
    box,
    bubble,
    fresh,
    row,
    stranger,
    wait_until_live,
)

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    Enter = Callable[..., BrowserContext]
    Sit = Callable[..., Page]


def dispatch_in_admin(admin: Page, house: House) -> None:
    pk = house.inbox(DISPATCH).strip("/").split("/")[1]
    admin.goto(f"{house.url}/admin/inboxes/inbox/{pk}/change/")


def take_ben_out(admin: Page, house: House) -> None:
    dispatch_in_admin(admin, house)
    seat = admin.get_by_role("row").filter(has_text="Ben Okafor")
    seat.get_by_role("checkbox").check()
    admin.get_by_role("button", name="Save", exact=True).click()
    admin.get_by_text("was changed successfully").wait_for()


def let_ben_in(admin: Page, house: House) -> None:
    dispatch_in_admin(admin, house)
    admin.locator("tr.form-row:not(.has_original):not(.empty-form) .select2-selection").click()
    admin.locator(".select2-search__field").fill("ben")
    admin.get_by_role("option", name="Ben Okafor").click()
    admin.get_by_role("button", name="Save", exact=True).click()
    admin.get_by_text("was changed successfully").wait_for()


def test_a_removed_member_is_out_on_open_pages_and_back_in_without_a_reload(
    enter: Enter, sit: Sit, house: House
) -> None:
    number = stranger()
    house.text_in("To Dispatch", sender=number, to=DISPATCH)
    path = house.thread(number, DISPATCH)
    inside, top = sit("ben", path), sit("ben")
    for page in (inside, top):
        wait_until_live(page)
    row(top, "Dispatch").wait_for()
    admin = enter("admin").new_page()
    take_ben_out(admin, house)
    try:
        inside.wait_for_url(f"{house.url}/")
        for page in (inside, top):
            expect(row(page, "Front Desk")).to_have_count(1)
            expect(row(page, "Dispatch")).to_have_count(0)
        again = inside.goto(house.url + path)
        assert again is not None
        assert again.status == 404
        secret = fresh("Not for ben")
        house.text_in(secret, sender=number, to=DISPATCH)
        top.wait_for_timeout(300)
        assert secret not in top.content()
    finally:
        let_ben_in(admin, house)
    expect(row(top, "Dispatch")).to_contain_text(secret)
    body = fresh("For ben again")
    house.text_in(body, sender=number, to=DISPATCH)
    expect(row(top, "Dispatch")).to_contain_text(body)


def test_signing_out_ends_the_other_pages_of_that_session_and_of_no_other(
    enter: Enter, sit: Sit, house: House
) -> None:
    number = stranger()
    house.text_in("Who is there?", sender=number)
    browser = enter("ana", anew=True)
    staying, leaving = browser.new_page(), browser.new_page()
    staying.goto(house.url + house.thread(number))
    leaving.goto(house.url)
    elsewhere = sit("ana", house.thread(number))
    for page in (staying, elsewhere):
        wait_until_live(page)
    box(staying).fill("Half a thought")
    leaving.get_by_role("button", name="Sign out").click()
    leaving.get_by_role("button", name="Sign in").wait_for()
    staying.get_by_role("status").filter(has_text="You are signed out").wait_for()
    body = fresh("Only for those who stay")
    house.text_in(body, sender=number)
    bubble(elsewhere, body).wait_for()
    assert body not in staying.content()
    expect(box(staying)).to_have_value("Half a thought")
    staying.get_by_role("link", name="Sign in again").click()
    staying.get_by_role("textbox", name="Username").wait_for()
