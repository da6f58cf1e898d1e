"""Saved replies in the text box: found, filled, inserted, and asked about before they leave."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.files import (
    attach_files,
    attached_files,
    expect_shown,
    find_pictures,
    make_file,
)
from tests.browser.pages import (
    NARROW,
    InputMethod,
    OpenBrowser,
    OpenPage,
    Team,
    ThreadPage,
    expect_readable,
    find_violations,
    format_number,
    new_number,
    open_handset,
    received_texts,
    wait_until,
)
from tests.browser.server import Server
from tests.cast import FRONT_DESK
from tests.messaging.attachments.picture_bytes import make_picture

BODIES = {
    "arrival": "On our way, {first name}. {me}",
    "arrival-window": "We can come between 1 and 3 PM.\nDoes that work?",
    "late-arrival": "We will be late.",
    "hours": "Open from 8 to 5. Arrivals after that by the side door.",
}
OWN = "arrange-pickup"
# Where the marks of a box are, and how high its text is, beside the same of the layer behind it.
MEASURE = """box => {
  const mirror = box.previousElementSibling;
  const marks = [...mirror.querySelectorAll("mark")].map((mark) => mark.getClientRects().length);
  return [mirror.scrollHeight - box.scrollHeight, mirror.scrollTop - box.scrollTop, marks];
}"""


@pytest.fixture(autouse=True)
def replies(server: Server) -> None:
    """Save some replies of Front Desk, and one of Ana's own; the first are used most."""
    server.query("DELETE FROM messaging_savedreplyfile")
    server.query("DELETE FROM messaging_savedreply")
    add = (
        "INSERT INTO messaging_savedreply"
        " (inbox_id, agent_id, name, body, use_count, changed_at, created_at)"
        " SELECT {}, %s, %s, %s, now(), now() FROM {}"
    )
    inboxs = add.format("inbox_id, NULL::bigint", "messaging_number WHERE address = %s")
    for index, (name, body) in enumerate(BODIES.items()):
        server.query(inboxs, name, body, 50 - index, FRONT_DESK)
    own = add.format("NULL::bigint, id", "inboxes_agent WHERE username = %s")
    server.query(own, OWN, "Your order is ready.", 1, "ana")


