"""On a phone: room for fingers, notches and the keyboard; a way back; the home screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.pages import OpenPage, find_row, format_number, history, message_box, new_number
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, FloatRect, Locator, Page


PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "screen": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
ON_ITS_SIDE: dict[str, Any] = {
    **PHONE,
    "viewport": {"width": 844, "height": 390},
    "screen": {"width": 844, "height": 390},
}
# Links within a sentence are as high as their line; everything else is for a finger.
SMALL = """() => {
  const reach = one => getComputedStyle(one, "::after").position === "absolute"
    ? one.closest(".bar-title") : one.closest("label") ?? one;
  return [...document.querySelectorAll(
    "a, button, input:not([type=hidden]), textarea, select, [role^=menuitem], [role=option]"
  )].filter(one => one.checkVisibility({ visibilityProperty: true })
    && !one.closest(".skip, .hidden") && !one.matches("p:not(.sub) > a:not([class])")
  ).map(one => [one, reach(one).getBoundingClientRect()])
    .filter(([, { width, height }]) => width < 44 || height < 44)
    .map(([one, { width, height }]) => `${one.outerHTML.slice(0, 80)} ${width}x${height}`);
}"""
INSETS = {"top": 47, "topMax": 47, "bottom": 34, "bottomMax": 34}
WITHIN = """([top, bottom]) => [...document.querySelectorAll(
    ".bar a, .bar button, .bar h1, .account > *, .tools button, .below, .sheet *"
  )].filter(one => one.checkVisibility() && !one.closest(".hidden")).filter(one => {
    const box = one.getBoundingClientRect();
    return box.top < top || box.bottom > innerHeight - bottom;
  }).map(one => one.outerHTML.slice(0, 80))"""


def open_on_phone(open_page: OpenPage, path: str, who: str | None = "ana") -> Page:
    return open_page(who, path, **PHONE)


def box_of(element: Locator) -> FloatRect:
    box = element.bounding_box()
    assert box is not None
    return box


def open_tools(page: Page) -> CDPSession:
    return page.context.new_cdp_session(page)


@pytest.fixture
def path(server: Server) -> str:
    """Return the path of a thread with one text in it."""
    number = new_number()
    server.receive_text("Is my bike ready?", sender=number)
    return server.thread_path(number)


def test_everything_is_large_enough_for_a_finger(
    open_page: OpenPage, server: Server, path: str
) -> None:
    page = open_on_phone(open_page, "/")
    for address in (
        "/",
        "/?q=555",
        server.inbox_path(),
        f"{server.inbox_path()}?q=a",
        path,
        "/start/",
        "/notifications/",
        "/settings/",
        "/account/",
    ):
        page.goto(server.url + address)
        assert page.evaluate(SMALL) == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        if address == path:
            message_box(page).fill("@")
            page.get_by_role("listbox").wait_for()
            assert page.evaluate(SMALL) == [], "the names to mention"
            message_box(page).fill("")
            page.get_by_role("button", name="Thread options").click()
            page.get_by_role("menu").wait_for()
            assert page.evaluate(SMALL) == [], "the options"
    assert open_on_phone(open_page, "/sign-in/", None).evaluate(SMALL) == []


def test_an_empty_box_is_one_row_and_grows_upwards(open_page: OpenPage, path: str) -> None:
    page = open_on_phone(open_page, path)
    row = page.locator(".box")
    parts = [
        page.get_by_role("button", name="Attach or send later"),
        message_box(page),
        page.get_by_role("button", name="Internal message", exact=True),
        page.get_by_role("button", name="Send", exact=True),
    ]
    places = [box_of(part) for part in parts]
    assert box_of(row)["height"] <= 46
    assert [place["x"] for place in places] == sorted(place["x"] for place in places)
    foot = box_of(row)["y"] + box_of(row)["height"]
    message_box(page).fill("One line\nand another\nand a third")
    assert box_of(row)["height"] > 80
    assert box_of(row)["y"] + box_of(row)["height"] == foot
    for part, place in zip(parts, places, strict=True):
        if part is not parts[1]:
            assert box_of(part) == place, "the buttons stay where they are"
    expect(page.locator("#message-scope").get_by_text("To the customer")).to_be_visible()
    parts[2].tap()
    expect(page.locator("#message-scope").get_by_text("Only your team sees this")).to_be_visible()
    expect(page.get_by_role("button", name="Add internal message")).to_be_visible()


def test_files_and_sending_later_are_behind_the_plus(open_page: OpenPage, path: str) -> None:
    page = open_on_phone(open_page, path)
    plus = page.get_by_role("button", name="Attach or send later")
    page.locator("html[data-attaching]").wait_for(state="attached")
    message_box(page).fill("Until tomorrow")
    plus.tap()
    assert page.evaluate(SMALL) == []
    menu = page.get_by_role("menu", name="Attach or send later")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    later = page.get_by_role("dialog", name="Send later")
    expect(later).to_be_in_viewport(ratio=1)
    expect(menu).to_be_hidden()
    later.get_by_role("button", name="In 1 hour").tap()
    expect(message_box(page)).to_have_value("")
    expect(page.get_by_role("link", name="Edit")).to_be_visible()
    page.get_by_role("button", name="Internal message", exact=True).tap()
    plus.tap()
    expect(menu.get_by_role("menuitem")).to_have_text(["Attach files", "Saved replies"])


def test_a_phone_on_its_side_shows_one_thing_at_a_time(
    open_page: OpenPage, server: Server, path: str
) -> None:
    page = open_page("ana", path, **ON_ITS_SIDE)
    expect(page.get_by_role("list", name="Threads")).to_be_hidden()
    assert box_of(history(page))["height"] > 180
    assert box_of(page.locator(".box"))["height"] <= 46
    assert page.evaluate(SMALL) == []
    page.get_by_role("button", name="Thread options").tap()
    menu = page.get_by_role("menu", name="Thread options")
    expect(menu).to_be_in_viewport(ratio=1)
    menu.get_by_role("menuitem", name="Delete").scroll_into_view_if_needed()
    expect(menu.get_by_role("menuitem", name="Delete")).to_be_in_viewport(ratio=1)
    expect(menu.get_by_role("menuitemradio", name="No priority")).to_have_count(1)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Back to Front Desk").tap()
    page.get_by_role("list", name="Threads").wait_for()
    expect(history(page)).to_be_hidden()
    for address in ("/", "/start/", "/notifications/", "/settings/", "/account/"):
        page.goto(server.url + address)
        assert page.evaluate(SMALL) == [], address


def test_signing_out_is_in_the_account_not_under_the_thumb(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana", "/", has_new_session=True, **PHONE)
    leave = page.get_by_role("button", name="Sign out", exact=True)
    expect(leave).to_be_hidden()
    page.get_by_role("link", name="Your account").tap()
    leave.scroll_into_view_if_needed()
    leave.tap()
    page.get_by_role("button", name="Sign in").wait_for()


def test_nothing_lies_under_the_notch_or_the_home_bar(
    open_page: OpenPage, server: Server, path: str
) -> None:
    page = open_on_phone(open_page, "/")
    open_tools(page).send("Emulation.setSafeAreaInsetsOverride", {"insets": INSETS})
    for address in ("/", path, "/settings/", "/sign-in/"):
        if address == "/sign-in/":
            page.context.clear_cookies()
        page.goto(server.url + address)
        expect(page.locator("body")).to_have_css("padding-top", "47px")
        assert page.evaluate(WITHIN, [47, 34]) == [], address
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight"), address


COVER = """height => {
  Object.defineProperty(visualViewport, "height", { value: height, configurable: true });
  visualViewport.dispatchEvent(new Event("resize"));
}"""


def test_a_keyboard_over_the_page_never_covers_the_box(open_page: OpenPage, path: str) -> None:
    page = open_on_phone(open_page, path)
    content = page.locator("meta[name=viewport]").get_attribute("content") or ""
    assert "interactive-widget=resizes-content" in content
    assert "viewport-fit=cover" in content
    message_box(page).tap()
    for height in (480, 844):
        page.evaluate(COVER, height)
        send = page.get_by_role("button", name="Send", exact=True).bounding_box()
        assert send is not None
        assert height - 80 < send["y"] + send["height"] <= height
        expect(history(page).get_by_role("article").last).to_be_in_viewport()


def test_back_finds_the_list_as_it_was_left(open_page: OpenPage, server: Server) -> None:
    for _ in range(14):
        server.receive_text("One of many", sender=new_number())
    page = open_on_phone(open_page, "/")
    find_row(page, "Front Desk").get_by_role("link").tap()
    threads = page.get_by_role("list", name="Threads")
    threads.evaluate("list => { window.sameList = list }")
    last = threads.locator(".row").nth(12)
    last.scroll_into_view_if_needed()
    scrolled = threads.evaluate("list => list.scrollTop")
    assert scrolled > 0
    for step in (page.go_back, page.get_by_role("link", name="Back to Front Desk").tap):
        last.get_by_role("link").tap()
        expect(history(page)).to_be_visible()
        expect(threads).to_be_hidden()
        step()
        expect(threads).to_be_visible()
        expect(page).to_have_url(server.url + server.inbox_path())
        assert threads.evaluate("list => list.scrollTop") == scrolled
        assert threads.evaluate("list => list === window.sameList"), "nothing was loaded again"
        expect(last.get_by_role("link")).to_be_focused()
    last.get_by_role("link").tap()
    expect(history(page)).to_be_visible()
    page.evaluate("history.go(-2)")
    page.get_by_role("list", name="Conversations").wait_for()
    page.go_forward()
    expect(threads).to_be_visible()
    assert threads.evaluate("list => list !== window.sameList && list.scrollTop") == scrolled


def test_the_links_back_leave_no_dead_entries_behind(
    open_page: OpenPage, server: Server, path: str
) -> None:
    number = server.query(
        "SELECT c.address FROM threads_contact c JOIN threads_thread t ON t.contact_id = c.id"
        " WHERE t.id = %s",
        int(path.split("/")[2]),
    )[0][0]
    page = open_on_phone(open_page, "/")
    before = page.evaluate("history.length")
    find_row(page, "Front Desk").get_by_role("link").tap()
    page.get_by_role("list", name="Threads").wait_for()
    find_row(page, format_number(number)).get_by_role("link").tap()
    history(page).wait_for()
    assert page.evaluate("history.length") == before + 2
    page.get_by_role("link", name="Back to Front Desk").tap()
    page.get_by_role("list", name="Threads").wait_for()
    page.get_by_role("link", name="Back to messages").tap()
    page.get_by_role("list", name="Conversations").wait_for()
    expect(page).to_have_url(server.url + "/")
    assert page.evaluate("history.length") == before + 2, "two steps back, none further on"
    page.go_forward()
    page.get_by_role("list", name="Threads").wait_for()
    page.go_forward()
    history(page).wait_for()
    expect(page).to_have_url(server.url + path)


def test_a_link_back_from_elsewhere_goes_on_to_the_list(
    open_page: OpenPage, server: Server, path: str
) -> None:
    page = open_on_phone(open_page, path)
    page.get_by_role("link", name="Back to Front Desk").tap()
    page.get_by_role("list", name="Threads").wait_for()
    expect(page).to_have_url(server.url + server.inbox_path())


def test_a_thread_that_is_opened_twice_is_one_step(
    open_page: OpenPage, server: Server, path: str
) -> None:
    page = open_page("ana", server.inbox_path())
    link = page.locator(f".row-thread a[href='{path}']")
    link.click()
    history(page).wait_for()
    entries = page.evaluate("history.length")
    with page.expect_response(f"**{path}"):
        link.click()
    history(page).wait_for()
    assert page.evaluate("history.length") == entries
    page.go_back()
    page.get_by_text("Nothing selected").wait_for()


def test_it_can_be_put_on_a_home_screen(open_page: OpenPage, server: Server) -> None:
    page = open_on_phone(open_page, "/")
    found = open_tools(page).send("Page.getAppManifest")
    assert found["errors"] == []
    assert found["url"] == f"{server.url}/manifest.webmanifest"
    errors = open_tools(page).send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {error["errorId"] for error in errors} <= {"in-incognito"}, "as every test's browser is"
    icons = page.evaluate("fetch('/manifest.webmanifest').then(a => a.json()).then(a => a.icons)")
    touch = page.locator("link[rel=apple-touch-icon]").get_attribute("href")
    for icon in [*(icon["src"] for icon in icons), touch]:
        answer = page.request.get(server.url + icon)
        assert answer.ok
        assert answer.headers["content-type"] == "image/png"
        assert "immutable" in answer.headers["cache-control"], "its name has its hash"
    for scheme, colour in (("light", "#ffffff"), ("dark", "#14171c")):
        theme = page.locator(f"meta[name=theme-color][media*={scheme}]")
        expect(theme).to_have_attribute("content", colour)
