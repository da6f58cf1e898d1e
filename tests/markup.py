"""Reading a page's markup, however its template breaks the lines."""

from __future__ import annotations

import re
from typing import Any

_TAG = re.compile(r"<[a-z][^<>]*>")


def tags_on_one_line(markup: str) -> str:
    """Return the markup with one space between the attributes of each tag."""
    return _TAG.sub(lambda tag: re.sub(r" (/?>)$", r"\1", " ".join(tag[0].split())), markup)


def read_page(response: Any) -> str:
    """Return the response's page, with each tag on one line."""
    return tags_on_one_line(response.content.decode())
