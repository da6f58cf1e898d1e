"""Pictures and files by hand: attached, pasted, dropped, received, among the team, on a phone."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.house import (
    NARROW,
    House,
    answer,
    box,
    bubble,
    eventually,
    fresh,
    handset,
    row,
    shown,
    stranger,
    wait_until_live,
)
from tests.messaging.attachments.picture_bytes import (
    HTML,
    SVG,
    moving,
    photo_with_a_place,
    picture,
)

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, BrowserContext, Locator, Page, Route

    Enter = Callable[..., BrowserContext]
    Sit = Callable[..., Page]

PDF = b"%PDF-1.4 some pages"


def file(name: str, data: bytes, kind: str = "image/jpeg") -> dict[str, Any]:
    return {"name": name, "mimeType": kind, "buffer": data}


def attach(page: Page, *files: dict[str, Any]) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files(list(files))  # type: ignore[arg-type]


def drafted(page: Page) -> Locator:
    """What stands in the composer and is there for good."""
    return page.get_by_role("list", name="Attached").locator("li[data-file]")


def pictures(page: Page) -> Locator:
    return page.get_by_role("log", name="History").locator(".picture-link img")


def are_shown(images: Locator, count: int) -> None:
    expect(images).to_have_count(count)
    here = "all => all.every((one) => one.complete && one.naturalWidth > 0)"
    eventually(lambda: images.evaluate_all(here))


def send(page: Page, name: str = "Send") -> None:
    page.get_by_role("button", name=name, exact=True).click()


def turn_to(page: Page, number: str) -> None:
    """By the list, to the conversation with that number."""
    row(page, shown(number)).get_by_role("link").click()
    expect(box(page)).to_have_attribute("placeholder", f"Text {shown(number)}")


def bring(page: Page, kind: str, selector: str, *files: dict[str, Any]) -> None:
    """Paste or drop, as the browser tells of it."""
    expect(page.get_by_role("button", name="Attach files")).to_be_visible()
    told = [{**one, "buffer": base64.b64encode(one["buffer"]).decode()} for one in files]
    page.evaluate(
        """([kind, selector, told]) => {
          const data = new DataTransfer();
          for (const one of told) {
            const bytes = Uint8Array.from(atob(one.buffer), (c) => c.charCodeAt(0));
            data.items.add(new File([bytes], one.name, { type: one.mimeType }));
          }
          const at = document.querySelector(selector);
          const how = { bubbles: true, cancelable: true };
          if (kind === "paste") {
            at.dispatchEvent(new ClipboardEvent("paste", { ...how, clipboardData: data }));
          } else {
            at.dispatchEvent(new DragEvent(kind, { ...how, dataTransfer: data }));
          }
        }""",
        [kind, selector, told],
    )


def begin(house: House, *words: str) -> tuple[str, str]:
    """A stranger's number and the path of their thread."""
    number = stranger()
    for one in words or ("Is it there?",):
        house.text_in(one, sender=number)
    return number, house.thread(number)


def test_several_are_attached_looked_over_and_sent_and_everybody_sees_them(
    enter: Enter, sit: Sit, house: House
) -> None:
    number, path = begin(house)
    phone = handset(enter(), house, number)
    ana, ben = sit("ana", path), sit("ben", path)
    wait_until_live(ben)
    attach(ana, file("one.jpg", photo_with_a_place()), file("two.png", picture("PNG")))
    attach(ana, file("three.gif", moving()))
    expect(drafted(ana)).to_have_count(3)
    ana.get_by_role("button", name="Remove two.png").click()
    expect(drafted(ana)).to_have_count(2)
    words = fresh("These two?")
    box(ana).fill(words)
    send(ana)
    expect(drafted(ana)).to_have_count(0)
    for page in (ana, ben):
        are_shown(pictures(page), 2)
        expect(bubble(page, words)).to_contain_text("Delivered")
    received = phone.get_by_role("log", name="Received")
    expect(received).to_contain_text(words)
    are_shown(received.get_by_role("img"), 2)


def test_a_picture_alone_is_sent_and_the_list_says_so(sit: Sit, house: House) -> None:
    number, path = begin(house)
    ana = sit("ana", path)
    attach(ana, file("one.jpg", picture()))
    expect(drafted(ana)).to_have_count(1)
    box(ana).press("Enter")
    are_shown(pictures(ana), 1)
    expect(row(ana, number[-4:]).first).to_contain_text("You: Picture")


