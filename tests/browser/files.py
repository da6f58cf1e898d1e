"""Files in the browser tests: made, attached, pasted, dropped, and found on the page."""

from __future__ import annotations

import base64
from typing import Any, Literal

from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import find_row, format_number, message_box, new_number, wait_until
from tests.browser.server import Server

PDF = b"%PDF-1.4 some pages"


def make_file(name: str, data: bytes, kind: str = "image/jpeg") -> dict[str, Any]:
    return {"name": name, "mimeType": kind, "buffer": data}


def attach_files(page: Page, *files: dict[str, Any]) -> None:
    plus = page.get_by_role("button", name="Attach or send later")
    kind: Literal["menuitem", "button"] = "button"
    if plus.is_visible():  # where the composer is one row
        plus.click()
        kind = "menuitem"
    with page.expect_file_chooser() as chooser:
        page.get_by_role(kind, name="Attach files").click()
    chooser.value.set_files(list(files))  # type: ignore[arg-type]


def attached_files(page: Page) -> Locator:
    """Find what stands in the composer and is there for good."""
    return page.get_by_role("list", name="Attached").locator("li[data-file]")


def find_pictures(page: Page) -> Locator:
    return page.get_by_role("log", name="History").locator(".picture-link img")


def expect_shown(images: Locator, count: int) -> None:
    expect(images).to_have_count(count)
    here = "all => all.every((one) => one.complete && one.naturalWidth > 0)"
    wait_until(lambda: images.evaluate_all(here))


def press_send(page: Page, name: str = "Send") -> None:
    page.get_by_role("button", name=name, exact=True).click()


def turn_to_thread(page: Page, number: str) -> None:
    """Choose in the list the conversation with that number."""
    find_row(page, format_number(number)).get_by_role("link").click()
    expect(message_box(page)).to_have_attribute("placeholder", f"Text {format_number(number)}")


def paste_or_drop(
    page: Page,
    kind: str,
    selector: str,
    *files: dict[str, Any],
    words: dict[str, str] | None = None,
) -> bool:
    """Paste or drop files by the events that a browser would send.

    `words` are those beside the files, by their type. Returns True if the browser was left to
    insert them.
    """
    expect(page.get_by_role("button", name="Attach files")).to_be_visible()
    encoded = [{**file, "buffer": base64.b64encode(file["buffer"]).decode()} for file in files]
    is_left: bool = page.evaluate(
        """([kind, selector, files, words]) => {
          const data = new DataTransfer();
          for (const [type, text] of Object.entries(words)) data.setData(type, text);
          for (const file of files) {
            const bytes = Uint8Array.from(atob(file.buffer), (c) => c.charCodeAt(0));
            data.items.add(new File([bytes], file.name, { type: file.mimeType }));
          }
          const target = document.querySelector(selector);
          const options = { bubbles: true, cancelable: true };
          if (kind === "paste") {
            const event = new ClipboardEvent("paste", { ...options, clipboardData: data });
            return target.dispatchEvent(event);
          }
          return target.dispatchEvent(new DragEvent(kind, { ...options, dataTransfer: data }));
        }""",
        [kind, selector, encoded, words or {}],
    )
    return is_left


def begin_thread(server: Server, *words: str) -> tuple[str, str]:
    """Return a new number and the path of its thread."""
    number = new_number()
    for one in words or ("Is it there?",):
        server.receive_text(one, sender=number)
    return number, server.thread_path(number)
