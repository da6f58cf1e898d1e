"""Read and send forms of Django's administration as a browser does."""

from __future__ import annotations

from html.parser import HTMLParser

import httpx


class ServerBusy(Exception):
    """Say that the server was too busy to answer; a person would try again."""


class FormParser(HTMLParser):
    """Parse the fields and current values of the form with the values id."""

    def __init__(self, form_id: str, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._form_id = form_id
        self._is_inside = False
        self._select = ""
        self._textarea = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = values.get("id") == self._form_id
        if not self._is_inside:
            return
        name = values.get("name", "")
        if tag == "input" and name and _is_submitted(values):
            is_box = values.get("type") in {"checkbox", "radio"}
            self.fields[name] = values.get("value", "on" if is_box else "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in values:
            self.fields[self._select] = values.get("value", "")
        elif tag == "textarea":
            self._textarea = name
            self.fields[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.fields[self._textarea] += data


def _is_submitted(values: dict[str, str]) -> bool:
    if values.get("type") in {"submit", "button", "reset", "file"}:
        return False
    return values.get("type") not in {"checkbox", "radio"} or "checked" in values


def read_form(http: httpx.Client, path: str, form_id: str) -> dict[str, str]:
    """Return the form's fields and values. Raises ServerBusy."""
    page = http.get(path)
    if page.status_code >= 500:
        raise ServerBusy(path)
    assert page.status_code == 200, f"{path}: {page.status_code}"
    fields = FormParser(form_id, page.text).fields
    assert fields, f"{path} has no form {form_id}"
    return fields


def send_form(http: httpx.Client, path: str, fields: dict[str, str]) -> None:
    """Send the form. Raises ServerBusy, or AssertionError with the page's errors."""
    answer = http.post(path, data=fields)
    if answer.status_code >= 500:
        raise ServerBusy(path)
    if answer.status_code != 302:
        lines = [line.strip() for line in answer.text.splitlines() if "error" in line]
        raise AssertionError(f"{path}: {answer.status_code} {lines[:5]}")
