"""The pages as people see them: readable in both themes, at every width, and without scripts."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.pages import (
    NARROW,
    THEMES,
    TINY,
    WIDE,
    ZOOMED,
    OpenBrowser,
    OpenPage,
    expect_readable,
    find_violations,
    history,
    message_box,
    new_number,
    open_first_inbox,
    send_text,
    thread_list,
    wait_until,
)
from tests.browser.server import Server

BUDGET = 120_000


def open_first_thread(page: Page) -> None:
    thread_list(page).get_by_role("link").first.click()
    history(page).wait_for()


def read_title(page: Page) -> str:
    """Return the title without the count of unread notifications."""
    return re.sub(r"^\(\d+\+?\) ", "", page.title())


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in/",
        "/nothing-here/",
        "/threads/999999/",
        "/",
        "inbox",
        "thread",
        "/notifications/",
        "/settings/",
        "/replies/",
        "/replies/new/",
        "/account/",
        "/simulator/?from=%2B12025550126",
    ],
)
def test_pages_are_readable_by_everyone_and_never_scroll_sideways(
    open_page: OpenPage, server: Server, path: str
) -> None:
    server.receive_text("Something unread", sender=new_number())
    found = {"inbox": server.inbox_path(), "thread": server.thread_path("+12025550177")}
    page = open_page(None if path == "/sign-in/" else "ana", found.get(path, path))
    expect_readable(page, WIDE, NARROW, TINY, ZOOMED)


def test_at_a_zoom_of_400_percent_there_is_room_to_read_and_to_write(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana", server.thread_path("+12025550177"), viewport=ZOOMED)
    height = "one => one.getBoundingClientRect().height"
    assert history(page).evaluate(height) >= 190
    expect(history(page).get_by_role("article").last).to_be_in_viewport()
    message_box(page).scroll_into_view_if_needed()
    for name in ("Attach or send later", "Internal message", "Send"):
        button = page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Thread options")).not_to_be_in_viewport()
    page.goto(server.url + server.inbox_path())
    assert thread_list(page).evaluate(height) >= 190
    page.goto(server.url + "/start/")
    page.get_by_role("button", name="Send").scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)


def test_in_forced_colours_internal_looks_like_nothing_else(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Is it dear?", sender=number)
    page = open_page("ana", server.thread_path(number), forced_colors="active")
    send_text(page, "Not at all")
    box, eye = page.locator(".box"), page.locator(".eye")
    expect(box).to_have_css("border-top-style", "solid")
    background = eye.evaluate("one => getComputedStyle(one).backgroundColor")
    eye.click()
    expect(box).to_have_css("border-top-style", "dashed")
    expect(page.locator(".send")).to_have_css("border-top-style", "dashed")
    assert eye.evaluate("one => getComputedStyle(one).backgroundColor") != background
    message_box(page).fill("Between us: it is")
    page.get_by_role("button", name="Add internal message").click()
    bubbles = history(page).locator(".bubble")
    expect(bubbles).to_have_count(3)
    for bubble, style in zip(bubbles.all(), ("solid", "solid", "dashed"), strict=True):
        expect(bubble).to_have_css("border-top-style", style)
    eye.click()


@pytest.mark.parametrize("path", ["/admin/", "/admin/inboxes/agent/"])
def test_administration_wears_the_same_colours(open_page: OpenPage, path: str) -> None:
    page = open_page("admin", path)
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        assert [rule for rule, _ in find_violations(page) if "contrast" in rule] == []


def test_wide_shows_both_panes_and_narrow_one_at_a_time(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana")
    open_first_inbox(page)
    open_first_thread(page)
    threads = thread_list(page)
    messages = history(page)
    back = page.get_by_role("link", name="Back to Front Desk")
    expect(threads).to_be_visible()
    expect(messages).to_be_visible()
    expect(back).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 780})
    expect(threads).to_be_hidden()
    expect(messages).to_be_visible()
    back.click()
    threads.wait_for()
    expect(messages).to_have_count(0)


def test_everything_works_without_scripts(open_page: OpenPage, server: Server) -> None:
    page = open_page("ana", java_script_enabled=False, has_new_session=True)
    open_first_inbox(page)
    open_first_thread(page)
    send_text(page, "Sent without a script")
    history(page).get_by_text("Sent without a script").wait_for()
    send_text(page, "  ")
    page.get_by_role("alert").get_by_text(re.compile(r"\w")).wait_for()
    page.get_by_role("link", name="Back to messages").click()
    page.get_by_role("list", name="Conversations").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for()


def test_the_first_page_is_light(open_browser: OpenBrowser, server: Server) -> None:
    context = open_browser("ana")
    fresh = context.new_page()
    tools = context.new_cdp_session(fresh)
    tools.send("Network.enable")
    tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    tools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    # Else a slow machine would count what the page fetches when it has rested.
    fresh.add_init_script(
        "const later = setTimeout;"
        " window.setTimeout = (act, ms, ...more) => ms < 2000 ? later(act, ms, ...more) : 0"
    )
    fresh.goto(server.url + server.inbox_path(), wait_until="networkidle")
    assert 0 < sum(sizes) < BUDGET


def test_the_first_conversation_finds_its_styles_there(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana")
    expect(page.locator("head link[href*='css/deferred']")).to_have_count(1)
    names = "[...document.styleSheets].map(sheet => sheet.href)"
    wait_until(lambda: sum("css/deferred" in name for name in page.evaluate(names)) == 1)


def test_titles_and_focus_follow(open_page: OpenPage, server: Server) -> None:
    page = open_page("ana")
    assert read_title(page) == "Messages · Partyline"
    open_first_inbox(page)
    assert read_title(page) == "Front Desk · Partyline"
    open_first_thread(page)
    number = page.locator(".thread .number").inner_text()
    assert read_title(page) == f"{number} · Front Desk · Partyline"
    box = message_box(page)
    expect(box).to_be_focused()
    box.fill("Half a sentence")
    page.go_back()
    page.get_by_text("Nothing selected").wait_for()
    assert read_title(page) == "Front Desk · Partyline"
    page.go_forward()
    history(page).wait_for()
    # From the tab's own storage, or with the draft's frame if the server was just writing it down.
    expect(box).to_have_value("Half a sentence")


def forget_light_dark(route: Route) -> None:
    """Let the browser be one that does not know `light-dark()`, as Safari before 17.5."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace("light-dark(", "no-such-word("))


@pytest.mark.parametrize("theme", THEMES)
def test_a_browser_without_light_dark_shows_the_same_colours(
    open_page: OpenPage, theme: Literal["light", "dark"]
) -> None:
    today, older = open_page("ana"), open_page("ana")
    older.route("**/*.css", forget_light_dark)
    older.reload()
    names = ["--paper", "--ink", "--accent", "--note", "--bad", "--shadow", "--edge"]
    colours = []
    for page in (today, older):
        page.emulate_media(color_scheme=theme)
        page.get_by_role("list", name="Conversations").wait_for()
        colours.append(
            page.evaluate(
                "names => names.map(name => {"
                "  const box = document.body.appendChild(document.createElement('div'));"
                "  box.style.cssText = name === '--shadow' ? 'box-shadow: var(--shadow)'"
                "    : `background-color: var(${name})`;"
                "  const { backgroundColor, boxShadow } = getComputedStyle(box);"
                "  box.remove();"
                "  return backgroundColor + boxShadow; })",
                names,
            )
        )
    assert colours[0] == colours[1]
    assert len(set(colours[0])) > 5
    assert find_violations(older) == []


def test_the_choice_of_an_inbox_is_drawn_like_the_fields_beside_it(
    open_page: OpenPage, server: Server
) -> None:
    page = open_page("ana", "/start/")
    choice, number = page.locator("#start-from"), page.locator("#start-to")
    for name in ("height", "borderTopWidth", "borderRadius", "backgroundColor", "fontSize"):
        read = f"one => getComputedStyle(one).{name}"
        assert choice.evaluate(read) == number.evaluate(read), name
    assert choice.evaluate("one => getComputedStyle(one).appearance") == "none"
    assert "gradient" in choice.evaluate("one => getComputedStyle(one).backgroundImage")
    page.emulate_media(forced_colors="active")
    assert choice.evaluate("one => getComputedStyle(one).appearance") == "auto"
