"""Links in texts: what they open, and what is left as it was written."""

from __future__ import annotations

import html
import re
from itertools import pairwise
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threads.highlighting import draw_links
from threads.links import find_links


def opened_by(text: str) -> list[tuple[str, str]]:
    """Return what each link shows, and what it opens."""
    return [(text[link.start : link.end], link.href) for link in find_links(text)]


def shown_links(text: str) -> list[str]:
    return [shown for shown, _ in opened_by(text)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See https://example.com.", "https://example.com"),
        ("See http://example.com/a?b=c&d=e#f, please", "http://example.com/a?b=c&d=e#f"),
        ("(https://en.example/wiki/A_(b))", "https://en.example/wiki/A_(b)"),
        ("[https://example.com/a]!", "https://example.com/a"),
        ("“https://example.com/a”", "https://example.com/a"),
        ("https://example.com/a…", "https://example.com/a"),
        ("<https://example.com>", "https://example.com"),
        ('"https://example.com/a"', "https://example.com/a"),
        ("https://example.com: look", "https://example.com"),
        ("HTTPS://Example.COM/A", "HTTPS://Example.COM/A"),
        ("line\nhttps://example.com\nline", "https://example.com"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("http://192.168.1.10:8080/a", "http://192.168.1.10:8080/a"),
        ("http://localhost/a", "http://localhost/a"),
        ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
        ("https://medium.example/@ben/a", "https://medium.example/@ben/a"),
        ("https://wa.example/12025550177", "https://wa.example/12025550177"),
        ("https://example.comをご覧ください", "https://example.com"),
        ("https://example.com/a。次に", "https://example.com/a"),
        ("見て（https://example.com/a）", "https://example.com/a"),
        ("https://x.example/\u202egnp.exe", "https://x.example/"),
    ],
)
def test_a_web_address_ends_where_the_sentence_goes_on(text: str, shown: str) -> None:
    assert opened_by(text) == [(shown, shown)]


def test_letters_in_a_path_are_opened_as_browsers_encode_them() -> None:
    assert opened_by("https://example.com/wiki/Müller?q=ж") == [
        ("https://example.com/wiki/Müller?q=ж", "https://example.com/wiki/M%C3%BCller?q=%D0%B6")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "https://bank.com@evil.example/login",
        "https://bank.com:443@evil.example",
        "https://user:word@evil.example",
        "https://bank.com\\@evil.example",
        "https://bank.com%2f@evil.example",
        "https://аррӏе.com",
        "https://pаypal.com/a",
        "https://www.bank.cοm",
        "https://www.bank．evil.example",
        "https://www.bank／evil.example",
        "https://exam\u200bple.com",
        "https://www.exam\u00adple.com",
        "https://münchen.example",
        "http://3232235777/",
        "http://0x7f.1/",
        "http://1.2.3/",
        "http://a..b/",
        "https://-/",
        "https://",
        "https://example.com:99999/",
        "javascript:alert(1)",
        "JavaScript://example.com/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "file:///etc/passwd",
        "xhttps://example.com",
        "ftp://somebody@host.example",
        "https://example.com/" + "a" * 2_048,
    ],
)
def test_what_could_open_something_else_than_it_shows_is_no_link(text: str) -> None:
    assert opened_by(text) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Write to ben@host.example.", ["ben@host.example"]),
        ("b.k+x@mail.host.example, (c@d.example)", ["b.k+x@mail.host.example", "c@d.example"]),
        ("メールはa@host.exampleまで", ["a@host.example"]),
        ("mailto:a@host.example", ["a@host.example"]),
        ("a@host", []),
        ("éa@host.example", []),
        ("a@host.exampleé", []),
        ("a..b@host.example", []),
        ("a@b@host.example", []),
        ("a@host.example?subject=x", ["a@host.example"]),
    ],
)  # fmt: skip
def test_an_e_mail_address_opens_a_message_to_it(text: str, shown: list[str]) -> None:
    assert opened_by(text) == [(address, f"mailto:{address}") for address in shown]


