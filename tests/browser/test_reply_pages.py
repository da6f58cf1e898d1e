"""The pages of saved replies, and the question before a placeholder leaves, with its buttons."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.pages import (
    OpenPage,
    Team,
    find_message,
    make_unique,
    message_box,
    new_number,
    send_text,
)
from tests.browser.server import Server


def test_without_scripts_replies_are_written_changed_and_deleted(
    open_page: OpenPage, server: Server
) -> None:
    server.query("DELETE FROM messaging_savedreplyfile")
    server.query("DELETE FROM messaging_savedreply")
    page = open_page("ben", java_script_enabled=False)
    page.get_by_role("link", name="Saved replies").click()
    page.get_by_role("link", name="New reply for Front Desk").click()
    expect(page.get_by_role("combobox", name="Who can use it")).to_contain_text("Front Desk")
    name = page.get_by_role("textbox", name="Name")
    name.fill("door code")
    page.get_by_role("textbox", name="Text").fill("Hi {first name}, the code is 1204.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Use one word, such as door-code.")).to_be_visible()
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("door-code")
    page.get_by_label("Attach files").set_input_files(
        {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"Second door on the left"}
    )
    page.get_by_role("button", name="Save").click()
    front = page.get_by_role("region", name="Front Desk")
    expect(front.get_by_role("listitem")).to_contain_text("/door-code")
    expect(front).to_contain_text("1 file")
    page.get_by_role("searchbox", name="Search saved replies").fill("1204")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="/door-code").click()
    page.get_by_role("checkbox", name="Remove plan.txt").check()
    page.get_by_role("textbox", name="Text").fill("The code is 7788.")
    page.get_by_role("button", name="Save").click()
    expect(front).to_contain_text("The code is 7788.")
    expect(front).not_to_contain_text("1 file")
    page.get_by_role("link", name="/door-code").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("status").filter(has_text="/door-code deleted.")).to_be_visible()
    expect(front).to_contain_text("Nothing saved yet.")


def test_without_scripts_a_placeholder_leaves_after_the_question(
    open_page: OpenPage, server: Server
) -> None:
    number, body = new_number(), make_unique("Hello {first name}")
    server.receive_text("Are you there?", sender=number)
    page = open_page("ben", server.thread_path(number), java_script_enabled=False)
    send_text(page, body)
    question = page.get_by_role("alertdialog", name="{first name} is not filled in")
    expect(message_box(page)).to_have_value(body)
    assert server.count_messages(body) == 0
    question.get_by_role("button", name="Send anyway").click()
    expect(find_message(page, body)).to_be_visible()
    assert server.count_messages(body) == 1


def test_the_question_is_about_the_button_that_was_pressed(
    open_page: OpenPage, server: Server
) -> None:
    team = Team(open_page, server, "ana")
    ana, page = team["ana"], team["ana"].page
    question = page.get_by_role("alertdialog")

    def schedule(body: str) -> None:
        ana.box.fill(body)
        page.get_by_role("button", name="Send later").click()
        page.get_by_role("button", name="In 1 hour").click()

    schedule("See you, {first name}")
    question.get_by_role("button", name="Schedule anyway").click()
    expect(page.get_by_role("link", name="Edit the text")).to_be_visible()
    expect(ana.box).to_have_value("")
    schedule("Good night, {first name}")
    expect(question.get_by_role("button", name="Keep editing")).to_be_focused()
    # Whoever mends the text and sends it means now.
    ana.box.fill("Good night, Marta")
    ana.send()
    expect(ana.find_message("Good night, Marta")).to_be_visible()
    expect(question).to_have_count(0)
    ana.box.fill("All done, {first name}")
    page.get_by_role("button", name="Send and mark done").click()
    question.get_by_role("button", name="Send anyway").click()
    expect(ana.find_message("All done, {first name}")).to_be_visible()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()


def test_a_first_text_says_yes_on_its_page(open_page: OpenPage, server: Server) -> None:
    page = open_page("ana", "/start/")
    body = make_unique("Welcome {first name}")
    page.get_by_role("combobox", name="From").select_option("Front Desk")
    page.get_by_role("textbox", name="To").fill(new_number())
    page.get_by_role("textbox", name="Message").fill(body)
    page.get_by_role("button", name="Send", exact=True).click()
    question = page.get_by_role("group", name="{first name} is not filled in")
    expect(question.get_by_role("link", name="Keep editing")).to_be_focused()
    question.get_by_role("button", name="Send anyway").click()
    expect(find_message(page, body)).to_be_visible()
