"""A team's work on a conversation, seen by colleagues as it happens; and its labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pages import (
    OpenPage,
    find_row,
    format_number,
    history,
    make_unique,
    new_number,
    wait_until_live,
)
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def new_thread(server: Server) -> tuple[str, str]:
    """Return the number as the pages show it, and the path."""
    number = new_number()
    server.receive_text(make_unique("Work to do"), sender=number)
    return format_number(number), server.thread_path(number)


def set_priority(page: Page, word: str) -> None:
    page.get_by_role("button", name="Thread options").click()
    page.get_by_role("menuitemradio", name=word, exact=True).click()


def choose_label(page: Page, name: str) -> None:
    page.get_by_role("button", name="Labels").click()
    page.get_by_role("menuitemcheckbox", name=name, exact=True).click()
    page.keyboard.press("Escape")


class LabelsPage:
    """Play an administrator on the page of the inbox."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.url = f"{server.url}/admin/inboxes/inbox/{server.inbox_path().split('/')[2]}/change/"

    def add(self, name: str, colour: str) -> None:
        self._open()
        self.page.get_by_role("textbox", name="Name").last.fill(name)
        self.page.get_by_role("combobox", name="Color").last.select_option(colour)
        self._save()

    def rename(self, name: str, new: str) -> None:
        self._open()
        self.page.locator(f"input[name^=labels-][value='{name}']").fill(new)
        self._save()

    def remove(self, name: str) -> None:
        self._open()
        self.page.get_by_role("checkbox", name=f"Remove {name}").check()
        self._save()

    def _open(self) -> None:
        self.page.goto(self.url)

    def _save(self) -> None:
        self.page.get_by_role("button", name="Save", exact=True).click()
        self.page.wait_for_url("**/admin/inboxes/inbox/")


def fold(page: Page) -> Locator:
    """Return the one line that stands for all changes."""
    return history(page).locator("summary")


def lines(page: Page) -> Locator:
    return history(page).locator(".activity li")


def test_changes_are_one_folded_line_for_everybody_and_stay_unfolded(
    open_page: OpenPage, server: Server
) -> None:
    _, path = new_thread(server)
    ana, ben = open_page("ana", path), open_page("ben", path)
    for page in (ana, ben):
        wait_until_live(page)
    set_priority(ana, "High")
    expect(fold(ben)).to_contain_text("1 change · Ana set the priority to High, today at")
    expect(fold(ana)).to_contain_text("1 change · You set the priority to High, today at")
    expect(lines(ben).first).to_be_hidden()
    fold(ben).focus()
    ben.keyboard.press("Enter")
    expect(lines(ben)).to_be_visible()
    ana.get_by_role("button", name="Done", exact=True).click()
    expect(lines(ben)).to_have_count(2)
    expect(lines(ben).last).to_have_text(re.compile("Today, .* Ana marked this as done"))
    expect(lines(ben).last).to_be_visible()
    expect(fold(ben)).to_be_focused()
    expect(fold(ana)).to_contain_text("2 changes · You marked this as done")
    expect(lines(ana).first).to_be_hidden()
    # It is no message: nobody is told of a new one.
    expect(history(ben).get_by_role("article")).to_have_count(1)
    expect(ben.locator("[data-jump]")).to_be_hidden()


def test_a_line_between_two_texts_of_one_person_parts_their_bubbles(
    open_page: OpenPage, server: Server
) -> None:
    number, path = new_thread(server)
    page = open_page("ana", path)
    wait_until_live(page)
    set_priority(page, "Low")
    expect(fold(page)).to_be_visible()
    sender = re.sub(r"[^0-9]", "", number)
    server.receive_text(make_unique("One more thing"), sender=f"+1{sender}")
    bubbles = history(page).get_by_role("article")
    expect(bubbles).to_have_count(2)
    for bubble in bubbles.all():
        expect(bubble).not_to_have_class(re.compile("joined|follows"))
    assert page.locator(".log > .day").count() == 1
    page.reload()
    wait_until_live(page)
    for bubble in bubbles.all():
        expect(bubble).not_to_have_class(re.compile("joined|follows"))


def test_a_line_that_was_found_is_shown_unfolded(open_page: OpenPage, server: Server) -> None:
    number, path = new_thread(server)
    page = open_page("ana", path)
    wait_until_live(page)
    set_priority(page, "Medium")
    expect(fold(page)).to_be_visible()
    page.goto(f"{server.url}/search/?q=priority+medium")
    page.get_by_role("listitem").filter(has_text=number).first.click()
    expect(lines(page)).to_have_class("arrived")
    expect(lines(page)).to_be_in_viewport()
    assert "line=" not in page.url


def test_labels_are_seen_by_colleagues_and_follow_the_administrator(
    open_page: OpenPage, server: Server
) -> None:
    number, path = new_thread(server)
    ana, ben = open_page("ana", path), open_page("ben", path)
    for page in (ana, ben):
        wait_until_live(page)
    keys, spare = make_unique("Keys"), make_unique("Spare keys")
    administration = LabelsPage(open_page("admin", "/admin/"), server)
    administration.add(keys, "Pink")
    choose_label(ana, keys)
    ben.get_by_role("button", name="Details").click()
    row, details = find_row(ben, number), ben.get_by_role("complementary", name="Details")
    for shown in (row, details):
        expect(shown.locator(".label-mark.pink")).to_have_text(keys)
    expect(fold(ben)).to_contain_text(f"Ana added the label {keys}")
    administration.rename(keys, spare)
    for shown in (row, details):
        expect(shown.locator(".label-mark")).to_have_text(spare)
    # The history keeps what was done.
    expect(fold(ben)).to_contain_text(f"Ana added the label {keys}")
    administration.remove(spare)
    for shown in (row, details):
        expect(shown.locator(".label-mark")).to_have_count(0)
