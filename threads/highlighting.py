"""Text with `<mark>` elements around what a search found, or around mentions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from threads.folding import fold_text, fold_with_origins
from threads.links import Link
from threads.words import DIGITS, WORD

# Few, because a row of a list shows one short line.
CHARACTERS_BEFORE_HIGHLIGHT = 14
EXCERPT_LENGTH = 160

# A page opens in a new tab; an e-mail address and a telephone number in another program.
_PAGE = '<a href="{}" target="_blank" rel="noopener noreferrer nofollow" dir="ltr">{}</a>'
_OTHER = '<a href="{}" rel="noopener noreferrer nofollow" dir="ltr">{}</a>'

# Start and end in characters.
Span = tuple[int, int]
# Start and end in characters, the @ included, and the key of the mentioned agent.
MentionSpan = tuple[int, int, int]


def find_word_spans(text: str, words: Collection[str]) -> list[Span]:
    """Find the words of the text that begin with one of the words, which are folded already."""
    if not words:
        return []
    folded, origins = fold_with_origins(text)
    spans: list[Span] = []
    for match in WORD.finditer(folded):
        if not any(match[0].startswith(word) for word in words):
            continue
        start, end = origins[match.start()], origins[match.end() - 1] + 1
        while end < len(text) and not fold_text(text[end]):
            end += 1  # accents, and what nobody can see
        if spans and spans[-1][1] >= start:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def find_number_span(text: str, digits: str) -> Span | None:
    """Find a run of digits in a number, however the number is spaced."""
    offsets = [index for index, character in enumerate(text) if character in DIGITS]
    start = "".join(text[offset] for offset in offsets).find(digits)
    if not digits or start < 0:
        return None
    return offsets[start], offsets[start + len(digits) - 1] + 1


def highlight_spans(text: str, spans: list[Span]) -> SafeString:
    """Return the escaped text with a `<mark>` around each span."""
    parts: list[SafeString] = []
    offset = 0
    for start, end in spans:
        parts.append(format_html("{}<mark>{}</mark>", text[offset:start], text[start:end]))
        offset = end
    parts.append(format_html("{}", text[offset:]))
    return mark_safe("".join(parts))  # noqa: S308  each part was escaped


def highlighted_excerpt(
    body: str, words: Collection[str], longest: int = EXCERPT_LENGTH
) -> SafeString:
    """Return one line of the body, starting shortly before its first highlight."""
    line = " ".join(body.split())
    found = find_word_spans(line, words)
    start = _excerpt_start(line, found[0][0]) if found else 0
    shown = line[start : start + longest]
    inside = [(a - start, min(b - start, len(shown))) for a, b in found if a - start < len(shown)]
    ahead = "… " if start else ""
    behind = " …" if start + longest < len(line) else ""
    return format_html("{}{}{}", ahead, highlight_spans(shown, inside), behind)


def _excerpt_start(line: str, first: int) -> int:
    """Return the start of a word shortly before the first highlight, or 0."""
    if first <= CHARACTERS_BEFORE_HIGHLIGHT:
        return 0
    space = line.find(" ", first - CHARACTERS_BEFORE_HIGHLIGHT, first)
    return space + 1 if space >= 0 else first


def draw_links(
    text: str,
    links: Iterable[Link],
    mentions: Iterable[MentionSpan],
    agent_id: int | None,
    plain: Callable[[str], SafeString] = escape,
) -> SafeString:
    """Return the text with its links to be opened, and with its mentions highlighted.

    A mention may stand inside a link, but where one of them ends inside the other the link is
    left out. Links have a direction of their own, so that no character before them turns them
    round. `plain` turns the text around both into HTML.
    """
    spans = list(mentions)

    def draw(start: int, end: int) -> SafeString:
        inside = [(a - start, b - start, who) for a, b, who in spans if start <= a and b <= end]
        return highlight_mentions(text[start:end], inside, agent_id, plain)

    parts: list[SafeString] = []
    offset = 0
    for link in links:
        if any(_overlap(link, start, end) for start, end, _ in spans):
            continue
        parts.append(draw(offset, link.start))
        shown = draw(link.start, link.end)
        parts.append(format_html(_PAGE if link.is_page else _OTHER, link.href, shown))
        offset = link.end
    parts.append(draw(offset, len(text)))
    return mark_safe("".join(parts))  # noqa: S308  each part was escaped


def _overlap(link: Link, start: int, end: int) -> bool:
    """Return True if only a part of the span lies inside the link."""
    return start < link.end and link.start < end and not (link.start <= start and end <= link.end)


def highlight_mentions(
    text: str,
    mentions: Iterable[MentionSpan],
    agent_id: int | None,
    plain: Callable[[str], SafeString] = escape,
) -> SafeString:
    """Return the text with a `<mark>` around each mention; the agent's own also get class `me`.

    `plain` turns the text between the mentions into HTML.
    """
    parts: list[SafeString] = []
    offset = 0
    for start, end, mentioned in mentions:
        parts.append(plain(text[offset:start]))
        strength = " me" if mentioned == agent_id else ""
        parts.append(format_html('<mark class="mention{}">{}</mark>', strength, text[start:end]))
        offset = end
    parts.append(plain(text[offset:]))
    return mark_safe("".join(parts))  # noqa: S308  each part was escaped