@pytest.mark.parametrize(
    ("text", "shown", "href"),
    [
        ("Call (202) 555-0177.", "(202) 555-0177", "tel:+1-202-555-0177"),
        ("2025550177", "2025550177", "tel:+1-202-555-0177"),
        ("+44 7400 123456", "+44 7400 123456", "tel:+44-7400-123456"),
        ("202.555.0177 ext. 12", "202.555.0177 ext. 12", "tel:+1-202-555-0177;ext=12"),
        ("電話は+81 3-1234-5678まで", "+81 3-1234-5678", "tel:+81-3-1234-5678"),
    ],
)
def test_a_telephone_number_can_be_called(text: str, shown: str, href: str) -> None:
    assert opened_by(text) == [(shown, href)]


@pytest.mark.parametrize(
    "text",
    ["2026-11-27 10:00", "$1,250.00", "Card 4111 1111 1111 1111", "1Z999AA10123456784", "72645"],
)
def test_other_digits_are_no_telephone_number(text: str) -> None:
    assert opened_by(text) == []


def test_a_long_text_full_of_addresses_and_digits_is_read_in_bounded_time() -> None:
    everything = "https://a.example/b (202) 555-0177 c@d.example " * 2_000
    links = find_links(everything)
    assert 1_000 < len(links) < 1_500
    for hostile in ("1-2-3-4-5-6-7-8-9-" * 5_000, "https://" * 9_000, "(" * 70_000, "a@" * 30_000):
        assert find_links(hostile) == ()


# What is drawn

pieces = st.sampled_from(
    ["https://", "http://", "HTTPS://", "example.com", "evil.example", "@", ":", "/", "\\", ".",
     "?q=", "#", "(", ")", "[", "]", "<", ">", '"', "'", "&", "&amp;", " ", "\n", "ben", "@ben",
     "a@b.example", "javascript:", "(202) 555-0177", "+44 7400 123456", "\u202e", "\u200b",
     "\u2066", "а", "é", "様", "。", "．", "%2f", "443"]
)  # fmt: skip
anything = st.characters(exclude_categories=["Cs"])
texts = st.lists(pieces | anything, max_size=12).map("".join)
LINK = re.compile(
    r'<a href="([^"<>]*)"( target="_blank")? rel="noopener noreferrer nofollow" dir="ltr">'
    r"([^<>]*)</a>"
)


@given(texts)
def test_whatever_is_written_only_links_are_markup_and_each_opens_what_it_shows(text: str) -> None:
    drawn = draw_links(text, find_links(text), [], None)
    assert html.unescape(re.sub(LINK, r"\3", drawn)) == text
    assert not re.search("[<>]", re.sub(LINK, "", drawn))
    for href, new_tab, shown in LINK.findall(drawn):
        opened, seen = html.unescape(href), html.unescape(shown)
        assert bool(new_tab) != opened.startswith(("mailto:", "tel:"))
        if opened.startswith("mailto:"):
            assert opened == f"mailto:{seen}"
        elif opened.startswith("tel:"):
            assert re.sub(r"\D", "", opened).endswith(re.sub(r"\D", "", seen)[-9:])
        else:
            assert_opens_what_it_shows(opened, seen)


def assert_opens_what_it_shows(opened: str, seen: str) -> None:
    assert unquote(opened) == unquote(seen)
    assert not re.search(r'[\s\u200b-\u202e\u2066-\u2069\\<>"]', seen)
    parts = urlsplit(opened)
    assert parts.scheme in {"http", "https"}
    assert parts.hostname is not None
    assert parts.hostname.isascii()
    assert "@" not in parts.netloc


@given(texts)
def test_links_follow_each_other_without_overlap(text: str) -> None:
    links = find_links(text)
    assert all(one.end <= other.start for one, other in pairwise(links))
    assert all(0 <= link.start < link.end <= len(text) for link in links)


def test_a_mention_stands_inside_a_link_and_splits_none() -> None:
    text = "https://blog.example/@ben/a and https://blog.example/@jo様 x"
    first, second = text.index("@ben"), text.index("@jo")
    drawn = draw_links(text, find_links(text), [(first, first + 4, 7), (second, second + 4, 8)], 7)
    assert 'dir="ltr">https://blog.example/<mark class="mention me">@ben</mark>/a</a>' in drawn
    assert drawn.count("<a ") == 1
    assert 'https://blog.example/<mark class="mention">@jo様</mark> x' in drawn
