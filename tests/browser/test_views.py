"""The views of a list: a row with a menu behind it, or a column where there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import (
    NARROW,
    WIDE,
    OpenPage,
    expect_readable,
    find_row,
    format_number,
    new_number,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect, Locator, Page, ViewportSize

VERY_WIDE: ViewportSize = {"width": 1920, "height": 1080}
VIEWS = [
    "All", "Needs reply", "Mine", "Failed", "Open", "Unassigned", "Scheduled", "Snoozed", "Done",
    "Blocked",
]  # fmt: skip
DO = """([path, values]) => {
  const token = document.querySelector("#deeds [name=csrfmiddlewaretoken]").value;
  const body = new URLSearchParams({ ...values, csrfmiddlewaretoken: token });
  const headers = { "Time-Zone": Intl.DateTimeFormat().resolvedOptions().timeZone };
  return fetch(path, { method: "POST", body, headers }).then(answer => answer.status);
}"""


def views(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Views")


def view(page: Page, name: str) -> Locator:
    return views(page).get_by_role("link", name=name, exact=True)


def box_of(element: Locator) -> FloatRect:
    box = element.bounding_box()
    assert box is not None
    return box


def test_the_row_of_views_opens_as_a_menu_and_narrows_the_list(
    open_page: OpenPage, server: Server
) -> None:
    number, other = new_number(), new_number()
    for one in (number, other):
        server.receive_text("Is anybody there?", sender=one)
    page = open_page("ben", server.inbox_path(), viewport=NARROW, has_touch=True)
    wait_until_live(page)
    for name in VIEWS:
        expect(view(page, name)).to_be_visible()
    expect(view(page, "All")).to_have_attribute("aria-current", "page")
    height = box_of(views(page))["height"]
    page.get_by_role("button", name="All views").click()
    expect(view(page, "All")).to_be_focused()
    assert box_of(views(page))["height"] == height, "nothing below it moves"
    page.keyboard.press("ArrowDown")
    expect(view(page, "Needs reply")).to_be_focused()
    expect_readable(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="All views")).to_be_focused()
    page.get_by_role("button", name="All views").click()
    view(page, "Snoozed").click()
    expect(view(page, "Snoozed")).to_have_attribute("aria-current", "page")
    expect(view(page, "Snoozed")).to_be_focused()
    chosen, panel = box_of(view(page, "Snoozed")), box_of(page.locator("#views-panel"))
    assert chosen["x"] + chosen["width"] <= panel["x"] + panel["width"], "it is in sight"
    expect(find_row(page, format_number(number))).to_have_count(0)
    for is_left in (False, True):
        page.get_by_role("button", name="All views").click()
        view(page, "Urgent").click()
        expect(page).to_have_url(f"{server.url}{server.inbox_path()}?only=snoozed&only=urgent")
        expect(page.get_by_text("No conversations match")).to_be_visible()
        if not is_left:
            page.get_by_role("link", name="Remove Urgent").click()
            expect(page.get_by_role("list", name="Shown only")).to_have_count(0)
    page.get_by_role("link", name="Show all").click()
    expect(find_row(page, format_number(number))).to_be_visible()
    expect(view(page, "All")).to_have_attribute("aria-current", "page")
    expect_readable(page)


def test_a_very_wide_screen_has_the_views_in_a_column_beside_the_list(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Look here", sender=number)
    page = open_page("ben", server.inbox_path(), viewport=VERY_WIDE)
    wait_until_live(page)
    column, rows = box_of(views(page)), box_of(page.get_by_role("list", name="Threads"))
    assert column["x"] == 0
    assert rows["x"] == column["width"]
    assert 400 <= rows["width"] <= 420
    places = [box_of(view(page, name)) for name in [*VIEWS, "Urgent", "Low"]]
    assert [one["y"] for one in places] == sorted({one["y"] for one in places})
    expect(page.get_by_role("button", name="All views")).to_be_hidden()
    page.get_by_role("searchbox").fill("look")
    expect(find_row(page, format_number(number)).locator("mark")).to_be_visible()
    assert box_of(views(page)) == column, "it stays while one searches"
    page.get_by_role("searchbox").fill("")
    expect(find_row(page, format_number(number)).locator("mark")).to_have_count(0)
    expect_readable(page, VERY_WIDE)
    page.set_viewport_size(WIDE)
    expect(page.get_by_role("button", name="All views")).to_be_visible()


def test_a_row_says_whose_it_is_and_the_counts_follow(open_page: OpenPage, server: Server) -> None:
    number = new_number()
    server.receive_text("Can you come by?", sender=number)
    path = server.thread_path(number)
    ana = open_page("ana", f"{server.inbox_path()}?only=all")
    cho = open_page("cho", f"{server.inbox_path()}?only=mine")
    for page in (ana, cho):
        wait_until_live(page)
    row = find_row(ana, format_number(number))
    height = box_of(row)["height"]
    before = int(view(cho, "Mine").locator(".view-count").text_content() or 0)
    [[cho_id]] = server.query("SELECT id FROM inboxes_agent WHERE username = 'cho'")
    seen = {"message": "999999999"}
    assert ana.evaluate(DO, [f"{path}assign/", {"assignee": str(cho_id)}]) < 400
    expect(row.get_by_text("Assigned to Cho Park")).to_be_attached()
    expect(find_row(cho, format_number(number)).get_by_text("Assigned to you")).to_be_attached()
    expect(view(cho, "Mine")).to_have_accessible_description(str(before + 1))
    assert ana.evaluate(DO, [f"{path}snooze/", {"when": "tomorrow", **seen}]) < 400
    expect(row.get_by_text("until tomorrow")).to_be_visible()
    expect(find_row(cho, format_number(number))).to_have_count(0)
    assert ana.evaluate(DO, [f"{path}done/", seen]) < 400
    expect(row.get_by_text("Done", exact=True)).to_be_attached()
    assert box_of(row)["height"] == height
