"""Read a page's markup, however its template breaks the lines."""

from __future__ import annotations

import html
import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

_TAG = re.compile(r"""<[a-z](?:"[^"]*"|'[^']*'|[^"'<>])*>""")
_SPACE = re.compile(r"""("[^"]*"|'[^']*')|\s+""")
# Most tags are even already, and there are a thousand on a page.
_UNEVEN = re.compile(r"[^\S ]|  | /?>$")


def tags_on_one_line(markup: str) -> str:
    """Return the markup with one space between the attributes of each tag."""
    return _TAG.sub(lambda tag: _space_once(tag[0]) if _UNEVEN.search(tag[0]) else tag[0], markup)


def _space_once(tag: str) -> str:
    return re.sub(r" (/?>)$", r"\1", _SPACE.sub(lambda found: found[1] or " ", tag))


def read_page(response: Any) -> str:
    """Return the response's page, with each tag on one line."""
    return tags_on_one_line(response.content.decode())


def read_words(response: Any) -> str:
    """Return the response's page with its entities as the characters that people read."""
    return html.unescape(response.content.decode())


def read_text(response: Any) -> str:
    """Return the response's words alone, without tags, as one line."""
    words = re.sub(r"<[^>]*>", "", tags_on_one_line(response.content.decode()))
    return " ".join(html.unescape(words).split()).replace(" ,", ",")


def without_bdi(markup: str) -> str:
    """Return markup without the `<bdi>` around names and texts, for tests of their words."""
    return re.sub(r"</?bdi>", "", markup)


class PageClient(Client):
    """Get pages as Django's client does, with each tag on one line."""

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        kind = response.headers.get("Content-Type", "")
        if isinstance(response, HttpResponse) and kind.startswith("text/html"):
            response.content = read_page(response).encode()
        return response
