"""Provide the vocabulary of the journeys: what people press, type and read, in any browser."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from tests.browser.server import Server
from tests.other_browsers.webdriver import Driver, Keys, WebDriverError

PATIENCE = 30.0
# What a driver says of an element that has just moved, or that was drawn anew.
PASSING = {
    "element click intercepted",
    "element not interactable",
    "stale element reference",
    "no such element",
    "javascript error",
}

# The elements that can be seen and have this role's selector and accessible name.
_FIND = """
const [selector, wanted, isWhole] = arguments;
const tidy = text => (text ?? "").replace(/\\s+/g, " ").trim();
const nameOf = one => tidy(one.getAttribute("aria-label") || one.labels?.[0]?.textContent
  || one.textContent || one.title);
const found = [...document.querySelectorAll(selector)].filter(one => {
  const name = nameOf(one);
  return one.getClientRects().length && getComputedStyle(one).visibility !== "hidden"
    && (isWhole ? name === wanted : name.includes(wanted));
});
return found.length ? found : null;
"""
PRESSABLE = "a[href], button, [role=menuitem], [role=menuitemradio], [role=option], summary"
# Files cannot be chosen in a dialog of the system, but they can be dropped.
_DROP = """
const [name, kind, base64] = arguments;
const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
const transfer = new DataTransfer();
transfer.items.add(new File([bytes], name, { type: kind }));
const target = document.querySelector(".log");
for (const type of ["dragenter", "dragover", "drop"]) {
  const event = new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer });
  target.dispatchEvent(event);
}
"""


@dataclass
class Pages:
    """Hold a browser in which an agent is signed in."""

    driver: Driver
    server: Server

    def open(self, path: str) -> None:
        self.driver.open(self.server.url + path)

    def open_as(self, username: str, path: str = "/") -> None:
        """Open a page with the agent's session, live."""
        self.open("/healthz")
        self.driver.call("DeleteAllCookies")
        for cookie in self.server.cookies_of(username):
            kept = {"name": cookie["name"], "value": cookie["value"], "path": "/"}
            self.driver.call("AddCookie", cookie=kept)
        self.open(path)
        self.wait_until_live()

    def wait_until_live(self) -> None:
        self.wait("return document.documentElement.dataset.connection === 'online'")

    def wait(self, script: str, *values: Any) -> Any:
        """Run a script in the page until it returns something true, and return that."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                found = self.driver.run(script, *values)
            except WebDriverError as error:
                if error.kind not in PASSING:
                    raise
                found = None
            if found:
                return found
            assert time.monotonic() < end, f"it did not come about: {script} {values}\n{self.text}"
            time.sleep(0.1)

    @property
    def text(self) -> str:
        return str(self.driver.run("return document.body.innerText"))

    def read_texts(self, selector: str) -> list[str]:
        """Return what stands in each element, without the white space of the markup."""
        script = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".map(one => one.innerText.replace(/\\s+/g, ' ').trim())"
        )
        found: list[str] = self.driver.run(script, selector)
        return found

    def find(
        self, name: str, selector: str = PRESSABLE, *, is_whole: bool = False
    ) -> dict[str, str]:
        """Return the first element of that name, as soon as it can be seen."""
        elements: list[dict[str, str]] = self.wait(_FIND, selector, name, is_whole)
        return elements[0]

    def press(self, name: str, selector: str = PRESSABLE, *, is_whole: bool = False) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.driver.click(self.find(name, selector, is_whole=is_whole))
                return
            except WebDriverError as error:
                if error.kind not in PASSING:
                    raise
                assert time.monotonic() < end, f"{name} cannot be pressed"
                time.sleep(0.1)

    def expect_text(self, words: str, selector: str = "body") -> None:
        self.wait(
            "return [...document.querySelectorAll(arguments[0])]"
            ".some(one => one.innerText.replace(/\\s+/g, ' ').includes(arguments[1]))",
            selector,
            words,
        )

    def expect_no_text(self, words: str, selector: str = "body") -> None:
        self.wait(
            "return ![...document.querySelectorAll(arguments[0])]"
            ".some(one => one.innerText.replace(/\\s+/g, ' ').includes(arguments[1]))",
            selector,
            words,
        )

    def expect_message(self, body: str, words: str = "") -> None:
        """Wait for a message with that body, and with those words about it."""
        self.wait(
            "return [...document.querySelectorAll('.log > .message')].some(one =>"
            " one.innerText.includes(arguments[0]) && one.innerText.includes(arguments[1]))",
            body,
            words,
        )

    @property
    def box(self) -> dict[str, str]:
        found: dict[str, str] = self.wait("return document.querySelector('#message-box')")
        return found

    def focus_box(self) -> None:
        self.driver.click(self.box)

    def read_box(self) -> str:
        return str(self.driver.run("return document.querySelector('#message-box').value"))

    def type_text(self, text: str) -> None:
        self.driver.type_text(text)

    def send(self, body: str) -> None:
        self.focus_box()
        self.type_text(body + Keys.ENTER)

    def drop_file(self, name: str, kind: str, base64: str) -> None:
        self.driver.run(_DROP, name, kind, base64)
