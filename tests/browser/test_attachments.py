"""Pictures and files: attached, pasted, dropped, received, among the team, on a phone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.files import (
    PDF,
    attach_files,
    attached_files,
    begin_thread,
    expect_shown,
    find_pictures,
    make_file,
    paste_or_drop,
    press_send,
)
from tests.browser.pages import (
    NARROW,
    OpenBrowser,
    OpenPage,
    expect_readable,
    find_message,
    find_row,
    make_unique,
    message_box,
    open_handset,
    send_text,
    wait_until,
    wait_until_idle,
    wait_until_live,
)
from tests.browser.server import Server
from tests.messaging.attachments.picture_bytes import (
    HTML,
    SVG,
    make_animation,
    make_photo_with_location,
    make_picture,
)

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, Route


def test_several_are_attached_looked_over_and_sent_and_everybody_sees_them(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number, path = begin_thread(server)
    phone = open_handset(open_browser(), server, number)
    ana, ben = open_page("ana", path), open_page("ben", path)
    wait_until_live(ben)
    attach_files(
        ana,
        make_file("one.jpg", make_photo_with_location()),
        make_file("two.png", make_picture("PNG")),
    )
    attach_files(ana, make_file("three.gif", make_animation()))
    expect(attached_files(ana)).to_have_count(3)
    ana.get_by_role("button", name="Remove two.png").click()
    expect(attached_files(ana)).to_have_count(2)
    words = make_unique("These two?")
    message_box(ana).fill(words)
    press_send(ana)
    expect(attached_files(ana)).to_have_count(0)
    for page in (ana, ben):
        expect_shown(find_pictures(page), 2)
        expect(find_message(page, words)).to_contain_text("Delivered")
    received = phone.get_by_role("log", name="Received")
    expect(received).to_contain_text(words)
    expect_shown(received.get_by_role("img"), 2)


def test_a_picture_alone_is_sent_and_the_list_says_so(open_page: OpenPage, server: Server) -> None:
    number, path = begin_thread(server)
    ana = open_page("ana", path)
    attach_files(ana, make_file("one.jpg", make_picture()))
    expect(attached_files(ana)).to_have_count(1)
    message_box(ana).press("Enter")
    expect_shown(find_pictures(ana), 1)
    expect(find_row(ana, number[-4:]).first).to_contain_text("You: Picture")


def test_a_copied_file_is_attached_and_its_name_is_no_text(
    open_page: OpenPage, server: Server
) -> None:
    _, path = begin_thread(server)
    ana = open_page("ana", path)
    wait_until_live(ana)
    photo = make_file("IMG 2041.jpg", make_picture())
    for words in (
        {"text/plain": "IMG 2041.jpg"},
        {
            "text/plain": "/home/ana/IMG 2041.jpg",
            "text/uri-list": "file:///home/ana/IMG%202041.jpg",
        },
        {"text/html": "<img src='https://pictures.example/a.jpg'>"},
    ):
        assert not paste_or_drop(ana, "paste", "#message-box", photo, words=words), words
    expect(attached_files(ana)).to_have_count(3)
    expect(message_box(ana)).to_have_value("")


@pytest.mark.parametrize("markup", ["text/html", "text/rtf"])
def test_words_copied_from_an_office_program_are_pasted_as_words(
    open_page: OpenPage, server: Server, markup: str
) -> None:
    _, path = begin_thread(server)
    ana = open_page("ana", path)
    wait_until_live(ana)
    picture = make_file("image.png", make_picture("PNG"), "image/png")
    words = {"text/plain": "Total\t12", markup: "<b>Total</b> 12"}
    assert paste_or_drop(ana, "paste", "#message-box", picture, words=words)
    expect(attached_files(ana)).to_have_count(0)


def test_a_cell_that_was_really_copied_lands_in_the_box(
    open_page: OpenPage, server: Server
) -> None:
    _, path = begin_thread(server)
    ana = open_page("ana", path)
    wait_until_live(ana)
    ana.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ana.evaluate(
        """async () => {
          const canvas = new OffscreenCanvas(4, 4);
          canvas.getContext("2d").fillRect(0, 0, 4, 4);
          const types = { "text/plain": "Total 12", "text/html": "<td>Total 12</td>" };
          const parts = Object.entries(types).map(([type, text]) => [
            type, new Blob([text], { type }),
          ]);
          parts.push(["image/png", await canvas.convertToBlob()]);
          await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(parts))]);
        }"""
    )
    message_box(ana).press("Control+v")
    expect(message_box(ana)).to_have_value("Total 12")
    expect(attached_files(ana)).to_have_count(0)


def test_files_are_pasted_and_dropped(open_page: OpenPage, server: Server) -> None:
    _, path = begin_thread(server)
    ana = open_page("ana", path)
    wait_until_live(ana)
    paste_or_drop(
        ana, "paste", "#message-box", make_file("image.png", make_picture("PNG"), "image/png")
    )
    expect(attached_files(ana)).to_have_count(1)
    paste_or_drop(ana, "dragover", ".log", make_file("a.jpg", make_picture()))
    expect(ana.locator(".thread.is-dropping")).to_have_count(1)
    paste_or_drop(
        ana,
        "drop",
        ".log",
        make_file("a.jpg", make_picture()),
        make_file("b.pdf", PDF, "application/pdf"),
    )
    expect(attached_files(ana)).to_have_count(3)
    expect(ana.locator(".thread.is-dropping")).to_have_count(0)
    # Beside the conversation nothing is taken, and the page stays.
    paste_or_drop(ana, "drop", ".listing, nav", make_file("c.jpg", make_picture()))
    expect(attached_files(ana)).to_have_count(3)
    # What waits in the composer outlives the page.
    ana.reload()
    expect(attached_files(ana)).to_have_count(3)
    # The carrier takes no PDF: it says so, and nothing is lost.
    message_box(ana).fill("Here")
    press_send(ana)
    expect(ana.locator("#message-error")).to_contain_text("can't send b.pdf")
    expect(attached_files(ana)).to_have_count(3)
    expect(message_box(ana)).to_have_value("Here")
    ana.get_by_role("button", name="Remove b.pdf").click()
    expect(attached_files(ana)).to_have_count(2)
    press_send(ana)
    expect_shown(find_pictures(ana), 2)


def test_a_file_that_was_taken_out_is_not_brought_back_by_an_older_answer(
    open_page: OpenPage, server: Server
) -> None:
    _, path = begin_thread(server)
    ana = open_page("ana", path)
    wait_until_live(ana)
    attach_files(
        ana, make_file("a.jpg", make_picture()), make_file("b.pdf", PDF, "application/pdf")
    )
    expect(attached_files(ana)).to_have_count(2)
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if route.request.method == "GET" and not held:
            held.append((route, route.fetch()))
        else:
            route.continue_()

    ana.route("**/attachments/", hold)
    message_box(ana).fill("Here")
    with ana.expect_request(lambda asked: asked.url.endswith("/attachments/")):
        press_send(ana)
    wait_until(lambda: ana.title() and held)
    ana.get_by_role("button", name="Remove b.pdf").click()
    expect(attached_files(ana)).to_have_count(1)
    with ana.expect_response(lambda answer: answer.url.endswith("/attachments/")):
        held[0][0].fulfill(response=held[0][1])
    wait_until_idle(ana)
    expect(attached_files(ana)).to_have_count(1)


def test_a_picture_from_outside_comes_into_the_open_page_without_a_jump(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number, path = begin_thread(server)
    ana = open_page("ana", path)
    wait_until_live(ana)
    phone = open_handset(open_browser(), server, number)
    to = phone.get_by_role("combobox", name="To")
    to.select_option(to.get_by_role("option", name="Front Desk").get_attribute("value"))
    chosen = phone.locator("input[type=file]")
    chosen.set_input_files([make_file("me.jpg", make_picture(size=(900, 600)))])  # type: ignore[arg-type]
    words = make_unique("Look at this")
    phone.get_by_role("textbox", name="Text").fill(words)
    phone.get_by_role("button", name="Send text").click()
    expect_shown(find_pictures(ana), 1)
    image = find_pictures(ana).first
    assert (image.get_attribute("width"), image.get_attribute("height")) == ("320", "213")
    # Its room is kept before its bytes are there.
    ana.route(re.compile("thumbnail"), lambda route: route.abort())
    ana.reload()
    held = find_pictures(ana).first.bounding_box()
    assert held is not None
    assert (round(held["width"]), round(held["height"])) == (320, 213)


def test_internal_files_stay_among_the_team(
    open_browser: OpenBrowser, open_page: OpenPage, server: Server
) -> None:
    number, path = begin_thread(server)
    phone = open_handset(open_browser(), server, number)
    ana, ben = open_page("ana", path), open_page("ben", path)
    wait_until_live(ben)
    ana.get_by_role("button", name="Internal message", exact=True).click()
    attach_files(
        ana, make_file("plan.pdf", PDF, "application/pdf"), make_file("plan.jpg", make_picture())
    )
    expect(attached_files(ana)).to_have_count(2)
    press_send(ana, "Add internal message")
    internal = find_message(ben, "plan.pdf")
    expect(internal).to_contain_text("Internal")
    expect(internal).to_contain_text("PDF")
    with ben.expect_download() as download:
        internal.get_by_role("link", name="plan.pdf").click()
    assert download.value.suggested_filename == "plan.pdf"
    words = make_unique("To you")
    ana.get_by_role("button", name="Internal message", exact=True).click()
    send_text(ana, words)
    received = phone.get_by_role("log", name="Received")
    expect(received).to_contain_text(words)
    expect(received.get_by_role("img")).to_have_count(0)
    assert server.query(
        "SELECT count(*) FROM messaging_publiclink l JOIN messaging_attachment a"
        " ON a.id = l.attachment_id JOIN messaging_message m ON m.id = a.message_id"
        " WHERE m.kind <> 'outbound'"
    ) == [(0,)]


HOSTILE = [
    ("photo.jpg", b"\xff\xd8\xff\xe0" + HTML),
    ("photo.png", b"\x89PNG\r\n\x1a\n" + HTML),
    ("both.gif", b"GIF89a/*" + HTML + b"*/=1;alert(1)"),
    ("drawing.svg", SVG),
    ("page.html", HTML),
    ("<img src=x onerror=document.title='ran'>.txt", HTML),
]


def test_hostile_files_never_run_in_the_page_nor_by_themselves(
    open_page: OpenPage, server: Server
) -> None:
    _, path = begin_thread(server)
    ana = open_page("ana", path)
    ana.on("dialog", lambda _: pytest.fail("it ran"))
    ana.get_by_role("button", name="Internal message", exact=True).click()
    attach_files(ana, *[make_file(name, data, "text/html") for name, data in HOSTILE])
    expect(attached_files(ana)).to_have_count(len(HOSTILE))
    press_send(ana, "Add internal message")
    files = ana.get_by_role("log", name="History").locator(".file-link")
    expect(files).to_have_count(len(HOSTILE))
    expect(find_pictures(ana)).to_have_count(0)
    for link in files.all():
        address = link.get_attribute("href")
        # Also when somebody is led to it, in a window or in a frame of ours.
        with ana.expect_download():
            ana.evaluate("address => { location.href = address; }", address)
        ana.evaluate(
            """async (address) => {
              const frame = document.createElement("iframe");
              frame.src = address;
              document.body.append(frame);
              await new Promise((done) => setTimeout(done, 150));
              frame.remove();
            }""",
            address,
        )
    assert "ran" not in ana.title()
    assert ana.url.endswith(path)


def test_on_a_phone_files_have_room_and_targets_for_thumbs(
    open_page: OpenPage, server: Server
) -> None:
    _, path = begin_thread(server)
    ana = open_page("ana", path, viewport=NARROW, has_touch=True, is_mobile=True)
    wait_until_live(ana)
    long = "a very long name of a file from some phone or other " * 2
    attach_files(
        ana, make_file("one.jpg", make_picture(size=(2000, 500))), make_file(f"{long}.pdf", PDF)
    )
    expect(attached_files(ana)).to_have_count(2)
    for button in [
        ana.get_by_role("button", name="Attach or send later"),
        ana.get_by_role("button", name="Remove one.jpg"),
    ]:
        size = button.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 44
    eye = ana.get_by_role("button", name="Internal message", exact=True)
    eye.click()
    add = ana.get_by_role("button", name="Add internal message")
    place, beside = add.bounding_box(), eye.bounding_box()
    assert place is not None
    assert beside is not None
    assert abs(place["y"] - beside["y"]) < 10  # all in one row
    add.click()
    expect_shown(find_pictures(ana), 1)
    expect_readable(ana)


def test_without_scripts_a_file_goes_with_the_form(open_page: OpenPage, server: Server) -> None:
    _, path = begin_thread(server)
    ana = open_page("ana", path, java_script_enabled=False)
    expect(ana.locator(".attach")).to_be_hidden()
    ana.locator("input[name=files]").set_input_files([make_file("one.jpg", make_picture())])  # type: ignore[arg-type]
    message_box(ana).fill("Without scripts")
    press_send(ana)
    expect(find_pictures(ana)).to_have_count(1)
    expect(find_message(ana, "Without scripts")).to_have_count(1)
