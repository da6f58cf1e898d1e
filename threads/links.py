"""Find what can be opened in a text: web addresses, e-mail addresses and telephone numbers.

A link opens exactly what it shows. An address that could show one host and open another is left as
it was written: with a name or password before the host, a backslash, invisible characters, or
letters beyond ASCII in the host, which may look like others.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

import phonenumbers
from django.conf import settings

from threads.folding import is_blank

MAX_SEARCHED = 20_000  # further characters of a text hold no links
MAX_URL_LENGTH = 2_048

# Scripts that put no space between words: an address ends where they begin.
_CJK = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_CJK_CHARACTER = re.compile(f"[{_CJK}]")
_PATH = rf"(?:[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~|]|[^\W\x00-\x7f{_CJK}])"
_SCHEME = re.compile(r"(?<![A-Za-z0-9])https?://", re.IGNORECASE)
_SPACE = re.compile(r"\s|$")
_URL = re.compile(
    r"https?://(?P<host>(?>[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?))"
    rf"(?P<port>(?>:[0-9]{{1,5}})?)(?P<rest>(?>[/?#]{_PATH}*)?)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_SAFE_IN_URL = "!#$%&'()*+,-./:;=?@[]_~|"

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._+@/-])(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9_+-])?)"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
    r"(?![A-Za-z0-9@-]|\.[A-Za-z0-9])"
)

# Seven digits, with at most as many other characters between them as PhoneNumberMatcher takes.
_MAYBE_NUMBER = re.compile(r"\d(?:\W{0,4}\d){6}")
# So many runs of digits that are no number are looked at, which bounds the time.
_MAX_TRIES = 20
_BRACKETS = {")": "(", "]": "["}


@dataclass(frozen=True, slots=True)
class Link:
    """Hold the span of a link in a text, in characters, and the address that it opens."""

    start: int
    end: int
    href: str

    @property
    def is_page(self) -> bool:
        """Return True if the link opens a page of the web."""
        return not self.href.startswith(("mailto:", "tel:"))


def find_links(text: str) -> tuple[Link, ...]:
    """Return the links of a text in their order."""
    return _find_links(text[:MAX_SEARCHED], settings.DEFAULT_REGION)


@lru_cache(1_024)
def _find_links(text: str, region: str) -> tuple[Link, ...]:
    # Cached, because pages show the same messages again and again.
    found = list(_find_urls(text)) if "://" in text else []
    rest = _blank_out(text, found)
    if "@" in rest:
        found += _find_emails(rest)
        rest = _blank_out(rest, found)
    if _MAYBE_NUMBER.search(rest):
        found += _find_numbers(rest, region)
    return tuple(sorted((link for link in found if link.href), key=lambda link: link.start))


def _blank_out(text: str, links: list[Link]) -> str:
    """Return a text of the same length with line breaks in place of the links."""
    for link in links:
        text = text[: link.start] + "\n" * (link.end - link.start) + text[link.end :]
    return text


def _find_urls(text: str) -> Iterator[Link]:
    """Yield web addresses; one that is not to be opened, up to the next space, opens nothing."""
    end = 0
    while scheme := _SCHEME.search(text, end):
        link = _read_url(text, scheme.start())
        if link is None:
            space = _SPACE.search(text, scheme.end())
            link = Link(scheme.start(), space.start() if space else len(text), href="")
        yield link
        end = link.end


def _read_url(text: str, start: int) -> Link | None:
    match = _URL.match(text, start)
    if match is None:
        return None
    host, port, rest = match["host"], match["port"], match["rest"]
    follows = text[match.end() : match.end() + 2]
    if not _is_host(host, port) or (not rest and not _may_follow_host(host, follows)):
        return None
    kept = _trim(rest)
    end = match.end() - (len(rest) - len(kept))
    if end - start > MAX_URL_LENGTH:
        return None
    head = text[start : match.start("rest")]
    return Link(start, end, head + quote(kept, safe=_SAFE_IN_URL))


def _is_host(host: str, port: str) -> bool:
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        return False
    if port and int(port[1:]) > 65_535:
        return False
    if not _NUMERIC.fullmatch(labels[-1]):
        return True
    # Browsers also read 3232235777 or 0x7f.1 as addresses, which nobody recognises.
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def _may_follow_host(host: str, follows: str) -> bool:
    """Return True if the host ends where it seems to, judged by the next two characters."""
    if not follows:
        return True
    first, second = follows[0], follows[1:]
    if first == ":":
        return not second or second.isspace()
    if first.isascii():
        return first not in "@\\%"
    # Browsers read full-width forms as ASCII, and letters of other scripts as part of the host.
    plain = unicodedata.normalize("NFKC", first)[0]
    if plain.isascii() and (plain.isalnum() or plain in ".-_@/\\%"):
        return False
    return "." in host and not _continues_word(first) and not _is_unseen(first)


def _is_unseen(character: str) -> bool:
    return is_blank(character) and not character.isspace()


def _continues_word(character: str) -> bool:
    """Return True for a letter, digit or mark of a script that puts spaces between words."""
    is_word = character.isalnum() or unicodedata.category(character)[0] == "M"
    return is_word and not _CJK_CHARACTER.match(character)


def _trim(rest: str) -> str:
    """Return the end of an address without the punctuation of the sentence around it."""
    while rest:
        last = rest[-1]
        opening = _BRACKETS.get(last)
        is_unbalanced = opening is not None and rest.count(last) > rest.count(opening)
        if not is_unbalanced and last not in ".,:;!?'*|":
            return rest
        rest = rest[:-1]
    return rest


def _find_emails(text: str) -> Iterator[Link]:
    for match in _EMAIL.finditer(text):
        around = text[max(0, match.start() - 1) : match.start()], text[match.end() :][:1]
        is_part = any(map(_continues_word, filter(None, around)))
        if not is_part and ".." not in match["name"]:
            yield Link(match.start(), match.end(), f"mailto:{match[0]}")


def _find_numbers(text: str, region: str) -> Iterator[Link]:
    leniency = phonenumbers.Leniency.VALID
    for match in phonenumbers.PhoneNumberMatcher(text, region, leniency, _MAX_TRIES):
        number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.RFC3966)
        yield Link(match.start, match.end, number)