def reply_list(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Saved replies")


def offered(page: Page) -> Locator:
    return reply_list(page).get_by_role("option").locator(".reply-name")


def name_contact(server: Server, number: str, name: str) -> None:
    server.query("UPDATE threads_contact SET name = %s WHERE address = %s", name, number)


@pytest.fixture
def team(open_page: OpenPage, server: Server) -> Team:
    return Team(open_page, server, "ana")


def test_a_slash_opens_them_at_the_start_of_a_word_and_nowhere_else(team: Team) -> None:
    ana = team["ana"]
    for before in ("", "Hello ", "Hello\n", "("):
        ana.box.fill(before)
        ana.box.press_sequentially("/")
        expect(reply_list(ana.page)).to_be_visible()
    assert find_violations(ana.page) == []
    ana.box.press_sequentially(" ")
    expect(reply_list(ana.page)).to_have_count(0)
    for written in ("and/", "https:/", "24/", "/etc/", "Hello /nothing-like-this"):
        ana.box.fill("")
        ana.box.press_sequentially(written)
        ana.box.press_sequentially("a")
        expect(reply_list(ana.page)).to_have_count(0)
    ana.box.fill("")
    method = InputMethod(ana.page)
    method.compose("/a")
    expect(ana.box).to_have_value("/a")
    expect(reply_list(ana.page)).to_have_count(0)
    method.commit("/a")
    expect(reply_list(ana.page)).to_be_visible()


def test_letters_narrow_them_and_keys_and_the_pointer_choose(team: Team, server: Server) -> None:
    name_contact(server, team.number, "Petra Novak")
    ana = team["ana"]
    ana.box.press_sequentially("/")
    expect(offered(ana.page)).to_have_text([f"/{name}" for name in (*BODIES, OWN)])
    ana.box.press_sequentially("ARR")
    # By the beginning of the name, then of a part of it, then of the words.
    order = ["/arrival", "/arrival-window", f"/{OWN}", "/late-arrival", "/hours"]
    expect(offered(ana.page)).to_have_text(order)
    first = reply_list(ana.page).get_by_role("option").first
    expect(first).to_have_text("/arrival On our way, Petra. Ana Ruiz Front Desk")
    expect(first.locator(".reply-typed")).to_have_text("arr")
    expect(reply_list(ana.page).get_by_role("option").nth(2)).to_contain_text("Only me")
    ana.box.press("ArrowDown")
    expect(ana.box).to_have_attribute("aria-activedescendant", "saved-replies-1")
    ana.box.press("Enter")
    expect(ana.box).to_have_value(BODIES["arrival-window"])
    ana.box.press("Control+z")
    expect(ana.box).to_have_value("/ARR")
    ana.box.fill("Well. ")
    ana.box.press_sequentially("/late")
    ana.box.press("Tab")
    expect(ana.box).to_have_value("Well. We will be late.")
    ana.box.press_sequentially(" /ho")
    ana.box.press("Escape")
    expect(reply_list(ana.page)).to_have_count(0)
    ana.box.press_sequentially("u")
    expect(reply_list(ana.page)).to_have_count(0)
    ana.box.press_sequentially(" /ho")
    offered(ana.page).click()
    expect(ana.box).to_have_value(f"Well. We will be late. /hou {BODIES['hours']}")
    expect(ana.box).to_be_focused()
    used = "SELECT use_count FROM messaging_savedreply WHERE name = 'hours'"
    wait_until(lambda: server.query(used) == [(48,)])
    # What was inserted is a draft like what is typed.
    ana.page.reload()
    expect(ana.box).to_have_value(f"Well. We will be late. /hou {BODIES['hours']}")


def test_what_has_no_value_is_marked_and_asked_about_before_it_leaves(
    team: Team, open_browser: OpenBrowser, server: Server
) -> None:
    ana = team["ana"]
    ana.box.press_sequentially("/arrival")
    expect(reply_list(ana.page).locator(".unfilled").first).to_have_text("{first name}")
    ana.box.press("Enter")
    expect(ana.box).to_have_value("On our way, {first name}. Ana Ruiz")
    note = ana.page.locator("[data-unfilled]")
    expect(note).to_contain_text("{first name} has no value here. Send will ask before it leaves.")
    expect_readable(ana.page)
    ana.page.emulate_media(color_scheme="light")
    ana.box.press("Enter")
    question = ana.page.get_by_role("alertdialog")
    expect(question).to_contain_text("{first name}")
    question.get_by_role("button", name="Keep editing").click()
    expect(ana.box).to_have_value("On our way, {first name}. Ana Ruiz")
    expect(ana.box).to_be_focused()
    note.get_by_role("link", name="Add a name").click()
    ana.page.get_by_role("textbox", name="Name", exact=True).fill("Petra Novak")
    ana.page.get_by_role("button", name="Save", exact=True).click()
    expect(note).to_contain_text("{first name} is not filled in.")
    note.get_by_role("button", name="Fill in").click()
    expect(ana.box).to_have_value("On our way, Petra. Ana Ruiz")
    expect(note).to_be_hidden()
    expect(ana.page.locator(".box-mirror")).to_have_count(0)
    handset = open_handset(open_browser(), server, team.number)
    ana.box.fill("Dear {Contact}")
    ana.send()
    expect(question).to_be_visible()
    ana.box.press_sequentially(", {first name}")
    expect(question).to_have_count(0)
    ana.send()
    expect(question).to_contain_text("{Contact} and {first name}")
    question.get_by_role("button", name="Send anyway").click()
    expect(received_texts(handset)).to_contain_text("Dear {Contact}, {first name}")
    expect(ana.box).to_have_value("")
    expect(note).to_be_hidden()


def test_a_name_that_tells_no_first_name_can_be_changed(team: Team, server: Server) -> None:
    name_contact(server, team.number, "Mrs. Tran")
    ana = team["ana"]
    ana.box.press_sequentially("/arrival")
    expect(offered(ana.page).first).to_have_text("/arrival")
    ana.box.press("Enter")
    expect(ana.box).to_have_value("On our way, {first name}. Ana Ruiz")
    note = ana.page.locator("[data-unfilled]")
    note.get_by_role("link", name="Change the name").click()
    name = ana.page.get_by_role("textbox", name="Name", exact=True)
    expect(name).to_have_value("Mrs. Tran")
    name.fill("Mrs. Linh Tran")
    ana.page.get_by_role("button", name="Save", exact=True).click()
    note.get_by_role("button", name="Fill in").click()
    expect(ana.box).to_have_value("On our way, Linh. Ana Ruiz")


def test_the_marks_stand_exactly_behind_their_words(team: Team) -> None:
    ana = team["ana"]
    words = "Dear {contact}, at 5 {first name} comes to you\n\n" * 12
    for width in (1200, 500, 390):
        ana.page.set_viewport_size({"width": width, "height": 760})
        for text in (words, words.strip(), f"{words}{{me}}\n", f"مرحبا {{contact}} {words}"):
            ana.box.fill(text)
            ana.box.evaluate("box => { box.scrollTop = 70; }")
            height, _, marks = ana.box.evaluate(MEASURE)
            assert abs(height) <= 1, "the lines break elsewhere"
            assert all(marks)
            wait_until(lambda: ana.box.evaluate(MEASURE)[1] == 0)
    ana.box.fill("Nothing is missing")
    expect(ana.page.locator(".box-mirror")).to_have_count(0)


def test_among_colleagues_nothing_is_asked(team: Team) -> None:
    ana = team["ana"]
    ana.box.fill("Ask {contact}")
    note = ana.page.locator("[data-unfilled]")
    expect(note).to_be_visible()
    ana.eye.click()
    expect(note).to_be_hidden()
    ana.box.press_sequentially(" /arrival")
    ana.box.press("Enter")
    expect(ana.box).to_have_value("Ask {contact} On our way, {first name}. Ana Ruiz")
    ana.box.press("Enter")
    expect(ana.find_message("Ask {contact} On our way")).to_contain_text("Internal")


def attach_to_reply(server: Server, name: str, page: Page) -> None:
    """Give a reply a picture, stored as one that was put into the composer."""
    attach_files(page, make_file("map.jpg", make_picture()))
    expect(attached_files(page)).to_have_count(1)
    columns = (
        "kind, name, content_type, size, width, height, is_animated, sha256, stored_name,"
        " thumbnail_name, created_at"
    )
    server.query(
        f"INSERT INTO messaging_savedreplyfile (reply_id, {columns})"
        " SELECT (SELECT id FROM messaging_savedreply WHERE name = %s),"
        f" {columns} FROM messaging_attachment WHERE id = %s",
        name,
        attached_files(page).get_attribute("data-file"),
    )


def test_its_files_come_along_and_send_waits_for_them(team: Team, server: Server) -> None:
    ana = team["ana"]
    attach_to_reply(server, "hours", ana.page)
    held: list[Route] = []
    ana.page.route("**/used/", lambda route: held.append(route))
    ana.box.press_sequentially("/hours")
    expect(offered(ana.page)).to_have_text(["/hours"])
    expect(reply_list(ana.page)).to_contain_text("1 file")
    ana.box.press("Enter")
    expect(ana.box).to_have_value(BODIES["hours"])
    ana.box.press("Enter")
    expect(ana.page.get_by_text("Sends as soon as its files are uploaded.")).to_be_visible()
    held[0].continue_()
    expect_shown(find_pictures(ana.page), 2)
    expect(attached_files(ana.page)).to_have_count(0)


def test_a_first_text_is_begun_with_one(open_page: OpenPage, server: Server) -> None:
    number = new_number()
    server.receive_text("Where is my parcel?", sender=number)
    name_contact(server, number, "Petra Novak")
    page = open_page("ana", "/start/")
    page.get_by_role("combobox", name="From").select_option(label="Ana Ruiz")
    page.get_by_role("button", name="Saved replies").click()
    search = page.get_by_role("combobox", name="Search saved replies")
    expect(search).to_be_focused()
    expect(offered(page)).to_have_text([f"/{OWN}"])
    assert find_violations(page) == []
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Manage saved replies")).to_be_focused()
    page.keyboard.press("Escape")
    expect(search).to_have_count(0)
    box = page.get_by_role("textbox", name="Message", exact=True)
    expect(box).to_be_focused()
    page.get_by_role("combobox", name="From").select_option(label="Front Desk")
    box.press_sequentially("/arrival")
    expect(offered(page).first).to_have_text("/arrival")
    box.press("Enter")
    expect(box).to_have_value("On our way, {first name}. Ana Ruiz")
    expect(page.locator("[data-unfilled]")).to_contain_text("{first name} has no value here.")
    page.get_by_role("textbox", name="To").fill(number)
    expect(page.locator("#start-about")).to_contain_text("Petra Novak")
    box.focus()
    expect(box).to_have_value("On our way, Petra. Ana Ruiz")
    box.press("End")
    box.press_sequentially(" for {contact}")
    page.get_by_role("button", name="Fill in").click()
    expect(box).to_have_value("On our way, Petra. Ana Ruiz for Petra Novak")


@pytest.fixture
def two_contacts(server: Server) -> tuple[str, str]:
    """Return the numbers of Petra Novak and of Mrs. Tran, who both have texted."""
    numbers = new_number(), new_number()
    for number, name in zip(numbers, ("Petra Novak", "Mrs. Tran"), strict=True):
        server.receive_text("Where is my parcel?", sender=number)
        name_contact(server, number, name)
    return numbers


def start_with_reply(open_page: OpenPage, to: str, name: str = "arrival") -> tuple[Page, Locator]:
    """Open the form of a first text to the number, and insert a reply of Front Desk."""
    page = open_page("ana", f"/start/?to={to.replace('+', '%2B')}")
    page.get_by_role("combobox", name="From").select_option(label="Front Desk")
    box = page.get_by_role("textbox", name="Message", exact=True)
    box.press_sequentially(f"/{name}")
    expect(offered(page).first).to_have_text(f"/{name}")
    box.press("Enter")
    return page, box


def test_another_recipient_fills_in_anew_what_nobody_edited(
    open_page: OpenPage, server: Server, two_contacts: tuple[str, str]
) -> None:
    petra, tran = two_contacts
    page, box = start_with_reply(open_page, petra)
    expect(box).to_have_value("On our way, Petra. Ana Ruiz")
    box.press("End")
    box.press_sequentially(" See you!")
    to = page.get_by_role("textbox", name="To")
    to.fill(tran)
    to.press("Tab")
    expect(box).to_have_value("On our way, {first name}. Ana Ruiz See you!")
    expect(page.locator("[data-unfilled]")).to_contain_text("{first name} has no value here.")
    expect(page.locator("[data-still]")).to_be_hidden()
    to.fill(petra[2:-1])
    known = page.get_by_role("list", name="Known contacts").get_by_role("button")
    known.filter(has_text=format_number(petra)).click()
    expect(box).to_have_value("On our way, Petra. Ana Ruiz See you!")
    expect(box).to_be_focused()
    box.press_sequentially(" A.")
    # Straight from To to Send: what leaves is for the new recipient, so Send asks about its hole.
    to.fill(tran)
    to.press("Enter")
    expect(page.get_by_role("group", name="{first name} is not filled in")).to_be_visible()
    expect(box).to_have_value("On our way, {first name}. Ana Ruiz See you! A.")


def test_what_was_edited_is_kept_and_says_whose_it_still_is(
    open_page: OpenPage, server: Server, two_contacts: tuple[str, str]
) -> None:
    petra, tran = two_contacts
    page, box = start_with_reply(open_page, petra)
    edited = "On our way soon, Petra! Ana Ruiz"
    box.fill(edited)
    note = page.locator("[data-still]")
    expect(note).to_be_hidden()
    to = page.get_by_role("textbox", name="To")
    to.fill(tran)
    box.focus()
    expect(note).to_contain_text("The text still says Petra from before. Send will ask")
    expect(box).to_have_value(edited)
    expect_readable(page)
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Send", exact=True).click()
    question = page.get_by_role("group", name="The text still says Petra")
    expect(question).to_be_visible()
    expect(box).to_have_value(edited)
    expect(note).to_be_visible()
    expect(page.locator("#start-about")).to_contain_text("Mrs. Tran")
    to.fill(petra)
    to.press("Tab")
    expect(note).to_be_hidden()
    expect(question).to_have_count(0)
    to.fill(tran)
    to.press("Tab")
    expect(note).to_be_visible()
    box.fill("On our way soon! Ana Ruiz")
    expect(note).to_be_hidden()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(ThreadPage(page).find_message("On our way soon! Ana Ruiz")).to_be_visible()


def test_a_reply_that_a_colleague_deletes_meanwhile_still_gives_its_words(
    team: Team, server: Server, open_page: OpenPage
) -> None:
    ana = team["ana"]
    attach_to_reply(server, "hours", ana.page)
    ana.page.get_by_role("button", name="Remove map.jpg").click()
    expect(attached_files(ana.page)).to_have_count(0)
    toast = ana.page.get_by_role("status").filter(has_text="has just been deleted")
    ben = open_page("ben", "/replies/")
    for name, words in (
        ("late-arrival", "Its words are still in your text."),
        ("hours", "Its words are in your text, its files aren't."),
    ):
        ana.box.fill("Hello. ")
        ana.box.press_sequentially(f"/{name}")
        expect(offered(ana.page)).to_have_text([f"/{name}"])
        ben.get_by_role("link", name=f"/{name}").click()
        ben.get_by_role("link", name="Delete").click()
        ben.get_by_role("button", name="Delete").click()
        expect(ben.get_by_role("link", name=f"/{name}")).to_have_count(0)
        ana.box.press("Enter")
        expect(toast).to_contain_text(words)
        expect(ana.box).to_have_value(f"Hello. {BODIES[name]}")
        expect(ana.box).to_be_focused()
    ana.box.fill("/late")
    expect(offered(ana.page)).to_have_count(0)
    ana.box.fill("Goodbye")
    ana.send()
    expect(ana.find_message("Goodbye")).to_be_visible()


def test_a_scheduled_text_takes_the_words_of_one(team: Team) -> None:
    ana = team["ana"]
    ana.box.fill("See you")
    ana.page.get_by_role("button", name="Send later").click()
    ana.page.get_by_role("button", name="In 1 hour").click()
    ana.page.get_by_role("link", name="Edit the text").click()
    box = ana.page.get_by_role("textbox", name="Text")
    box.press("End")
    box.press_sequentially(". /hours")
    expect(offered(ana.page)).to_have_text(["/hours"])
    box.press("Enter")
    expect(box).to_have_value(f"See you. {BODIES['hours']}")


def test_on_a_phone_the_plus_opens_them(open_page: OpenPage, server: Server) -> None:
    number = new_number()
    server.receive_text("Are you there?", sender=number)
    options = {"viewport": NARROW, "has_touch": True, "is_mobile": True}
    page = open_page("ana", server.thread_path(number), **options)
    at = ThreadPage(page)
    at.box.fill("Sorry. ")
    page.get_by_role("button", name="Attach or send later").click()
    page.get_by_role("menuitem", name="Saved replies").click()
    expect(page.get_by_role("combobox", name="Search saved replies")).to_be_focused()
    page.keyboard.type("xyz")
    expect(page.get_by_text("No saved reply matches.")).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type("late")
    expect(offered(page)).to_have_text(["/late-arrival"])
    expect_readable(page)
    offered(page).tap()
    expect(at.box).to_have_value("Sorry. We will be late.")
    expect(at.box).to_be_focused()
