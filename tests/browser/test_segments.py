"""The count of segments under the box; page and server cut every text alike."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from messaging.stream.segments import EXTENSION, GSM_7, NAMES, count_segments
from tests.browser.pages import NARROW, OpenPage, ThreadPage, message_box, new_number
from tests.browser.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


CASES = 6_000
ALPHABETS = [
    sorted(GSM_7),
    sorted(EXTENSION),
    ["a", "{"],
    ["a", "é", "ç"],
    ["😀", "a", "👩", "\u200d"],
    sorted(NAMES),
    [chr(code) for code in range(1, 0x250)],
    [
        chr(code)
        for code in (0x200E, 0x2028, 0x301, 0x5D0, 0x4E2D, 0xFEFF, 0xFFFD, 0x1F469, 0x10FFFF)
    ],
]
SAME = """texts => {
  const { name } = performance.getEntriesByType("resource")
    .find(entry => /\\/composer\\/segments\\b[^/]*\\.js$/.test(entry.name));
  return import(name).then(({ countSegments, describeSegments }) => texts.map(text => {
    const cut = countSegments(text), words = describeSegments(cut);
    return [cut.count, cut.room, cut.capacity, cut.forcedBy,
      words.isWorthShowing, words.size, words.reason, words.explanation];
  }));
}"""


def make_texts(count: int) -> list[str]:
    """Make texts of few alphabets, with lengths near the borders of segments, where errors are
    likely."""
    chance = random.Random(7)
    borders = [0, 1, 35, 67, 70, 76, 80, 134, 153, 160, 201, 306, 459, 1530]
    found = []
    for _ in range(count):
        letters = chance.choice(ALPHABETS)
        length = max(0, chance.choice(borders) + chance.randint(-4, 4))
        text = [chance.choice(letters) for _ in range(length)]
        if text and chance.random() < 0.4:
            text[chance.randrange(len(text))] = chance.choice(chance.choice(ALPHABETS))
        found.append("".join(text))
    return found


def segment_words(page: Page) -> Locator:
    return page.locator("[data-segments]")


def open_thread(open_page: OpenPage, server: Server, **options: object) -> Page:
    number = new_number()
    server.receive_text("How much is it?", sender=number)
    return open_page("ana", server.thread_path(number), **options)


def test_page_and_server_cut_thousands_of_texts_alike(open_page: OpenPage, server: Server) -> None:
    page = open_thread(open_page, server)
    message_box(page).wait_for()
    page.wait_for_load_state("load")  # its scripts have come, too
    texts = make_texts(CASES)
    for text, said in zip(texts, page.evaluate(SAME, texts), strict=True):
        cut = count_segments(text)
        ours = [cut.count, cut.room, cut.capacity, cut.forced_by]
        words = [cut.is_worth_showing, cut.size, cut.reason, cut.explanation]
        assert said == [*ours, *words], repr(text)


def test_the_box_tells_of_segments_only_when_there_is_something_to_say(
    open_page: OpenPage, server: Server
) -> None:
    page = open_thread(open_page, server)
    message_box(page).fill("a" * 100)
    expect(segment_words(page)).to_be_empty()
    message_box(page).fill("a" * 145)
    expect(segment_words(page)).to_have_text("145/160 · 1 segment")
    message_box(page).fill("a" * 161)
    expect(segment_words(page)).to_have_text("161/306 · 2 segments")
    expect(message_box(page)).to_have_accessible_description(
        "To the customer 161/306 · 2 segments"
    )
    message_box(page).fill("Garçon")
    expect(segment_words(page)).to_have_text("6/70 · 1 segment")
    expect(message_box(page)).to_have_accessible_description(
        "To the customer 6/70 · 1 segment ç shortens segments to 70 characters"
    )
    message_box(page).fill("")
    expect(segment_words(page)).to_be_empty()
    expect(message_box(page)).to_have_accessible_description("To the customer")


def test_the_team_hears_nothing_of_segments(open_page: OpenPage, server: Server) -> None:
    at = ThreadPage(open_thread(open_page, server))
    at.box.fill("Garçon, ils arrivent")
    expect(segment_words(at.page)).to_be_visible()
    at.eye.click()
    expect(segment_words(at.page)).to_be_empty()
    expect(at.box).to_have_accessible_description("Only your team sees this")
    at.eye.click()
    expect(segment_words(at.page)).to_be_visible()
    at.send()
    expect(at.box).to_have_value("")
    expect(segment_words(at.page)).to_be_empty()


def test_nothing_moves_when_the_word_comes_and_goes(open_page: OpenPage, server: Server) -> None:
    for size in ({"width": 1200, "height": 760}, NARROW, {"width": 820, "height": 760}):
        page = open_thread(open_page, server, viewport=size)
        box = message_box(page)
        box.fill("a")
        before = [one.bounding_box() for one in (page.locator(".send"), page.locator(".eye"), box)]
        box.fill("’")
        expect(page.locator("[data-unicode]")).to_be_visible()
        after = [one.bounding_box() for one in (page.locator(".send"), page.locator(".eye"), box)]
        assert after == before, size
        box.fill("’" * 130)
        expect(segment_words(page)).to_have_text("130/134 · 2 segments")
        for said in (segment_words(page), page.locator("#message-unicode")):
            assert said.evaluate("one => one.scrollWidth <= one.clientWidth"), "all of it"


def test_a_draft_is_drawn_with_its_word_by_the_server(open_page: OpenPage, server: Server) -> None:
    page = open_thread(open_page, server)
    with page.expect_response("**/draft/"):
        message_box(page).fill("ç" * 71)
    plain = open_page("ana", page.url.removeprefix(server.url), java_script_enabled=False)
    expect(segment_words(plain)).to_have_text("71/134 · 2 segments")
    expect(plain.get_by_text("ç shortens segments to 70 characters")).to_be_visible()
