"""Names with letters that run the other way, or turn a line round, leave the line alone."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.pages import (
    OpenPage,
    expect_popups,
    find_row,
    format_number,
    new_number,
    read_popups,
    record_popups,
    wait_until_live,
)
from tests.browser.server import Server

OVERRIDE = "\u202e"
# Whether the last letter of some words stands to the right of the first one.
RUNS_FORWARD = """([selector, words]) => {
  const walk = document.createTreeWalker(document.querySelector(selector), NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const at = node.data.indexOf(words);
    if (at < 0) continue;
    const left = place => {
      const range = document.createRange();
      range.setStart(node, place);
      range.setEnd(node, place + 1);
      return range.getBoundingClientRect().left;
    };
    return left(at) < left(at + words.length - 1);
  }
}"""


def runs_forward(page: Page, selector: str, words: str) -> bool:
    found = page.evaluate(RUNS_FORWARD, [selector, words])
    assert found is not None, f"{words} is not in {selector}"
    return bool(found)


def test_a_name_that_turns_letters_round_turns_no_line_round(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text("Hello?", sender=number)
    server.query(
        "UPDATE threads_contact SET name = %s WHERE address = %s", f"Eve {OVERRIDE}gpj", number
    )
    path = server.thread_path(number)
    server.mark_all_read()
    page = record_popups(open_page("cho"))
    page.goto(server.url + server.inbox_path())
    wait_until_live(page)
    server.receive_text("Me again", sender=number)
    expect_popups(page, "Me again")
    [title] = page.evaluate("window.popups.map(popup => popup.title)")
    assert "Eve gpj" in title
    assert OVERRIDE not in title
    assert read_popups(page) == ["Me again"]
    page.goto(server.url + path)
    assert OVERRIDE not in page.title()
    wait_until_live(page)
    assert runs_forward(page, ".thread .sub", "Front Desk")
    assert runs_forward(page, ".thread .sub", "First contact")
    row = find_row(page, format_number(number))
    expect(row).to_contain_text("Me again")
    assert runs_forward(page, f"#thread-{path.split('/')[2]}", "Me again")
    page.goto(server.url + "/notifications/")
    assert runs_forward(page, "#list-notices .row", "Front Desk")


def test_words_of_a_text_that_turn_round_leave_those_of_the_page_alone(
    open_page: OpenPage, server: Server
) -> None:
    number = new_number()
    server.receive_text(f"{OVERRIDE}backwards", sender=number)
    page = open_page("cho", server.thread_path(number))
    wait_until_live(page)
    assert runs_forward(page, ".message .meta", page.locator(".message time").inner_text()[-2:])
    assert runs_forward(page, ".thread .sub", "Front Desk")