def test_files_are_pasted_and_dropped(sit: Sit, house: House) -> None:
    _, path = begin(house)
    ana = sit("ana", path)
    wait_until_live(ana)
    bring(ana, "paste", "#message-box", file("image.png", picture("PNG"), "image/png"))
    expect(drafted(ana)).to_have_count(1)
    bring(ana, "dragover", ".log", file("a.jpg", picture()))
    expect(ana.locator(".thread.is-dropping")).to_have_count(1)
    bring(ana, "drop", ".log", file("a.jpg", picture()), file("b.pdf", PDF, "application/pdf"))
    expect(drafted(ana)).to_have_count(3)
    expect(ana.locator(".thread.is-dropping")).to_have_count(0)
    # Beside the conversation nothing is taken, and the page stays.
    bring(ana, "drop", ".listing, nav", file("c.jpg", picture()))
    expect(drafted(ana)).to_have_count(3)
    # What waits in the composer outlives the page.
    ana.reload()
    expect(drafted(ana)).to_have_count(3)
    # The carrier takes no PDF: it says so, and nothing is lost.
    box(ana).fill("Here")
    send(ana)
    expect(ana.locator("#message-error")).to_contain_text("does not take b.pdf")
    expect(drafted(ana)).to_have_count(3)
    expect(box(ana)).to_have_value("Here")
    ana.get_by_role("button", name="Remove b.pdf").click()
    expect(drafted(ana)).to_have_count(2)
    send(ana)
    are_shown(pictures(ana), 2)


def test_a_file_that_was_taken_out_is_not_brought_back_by_an_older_answer(
    sit: Sit, house: House
) -> None:
    _, path = begin(house)
    ana = sit("ana", path)
    wait_until_live(ana)
    attach(ana, file("a.jpg", picture()), file("b.pdf", PDF, "application/pdf"))
    expect(drafted(ana)).to_have_count(2)
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if route.request.method == "GET" and not held:
            held.append((route, route.fetch()))
        else:
            route.continue_()

    ana.route("**/attachments/", hold)
    box(ana).fill("Here")
    with ana.expect_request(lambda asked: asked.url.endswith("/attachments/")):
        send(ana)
    eventually(lambda: ana.title() and held)
    ana.get_by_role("button", name="Remove b.pdf").click()
    expect(drafted(ana)).to_have_count(1)
    with ana.expect_response(lambda answer: answer.url.endswith("/attachments/")):
        held[0][0].fulfill(response=held[0][1])
    ana.wait_for_timeout(300)
    expect(drafted(ana)).to_have_count(1)


def test_a_picture_from_outside_comes_into_the_open_page_without_a_jump(
    enter: Enter, sit: Sit, house: House
) -> None:
    number, path = begin(house)
    ana = sit("ana", path)
    wait_until_live(ana)
    phone = handset(enter(), house, number)
    to = phone.get_by_role("combobox", name="To")
    to.select_option(to.get_by_role("option", name="Front Desk").get_attribute("value"))
    chosen = phone.locator("input[type=file]")
    chosen.set_input_files([file("me.jpg", picture(size=(900, 600)))])  # type: ignore[arg-type]
    words = fresh("Look at this")
    phone.get_by_role("textbox", name="Text").fill(words)
    phone.get_by_role("button", name="Send text").click()
    are_shown(pictures(ana), 1)
    image = pictures(ana).first
    assert (image.get_attribute("width"), image.get_attribute("height")) == ("320", "213")
    # Its room is kept before its bytes are there.
    ana.route(re.compile("thumbnail"), lambda route: route.abort())
    ana.reload()
    held = pictures(ana).first.bounding_box()
    assert held is not None
    assert (round(held["width"]), round(held["height"])) == (320, 213)


