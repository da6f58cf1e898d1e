"""Files on their way to the server: what waits for them, and what other tabs see of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser.files import (
    attach_files,
    attached_files,
    begin_thread,
    expect_shown,
    find_pictures,
    make_file,
    press_send,
    turn_to_thread,
)
from tests.browser.pages import (
    OpenBrowser,
    OpenPage,
    find_message,
    make_unique,
    message_box,
    wait_until,
    wait_until_live,
)
from tests.browser.server import Server
from tests.messaging.attachments.picture_bytes import (
    make_picture,
)

if TYPE_CHECKING:
    pass


def test_send_waits_for_what_is_on_its_way(open_page: OpenPage, server: Server) -> None:
    _, path = begin_thread(server)
    ana = open_page("ana", path)
    wait_until_live(ana)
    held: list[Any] = []
    ana.route("**/attachments/", lambda route: held.append(route))
    attach_files(ana, make_file("slow.jpg", make_picture()))
    expect(ana.get_by_role("progressbar", name="Uploading slow.jpg")).to_be_visible()
    words = make_unique("With a picture")
    message_box(ana).fill(words)
    press_send(ana)
    wait_until(lambda: held)
    assert server.count_messages(words) == 0
    expect(message_box(ana)).to_have_value(words)
    held[0].continue_()
    expect_shown(find_pictures(ana), 1)
    expect(find_message(ana, words)).to_have_count(1)
    assert server.count_messages(words) == 1


def test_a_waiting_send_goes_neither_elsewhere_nor_in_the_other_mode_nor_at_another_hour(
    open_page: OpenPage, server: Server
) -> None:
    number, path = begin_thread(server)
    other, half = begin_thread(server)[0], make_unique("Half written")
    ana = open_page("ana", path)
    wait_until_live(ana)
    turn_to_thread(ana, other)
    with ana.expect_response("**/draft/"):
        message_box(ana).fill(half)
    turn_to_thread(ana, number)
    held: list[Any] = []

    def hold(route: Any) -> None:
        # Only files on their way: what the page asks of its list is answered.
        held.append(route) if route.request.method == "POST" else route.continue_()

    ana.route("**/attachments/", hold)
    words = make_unique("With a picture")
    eye = ana.get_by_role("button", name="Internal message", exact=True)

    def begin_upload(name: str) -> None:
        with ana.expect_request("**/attachments/"):
            attach_files(ana, make_file(name, make_picture()))
        message_box(ana).fill(words)

    begin_upload("one.jpg")
    ana.get_by_role("button", name="Send later").click()
    ana.get_by_role("button", name="In 1 hour").click()
    expect(ana.get_by_text("Schedules as soon as its files are uploaded.")).to_be_visible()
    ana.keyboard.press("Escape")
    message_box(ana).press("End")
    message_box(ana).press_sequentially("!")
    message_box(ana).press("Backspace")
    held.pop().continue_()
    expect(attached_files(ana)).to_have_count(1)

    begin_upload("two.jpg")
    press_send(ana)
    expect(ana.get_by_text("Sends as soon as its files are uploaded.")).to_be_visible()
    eye.click()
    held.pop().continue_()
    expect(attached_files(ana)).to_have_count(2)
    eye.click()

    begin_upload("three.jpg")
    press_send(ana)
    turn_to_thread(ana, other)
    expect(message_box(ana)).to_have_value(half)
    held.pop().continue_()
    turn_to_thread(ana, number)
    expect(attached_files(ana)).to_have_count(3)

    assert (server.count_messages(words), server.count_messages(half)) == (0, 0)
    expect(ana.locator(".later-text")).to_have_count(0)
    press_send(ana)
    expect_shown(find_pictures(ana), 3)
    assert server.count_messages(words) == 1


def test_a_waiting_send_is_called_off_when_the_box_is_drawn_anew(
    open_page: OpenPage, server: Server
) -> None:
    number, path = begin_thread(server)
    ana = open_page("ana", path)
    wait_until_live(ana)
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route) if route.request.method == "POST" else route.continue_()

    ana.route("**/attachments/", hold)
    attach_files(ana, make_file("slow.jpg", make_picture()))
    words = make_unique("With a picture")
    message_box(ana).fill(words)
    press_send(ana)
    expect(ana.get_by_text("Sends as soon as its files are uploaded.")).to_be_visible()
    wait_until(lambda: held)
    server.receive_text("STOP", sender=number)
    expect(ana.locator(".refusal")).to_be_visible()
    held[0].continue_()
    toast = ana.get_by_role("status").filter(has_text="Not sent: the conversation changed.")
    expect(toast).to_be_visible()
    expect(attached_files(ana)).to_have_count(1)
    expect(message_box(ana)).to_have_value(words)
    assert server.count_messages(words) == 0


def test_what_did_not_reach_the_server_says_so_and_is_tried_again(
    open_page: OpenPage, server: Server
) -> None:
    _, path = begin_thread(server)
    ana = open_page("ana", path)
    wait_until_live(ana)
    ana.route("**/attachments/", lambda route: route.abort())
    attach_files(ana, make_file("lost.jpg", make_picture()))
    wrong = ana.get_by_role("list", name="Attached")
    expect(wrong).to_contain_text("didn't upload")
    ana.unroute("**/attachments/")
    ana.get_by_role("button", name="Try again").click()
    expect(attached_files(ana)).to_have_count(1)
    expect(wrong).not_to_contain_text("didn't upload")


def test_what_could_not_be_fetched_is_told_and_fetched_by_a_press(
    open_page: OpenPage, server: Server
) -> None:
    _, path = begin_thread(server)
    ana = open_page("ana", path)
    wait_until_live(ana)
    server.query(
        "WITH m AS (UPDATE messaging_message SET picture_count = 1 WHERE thread_id = %s"
        " RETURNING id, thread_id) INSERT INTO messaging_attachment (thread_id, message_id, kind,"
        " state, reason, name, content_type, size, is_animated, sha256, stored_name,"
        " thumbnail_name, source_url, source_sha256, tries, created_at)"
        " SELECT thread_id, id, 'picture', 'failed', 'The carrier no longer has this file.'"
        ", '', '', 0, false, '', '', '', 'https://127.0.0.1/x', '', 0, now() FROM m",
        int(path.split("/")[2]),
    )
    ana.reload()
    said = find_message(ana, "Is it there?")
    expect(said).to_contain_text("no longer has this file")
    wait_until_live(ana)
    ana.get_by_role("button", name="Try again").click()
    expect(said).to_contain_text("its address isn't the carrier's")


def test_another_tab_follows_what_is_put_there_and_taken_out(
    open_browser: OpenBrowser, server: Server
) -> None:
    _, path = begin_thread(server)
    context = open_browser("ana")
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(server.url + path)
        wait_until_live(page)
    attach_files(first, make_file("one.jpg", make_picture()), make_file("two.jpg", make_picture()))
    expect(attached_files(first)).to_have_count(2)
    expect(attached_files(second)).to_have_count(2)
    second.get_by_role("button", name="Remove one.jpg").click()
    expect(attached_files(second)).to_have_count(1)
    expect(attached_files(first)).to_have_count(1)
    expect(attached_files(first)).to_contain_text("two.jpg")


def test_another_tab_follows_what_was_sent(open_browser: OpenBrowser, server: Server) -> None:
    _, path = begin_thread(server)
    context = open_browser("ana")
    first, second = context.new_page(), context.new_page()
    first.goto(server.url + path)
    attach_files(first, make_file("one.jpg", make_picture()))
    expect(attached_files(first)).to_have_count(1)
    second.goto(server.url + path)
    wait_until_live(second)
    expect(attached_files(second)).to_have_count(1)
    message_box(first).fill(make_unique("Gone"))
    press_send(first)
    expect_shown(find_pictures(first), 1)
    expect(attached_files(second)).to_have_count(0)
