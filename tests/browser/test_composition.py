"""Keys that end an input method's composition do nothing else, in any browser's order of events.

Chromium sends its own order through `InputMethod`. The orders of other browsers are dispatched as
they report them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.pages import OpenPage, Team, ThreadPage, wait_until_idle
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator

# Each event of one press that ends a composition: its type, `isComposing`, `keyCode`.
# `keyCode` None stands for the key's own.
ORDERS: dict[str, list[tuple[str, bool, int | None]]] = {
    "Safari": [("compositionend", True, None), ("keydown", False, 229), ("keyup", False, None)],
    "Firefox": [("keydown", True, 229), ("compositionend", True, None), ("keyup", False, None)],
    "Chromium": [("keydown", True, 229), ("compositionend", True, None), ("keyup", False, 229)],
    "Chromium on macOS, Korean": [
        ("keydown", True, 229),
        ("compositionend", True, None),
        ("keydown", False, None),
        ("keyup", False, None),
    ],
}
KEY_CODES = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "i": 73, "j": 74}

_DISPATCH = """(element, [events, key, code, held]) => {
  element.dispatchEvent(new CompositionEvent("compositionstart", {bubbles: true}));
  for (const [type, isComposing, keyCode] of events) {
    const details = {bubbles: true, cancelable: true, key, code: key, isComposing, ...held};
    const event = type === "compositionend"
      ? new CompositionEvent(type, {bubbles: true, data: "日本"})
      : new KeyboardEvent(type, {...details, keyCode: keyCode ?? code});
    element.dispatchEvent(event);
  }
}"""


def end_composition(at: Locator, order: str, key: str = "Enter", **held: bool) -> None:
    """Dispatch what that browser reports when the key ends a composition."""
    given: list[Any] = [ORDERS[order], key, KEY_CODES[key], held]
    at.evaluate(_DISPATCH, given)


@pytest.fixture
def ana(open_page: OpenPage, server: Server) -> ThreadPage:
    return Team(open_page, server, "ana")["ana"]


@pytest.mark.parametrize("order", ORDERS)
def test_the_key_that_ends_a_composition_sends_nothing(ana: ThreadPage, order: str) -> None:
    asked: list[str] = []
    ana.page.on("request", lambda request: asked.append(request.url))
    ana.box.fill("日本")
    end_composition(ana.box, order)
    end_composition(ana.box, order, ctrlKey=True)
    wait_until_idle(ana.page)
    assert not [url for url in asked if url.endswith("/messages/")]
    expect(ana.box).to_have_value("日本")
    # The next press is meant for the page, and sends.
    ana.box.press("Enter")
    expect(ana.find_message("日本")).to_have_count(1)
    expect(ana.box).to_have_value("")
    expect(ana.history.get_by_role("article")).to_have_count(2)


@pytest.mark.parametrize("order", ORDERS)
def test_keys_of_a_composition_neither_choose_in_the_menu_nor_close_it(
    ana: ThreadPage, order: str
) -> None:
    ana.box.press_sequentially("@")
    expect(ana.options.nth(0)).to_have_attribute("aria-selected", "true")
    for key in ("Enter", "Tab", "Escape", "ArrowDown", "ArrowUp"):
        end_composition(ana.box, order, key)
        expect(ana.options.nth(0)).to_have_attribute("aria-selected", "true")
        expect(ana.box).to_have_value("@")
    ana.box.press("ArrowDown")
    ana.box.press("Tab")
    expect(ana.box).to_have_value("@cho ")


@pytest.mark.parametrize("order", ORDERS)
def test_keys_of_a_composition_are_no_shortcuts(ana: ThreadPage, order: str) -> None:
    ana.box.focus()
    end_composition(ana.box, order, "Escape")
    expect(ana.box).to_be_focused()
    end_composition(ana.box, order, "i", ctrlKey=True)
    ana.expect_internal(yes=False)
    ana.page.keyboard.press("Escape")
    expect(ana.history).to_be_focused()
    end_composition(ana.history, order, "i")
    ana.expect_internal(yes=False)
    ana.page.keyboard.press("i")
    ana.expect_internal(yes=True)


@pytest.mark.parametrize("order", ORDERS)
def test_the_end_of_a_composition_leaves_no_other_field(
    open_page: OpenPage, server: Server, order: str
) -> None:
    page = open_page("ana", server.inbox_path())
    search = page.get_by_role("searchbox")
    search.fill("日本")
    for key in ("Enter", "ArrowDown", "Escape"):
        end_composition(search, order, key)
        expect(search).to_be_focused()
        expect(search).to_have_value("日本")
    page.goto(f"{server.url}/start/")
    for name in ("To", "Message"):
        field = page.get_by_role("textbox", name=name)
        field.fill("日本")
        end_composition(field, order)
        end_composition(field, order, ctrlKey=True)
        end_composition(field, order, "ArrowDown")
        expect(field).to_be_focused()
    expect(page.get_by_role("heading", name="Start a conversation")).to_be_visible()
    expect(page.get_by_role("textbox", name="To")).to_have_value("日本")


@pytest.mark.parametrize("order", ORDERS)
def test_the_end_of_a_composition_saves_no_name_and_schedules_nothing(
    ana: ThreadPage, server: Server, order: str
) -> None:
    ana.box.fill("日本")
    ana.page.get_by_role("button", name="Send later").click()
    hour = ana.page.get_by_label("Date and time")
    end_composition(hour, order)
    expect(hour).to_be_visible()
    ana.page.keyboard.press("Escape")
    expect(ana.box).to_have_value("日本")
    ana.page.goto(f"{ana.page.url}contact/")
    name = ana.page.get_by_role("textbox", name="Name")
    name.fill("田中")
    end_composition(name, order)
    expect(name).to_be_focused()
    expect(ana.page.get_by_role("heading", name="Edit contact")).to_be_visible()