def test_internal_files_stay_among_the_team(enter: Enter, sit: Sit, house: House) -> None:
    number, path = begin(house)
    phone = handset(enter(), house, number)
    ana, ben = sit("ana", path), sit("ben", path)
    wait_until_live(ben)
    ana.get_by_role("button", name="Internal message", exact=True).click()
    attach(ana, file("plan.pdf", PDF, "application/pdf"), file("plan.jpg", picture()))
    expect(drafted(ana)).to_have_count(2)
    send(ana, "Add internal message")
    internal = bubble(ben, "plan.pdf")
    expect(internal).to_contain_text("Internal")
    expect(internal).to_contain_text("PDF")
    with ben.expect_download() as download:
        internal.get_by_role("link", name="plan.pdf").click()
    assert download.value.suggested_filename == "plan.pdf"
    words = fresh("To you")
    ana.get_by_role("button", name="Internal message", exact=True).click()
    answer(ana, words)
    received = phone.get_by_role("log", name="Received")
    expect(received).to_contain_text(words)
    expect(received.get_by_role("img")).to_have_count(0)
    assert house.sql(
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


def test_hostile_files_never_run_in_the_page_nor_by_themselves(sit: Sit, house: House) -> None:
    _, path = begin(house)
    ana = sit("ana", path)
    ana.on("dialog", lambda _: pytest.fail("it ran"))
    ana.get_by_role("button", name="Internal message", exact=True).click()
    attach(ana, *[file(name, data, "text/html") for name, data in HOSTILE])
    expect(drafted(ana)).to_have_count(len(HOSTILE))
    send(ana, "Add internal message")
    files = ana.get_by_role("log", name="History").locator(".file-link")
    expect(files).to_have_count(len(HOSTILE))
    expect(pictures(ana)).to_have_count(0)
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


def test_send_waits_for_what_is_on_its_way(sit: Sit, house: House) -> None:
    _, path = begin(house)
    ana = sit("ana", path)
    wait_until_live(ana)
    held: list[Any] = []
    ana.route("**/attachments/", lambda route: held.append(route))
    attach(ana, file("slow.jpg", picture()))
    expect(ana.get_by_role("progressbar", name="Uploading slow.jpg")).to_be_visible()
    words = fresh("With a picture")
    box(ana).fill(words)
    send(ana)
    eventually(lambda: held)
    assert house.count(words) == 0
    expect(box(ana)).to_have_value(words)
    held[0].continue_()
    are_shown(pictures(ana), 1)
    expect(bubble(ana, words)).to_have_count(1)
    assert house.count(words) == 1


def test_a_waiting_send_goes_neither_elsewhere_nor_in_the_other_mode_nor_at_another_hour(
    sit: Sit, house: House
) -> None:
    number, path = begin(house)
    other, half = begin(house)[0], fresh("Half written")
    ana = sit("ana", path)
    wait_until_live(ana)
    turn_to(ana, other)
    with ana.expect_response("**/draft/"):
        box(ana).fill(half)
    turn_to(ana, number)
    held: list[Any] = []

    def hold(route: Any) -> None:
        # Only files on their way: what the page asks of its list is answered.
        held.append(route) if route.request.method == "POST" else route.continue_()

    ana.route("**/attachments/", hold)
    words = fresh("With a picture")
    eye = ana.get_by_role("button", name="Internal message", exact=True)

    def begin_upload(name: str) -> None:
        with ana.expect_request("**/attachments/"):
            attach(ana, file(name, picture()))
        box(ana).fill(words)

    begin_upload("one.jpg")
    ana.get_by_role("button", name="Send later").click()
    ana.get_by_role("button", name="In 1 hour").click()
    expect(ana.get_by_text("Files cannot be sent later.")).to_be_visible()
    ana.keyboard.press("Escape")
    held.pop().continue_()
    expect(drafted(ana)).to_have_count(1)

    begin_upload("two.jpg")
    send(ana)
    expect(ana.get_by_text("It goes as soon as its files are here.")).to_be_visible()
    eye.click()
    held.pop().continue_()
    expect(drafted(ana)).to_have_count(2)
    eye.click()

    begin_upload("three.jpg")
    send(ana)
    turn_to(ana, other)
    expect(box(ana)).to_have_value(half)
    held.pop().continue_()
    turn_to(ana, number)
    expect(drafted(ana)).to_have_count(3)

    assert (house.count(words), house.count(half)) == (0, 0)
    expect(ana.get_by_role("region", name="Waiting to be sent")).to_have_count(0)
    send(ana)
    are_shown(pictures(ana), 3)
    assert house.count(words) == 1


def test_what_did_not_reach_the_server_says_so_and_is_tried_again(sit: Sit, house: House) -> None:
    _, path = begin(house)
    ana = sit("ana", path)
    wait_until_live(ana)
    ana.route("**/attachments/", lambda route: route.abort())
    attach(ana, file("lost.jpg", picture()))
    wrong = ana.get_by_role("list", name="Attached")
    expect(wrong).to_contain_text("did not reach the server")
    ana.unroute("**/attachments/")
    ana.get_by_role("button", name="Try again").click()
    expect(drafted(ana)).to_have_count(1)
    expect(wrong).not_to_contain_text("did not reach")


def test_what_could_not_be_fetched_is_told_and_fetched_by_a_press(sit: Sit, house: House) -> None:
    _, path = begin(house)
    ana = sit("ana", path)
    wait_until_live(ana)
    house.sql(
        "WITH m AS (UPDATE messaging_message SET picture_count = 1 WHERE thread_id = %s"
        " RETURNING id, thread_id) INSERT INTO messaging_attachment (thread_id, message_id, kind,"
        " state, reason, name, content_type, size, is_animated, sha256, stored_name,"
        " thumbnail_name, source_url, source_sha256, tries, created_at)"
        " SELECT thread_id, id, 'picture', 'failed', 'The carrier does not have this file any"
        " more.', '', '', 0, false, '', '', '', 'https://127.0.0.1/x', '', 0, now() FROM m",
        int(path.split("/")[2]),
    )
    ana.reload()
    said = bubble(ana, "Is it there?")
    expect(said).to_contain_text("does not have this file any more")
    wait_until_live(ana)
    ana.get_by_role("button", name="Try again").click()
    expect(said).to_contain_text("its address is not the carrier's")


def test_another_tab_follows_what_is_put_there_and_taken_out(enter: Enter, house: House) -> None:
    _, path = begin(house)
    context = enter("ana")
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(house.url + path)
        wait_until_live(page)
    attach(first, file("one.jpg", picture()), file("two.jpg", picture()))
    expect(drafted(first)).to_have_count(2)
    expect(drafted(second)).to_have_count(2)
    second.get_by_role("button", name="Remove one.jpg").click()
    expect(drafted(second)).to_have_count(1)
    expect(drafted(first)).to_have_count(1)
    expect(drafted(first)).to_contain_text("two.jpg")


def test_another_tab_follows_what_was_sent(enter: Enter, house: House) -> None:
    _, path = begin(house)
    context = enter("ana")
    first, second = context.new_page(), context.new_page()
    first.goto(house.url + path)
    attach(first, file("one.jpg", picture()))
    expect(drafted(first)).to_have_count(1)
    second.goto(house.url + path)
    wait_until_live(second)
    expect(drafted(second)).to_have_count(1)
    box(first).fill(fresh("Gone"))
    send(first)
    are_shown(pictures(first), 1)
    expect(drafted(second)).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_files_have_room_and_targets_for_thumbs(
    sit: Sit, house: House, theme: str
) -> None:
    _, path = begin(house)
    ana = sit("ana", path, viewport=NARROW, color_scheme=theme, has_touch=True, is_mobile=True)
    wait_until_live(ana)
    long = "a very long name of a file from some phone or other " * 2
    attach(ana, file("one.jpg", picture(size=(2000, 500))), file(f"{long}.pdf", PDF))
    expect(drafted(ana)).to_have_count(2)
    for button in [
        ana.get_by_role("button", name="Attach files"),
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
    are_shown(pictures(ana), 1)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert ana.evaluate(wide) == 0
    ana.wait_for_timeout(300)
    found = Axe().run(ana).response["violations"]
    assert [(broken["id"], broken["nodes"][0]["target"]) for broken in found] == []


def test_without_scripts_a_file_goes_with_the_form(sit: Sit, house: House) -> None:
    _, path = begin(house)
    ana = sit("ana", path, java_script_enabled=False)
    expect(ana.locator(".attach")).to_be_hidden()
    ana.locator("input[name=files]").set_input_files([file("one.jpg", picture())])  # type: ignore[arg-type]
    box(ana).fill("Without scripts")
    send(ana)
    expect(pictures(ana)).to_have_count(1)
    expect(bubble(ana, "Without scripts")).to_have_count(1)
