"""Fold texts as people compare them: on the server as on the page."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.page_scripts import PageScripts
from threads.folding import fold_case, fold_text, is_blank
from threads.highlighting import find_word_spans
from threads.words import split_words

# Characters that Python's Unicode knows; Node.js may know some that are newer.
known = st.characters(exclude_categories=("Cs", "Co", "Cn"))
tricky = st.sampled_from("aAiIıİßẞſKłŁøØæǅﬁ①ｱﾞが한각ᄀ\u0301\u0345ΣςσΌ\u200b\u00ad\u200dѓéÅ")
texts = st.text(tricky | known)
# One process answers all examples.
compared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Łódź", "lodz"),
        ("Đà Nẵng", "da nang"),
        ("Øresund", "oresund"),
        ("Æbleskiver", "aebleskiver"),
        ("Œuvre", "oeuvre"),
        ("Straße", "strasse"),
        ("STRAẞE", "strasse"),
        ("Iğdır", "igdir"),
        ("İstanbul", "istanbul"),
        ("Þingvellir", "thingvellir"),
        ("Ħamrun", "hamrun"),
        ("ﬁnally", "finally"),
        ("Ｆｕｌｌ", "full"),
        ("ΟΔΥΣΣΕΎΣ", "οδυσσευσ"),
        ("Zoë Brontë", "zoe bronte"),
        ("Cafe\u0301", "cafe"),
        ("Киї́в", "киів"),
    ],
)
def test_what_people_type_without_accents_and_strokes_is_the_same(
    written: str, typed: str
) -> None:
    assert fold_text(written) == typed == fold_text(typed)


@given(texts)
def test_a_folded_text_stays_as_it_is(text: str) -> None:
    assert fold_text(fold_text(text)) == fold_text(text)


@given(texts, texts)
def test_characters_are_folded_one_by_one(one: str, other: str) -> None:
    assert fold_text(one + other) == fold_text(one) + fold_text(other)


@given(texts)
def test_a_word_is_found_by_its_own_letters_in_any_case(text: str) -> None:
    assert split_words(text) == split_words(fold_text(text))
    assert fold_text(text.upper()) == fold_text(text.upper().lower())


@compared
@given(texts)
def test_the_page_folds_as_the_server_does(page_scripts: PageScripts, text: str) -> None:
    assert page_scripts.call("shared/folding.js", "foldText", text) == fold_text(text)
    assert page_scripts.call("shared/folding.js", "foldCase", text) == fold_case(text)


def test_the_page_folds_every_latin_letter_as_the_server_does(page_scripts: PageScripts) -> None:
    letters = [chr(code) for code in (*range(0x250), *range(0x1E00, 0x1F00))]
    folded = page_scripts.call("shared/folding.js", "foldText", " ".join(letters))
    assert folded == fold_text(" ".join(letters))


@given(texts)
def test_every_word_of_a_text_is_highlighted_where_it_stands(text: str) -> None:
    for word in split_words(text):
        spans = find_word_spans(text, [word[:3]])
        assert spans
        assert all(word[:3] in fold_text(text[start:end]) for start, end in spans)
        assert all(one[1] < other[0] for one, other in pairwise(spans))


BLANKS = [
    "", " ", "\t\r\n", "\u00a0", "\u00ad", "\u034f", "\u061c", "\u115f\u1160", "\u17b4", "\u180e",
    "\u200b", "\u200c\u200d", "\u200e\u200f", "\u2028", "\u202a\u202e", "\u2060", "\u2066\u2069",
    "\u2800", "\u3000", "\u3164", "\ufe0f", "\ufeff", "\uffa0", "\U000e0020\U000e007f", "\x00",
    "\U000e0100", "\x85", "\ufff9",
]  # fmt: skip


@pytest.mark.parametrize("text", BLANKS)
def test_what_nobody_can_see_is_blank(page_scripts: PageScripts, text: str) -> None:
    assert is_blank(text)
    assert page_scripts.call("shared/folding.js", "isBlank", text)


@pytest.mark.parametrize(
    "text", ["a", "👍", "👩\u200d🔧", "❤\ufe0f", "\u0301", "。", "\u0600", "⠁"]
)
def test_what_can_be_seen_is_not_blank(page_scripts: PageScripts, text: str) -> None:
    assert not is_blank(text)
    assert not is_blank(f"\u200b{text}\u2800")
    assert not page_scripts.call("shared/folding.js", "isBlank", text)


@compared
@given(st.text(st.sampled_from("".join(BLANKS)) | known, max_size=4))
def test_the_page_sees_as_blank_what_the_server_does(page_scripts: PageScripts, text: str) -> None:
    assert page_scripts.call("shared/folding.js", "isBlank", text) == is_blank(text)
