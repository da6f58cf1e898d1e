"""Count segments of known texts, and compare with a slow model that fills them one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.stream.segments import EXTENSION, GSM_7, count_segments

# The table of 3GPP TS 23.038 in its own order, row by row.
TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
LETTERS = st.sampled_from(sorted(GSM_7))
DOUBLE = st.sampled_from(sorted(EXTENSION))
WIDE = st.sampled_from("😀👩🇩𝒳\U0010ffff")
FOREIGN = st.one_of(st.sampled_from("ç`’“”…\tЖ中\u00a0\u200d"), WIDE)


def text_strategy(*letters: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Generate texts with long runs, since a plain division goes wrong at the boundaries."""
    run = st.tuples(st.one_of(*letters), st.integers(1, 80)).map(lambda pair: pair[0] * pair[1])
    return st.lists(run, max_size=14).map("".join)


def pack_segments(text: str) -> list[str]:
    """Return the text of each segment, filled one after the other."""
    is_plain = all(one in TABLE.replace("\x1b", "") or one in EXTENSION for one in text)

    def units(part: str) -> int:
        if is_plain:
            return len(part) + sum(part.count(one) for one in EXTENSION)
        return len(part.encode("utf-16-le")) // 2

    alone, part = (160, 153) if is_plain else (70, 67)
    if units(text) <= alone:
        return [text] if text else []
    parts = [""]
    for one in text:
        if units(parts[-1] + one) > part:
            parts.append("")
        parts[-1] += one
    return parts


def test_the_alphabet_is_the_one_of_the_standard() -> None:
    assert frozenset(TABLE) - {"\x1b"} == GSM_7
    assert len(GSM_7) == 127
    assert not GSM_7 & EXTENSION


@pytest.mark.parametrize(
    ("text", "count", "room"),
    [
        ("", 0, 160),
        ("a", 1, 159),
        ("a" * 160, 1, 0),
        ("a" * 161, 2, 145),
        ("a" * 306, 2, 0),
        ("a" * 307, 3, 152),
        ("a" * 1530, 10, 0),
        ("{" * 80, 1, 0),
        ("{" * 81, 2, 143),
        # 152 and the two septets of a brace make 154: it moves, and one unit stays empty.
        ("a" * 152 + "{" + "a" * 20, 2, 131),
        ("a" * 152 + "€" + "a" * 151, 2, 0),
        ("a" * 152 + "€" + "a" * 152, 3, 152),
        ("\n" * 160, 1, 0),
        ("ç", 1, 69),
        ("ç" * 70, 1, 0),
        ("ç" * 71, 2, 63),
        ("ç" * 134, 2, 0),
        ("ç" * 135, 3, 66),
        ("😀" * 35, 1, 0),
        # A pair does not fit the 67th unit: 33 to a segment, not 33.5.
        ("😀" * 36, 2, 61),
        ("😀" * 67, 3, 65),
        ("ç" * 66 + "😀" + "ç" * 10, 2, 55),
    ],
)
def test_known_texts_have_known_counts(text: str, count: int, room: int) -> None:
    segments = count_segments(text)
    assert (segments.count, segments.room) == (count, room)


@pytest.mark.parametrize(
    ("text", "forced_by", "reason"),
    [
        ("Garçon, ’tis", "ç", "ç shortens segments to 70"),
        ("GARÇON", "", ""),
        ("`", "`", "` shortens segments to 70"),
        ("it’s", "’", "’ shortens segments to 70"),
        ("a\u00a0b", "\u00a0", "a no-break space shortens segments to 70"),
        ("a\u200eb", "\u200e", "invisible U+200E shortens segments to 70"),
        ("e\u0301", "\u0301", "invisible U+0301 shortens segments to 70"),
        ("ok 😀", "😀", "😀 shortens segments to 70"),
        ("^{}[]~\\|€\f", "", ""),
        ("\x1b", "\x1b", "invisible U+001B shortens segments to 70"),
    ],
)
def test_the_first_character_that_forces_unicode_is_named(
    text: str, forced_by: str, reason: str
) -> None:
    segments = count_segments(text)
    assert (segments.forced_by, segments.reason) == (forced_by, reason)


@pytest.mark.parametrize(
    ("text", "is_worth_showing", "size"),
    [
        ("", False, "0/160 · 0 segments"),
        ("a" * 139, False, "139/160 · 1 segment"),
        ("a" * 140, True, "140/160 · 1 segment"),
        ("a" * 161, True, "161/306 · 2 segments"),
        ("ç", True, "1/70 · 1 segment"),
    ],
)
def test_the_count_is_shown_only_when_it_matters(
    text: str, is_worth_showing: bool, size: str
) -> None:
    segments = count_segments(text)
    assert (segments.is_worth_showing, segments.size) == (is_worth_showing, size)


@given(text_strategy(LETTERS, DOUBLE))
def test_gsm_texts_are_split_as_by_the_slow_model(text: str) -> None:
    assert count_segments(text).count == len(pack_segments(text))
    assert count_segments(text).forced_by == ""


@given(text_strategy(LETTERS, DOUBLE, FOREIGN))
def test_any_text_is_split_as_by_the_slow_model(text: str) -> None:
    assert count_segments(text).count == len(pack_segments(text))


@given(text_strategy(LETTERS, DOUBLE, FOREIGN), st.one_of(LETTERS, DOUBLE, FOREIGN))
def test_one_more_character_never_takes_segments_away(text: str, one: str) -> None:
    before, after = count_segments(text), count_segments(text + one)
    assert before.count <= after.count
    assert 0 <= after.room < after.capacity


@given(text_strategy(LETTERS, DOUBLE))
def test_room_characters_fit_and_not_one_more(text: str) -> None:
    segments = count_segments(text)
    if not text:
        return
    assert count_segments(text + "a" * segments.room).count == segments.count
    assert count_segments(text + "a" * (segments.room + 1)).count == segments.count + 1
