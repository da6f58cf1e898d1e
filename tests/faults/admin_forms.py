"""Forms of Django's administration, filled in and sent as a browser would."""

from __future__ import annotations

from html.parser import HTMLParser

import httpx


class Busy(Exception):
    """The server had no time for it; a person would press the button again."""


class Form(HTMLParser):
    """The fields of the page's form with this id, as they stand."""

    def __init__(self, form_id: str, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._form_id = form_id
        self._is_inside = False
        self._select = ""
        self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = given.get("id") == self._form_id
        if not self._is_inside:
            return
        name = given.get("name", "")
        if tag == "input" and name and _is_sent(given):
            is_box = given.get("type") in {"checkbox", "radio"}
            self.fields[name] = given.get("value", "on" if is_box else "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.fields[self._select] = given.get("value", "")
        elif tag == "textarea":
            self._area = name
            self.fields[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data


def _is_sent(given: dict[str, str]) -> bool:
    if given.get("type") in {"submit", "button", "reset", "file"}:
        return False
    return given.get("type") not in {"checkbox", "radio"} or "checked" in given


def read_form(http: httpx.Client, path: str, form_id: str) -> dict[str, str]:
    """Raises Busy."""
    page = http.get(path)
    if page.status_code >= 500:
        raise Busy(path)
    assert page.status_code == 200, f"{path}: {page.status_code}"
    fields = Form(form_id, page.text).fields
    assert fields, f"{path} has no form {form_id}"
    return fields


def send_form(http: httpx.Client, path: str, fields: dict[str, str]) -> None:
    """Raises Busy, or AssertionError with the page's complaints if it is not taken."""
    answer = http.post(path, data=fields)
    if answer.status_code >= 500:
        raise Busy(path)
    if answer.status_code != 302:
        lines = [line.strip() for line in answer.text.splitlines() if "error" in line]
        raise AssertionError(f"{path}: {answer.status_code} {lines[:5]}")
