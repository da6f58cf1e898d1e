"""Read and write the XML of Bandwidth's account and numbers API."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
import httpx
from defusedxml.common import DefusedXmlException

from messaging.carriers import http

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def read_answer(response: httpx.Response) -> dict[str, Any]:
    """Return an answer, by the name of its root; empty if it is neither XML nor a JSON object.

    An element is a text, or the elements in it by name; of several with one name, a list.
    """
    if "json" in response.headers.get("content-type", ""):
        return http.json_object(response)
    try:
        root = defusedxml.ElementTree.fromstring(response.content, forbid_dtd=True)
        return {root.tag: _value(root)}
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        return {}


def read_error(answer: Mapping[str, Any]) -> tuple[object, object]:
    """Return an error's number and words, which are below the root, or in a JSON object."""
    for value in answer.values():
        status = part(value, "ResponseStatus")
        if status:
            return text(status, "ErrorCode"), text(status, "Description")
    return answer.get("type"), answer.get("description") or answer.get("message")


def part(value: object, *names: str) -> dict[str, Any]:
    """Return the elements of the element at the end of a path; empty if there are none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text(value: object, name: str) -> str:
    """Return the text of one element; empty if there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def each(value: object, name: str) -> list[Any]:
    """Return the elements of one name, whether there is none, one or more."""
    found = value.get(name) if isinstance(value, dict) else None
    if isinstance(found, list):
        return found
    return [found] if found else []


def write(name: str, value: object) -> str:
    """Return an element in the form that `read_answer` returns."""
    match value:
        case list():
            return "".join(write(name, one) for one in value)
        case dict():
            inner = "".join(write(child, one) for child, one in value.items())
        case _:
            inner = escape(str(value), quote=False)
    return f"<{name}>{inner}</{name}>"


def _value(element: Element) -> Any:
    if not len(element):
        return (element.text or "").strip()
    values: dict[str, Any] = {}
    for child in element:
        value = _value(child)
        if child.tag not in values:
            values[child.tag] = value
        elif isinstance(values[child.tag], list):
            values[child.tag].append(value)
        else:
            values[child.tag] = [values[child.tag], value]
    return values
