"""A whole text that asks for no more texts is understood, however it is spelt; others are not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.stream import keywords
from messaging.stream.keywords import find_keyword, fold_keyword, holds_wish_to_opt_out
from threads.folding import fold_text

# 47 CFR 64.1200(a)(10), as in force since 11 April 2025.
WORDS_OF_THE_RULE = ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"]

ALL = sorted(keywords._KEYWORDS)
INVISIBLE = st.sampled_from("\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u061c\u180e\ufe0f\u3164")
AROUND = st.text(
    st.sampled_from(" \t\n\u00a0\u3000.,!?;:…\"'“”‘’«»()[]*_~-–—¡¿。！🛑👍\u2800"), max_size=4
)
ACCENTS = st.sampled_from(["", "", "", "\u0301", "\u0302", "\u0308", "\u200b", "\ufe0f"])


def spell_wide(letter: str) -> str:
    return chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter


def spell_bold(letter: str) -> str:
    return chr(0x1D400 + ord(letter.upper()) - ord("A")) if letter.isalpha() else letter


SPELLINGS = st.sampled_from([str.lower, str.upper, str.title, spell_wide, spell_bold])


@st.composite
def spelt_keywords(draw: st.DrawFn) -> tuple[str, str]:
    """Return a keyword, and it as a phone, a language or a prankster may spell it."""
    word = draw(st.sampled_from(ALL))
    spell = draw(SPELLINGS)
    spaces = draw(st.sampled_from([" ", "  ", "\n", "\u00a0", " - "]))
    letters = "".join(
        spaces if letter == " " else spell(letter) + draw(ACCENTS) for letter in word
    )
    return word, f"{draw(AROUND)}{draw(INVISIBLE)}{letters}{draw(INVISIBLE)}{draw(AROUND)}"


@given(spelt=spelt_keywords())
def test_a_keyword_is_understood_in_every_spelling(spelt: tuple[str, str]) -> None:
    word, text = spelt
    assert find_keyword(text) == find_keyword(word) is not None


@given(text=st.text(max_size=80))
def test_folding_a_folded_text_changes_nothing(text: str) -> None:
    folded = fold_keyword(text)
    assert fold_keyword(folded) == folded
    assert fold_text(fold_text(text)) == fold_text(text)
    assert find_keyword(folded) == find_keyword(text)


@given(
    word=st.sampled_from(ALL),
    more=st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12).filter(
        lambda text: fold_keyword(text) not in {"", "please", "pls", "plz", "svp", "thanks", "now"}
    ),
)
def test_a_keyword_inside_a_longer_text_never_acts_by_itself(word: str, more: str) -> None:
    for text in (f"{word} {more}", f"{more} {word}", word + more):
        if fold_keyword(text) not in ALL:
            found = find_keyword(text)
            assert found is None or set(fold_keyword(text).split()) <= set(word.split())


@given(text=st.text())
def test_no_text_breaks_the_search_for_keywords(text: str) -> None:
    assert find_keyword(text) in ("opt_out", "opt_in", "help", None)
    assert holds_wish_to_opt_out(text) in (True, False)


@pytest.mark.parametrize("word", WORDS_OF_THE_RULE)
def test_every_word_of_the_rule_opts_out(word: str) -> None:
    for text in (word, word.upper(), f"{word.title()}."):
        assert find_keyword(text) == "opt_out"


@pytest.mark.parametrize(
    "text",
    [
        "Stopall",
        "stop all",
        "opt-out",
        "OptOut",
        "arret",
        "Arrêt !",
        "stop please",
        "Please, stop.",
        "PLEASE STOP TEXTING ME",
        "Stop texting me!!",
        "remove me",
        "Remove me please",
        "Unsubscribe me, thanks",
        "don’t text me",
        "No more texts!",
        "STOP STOP STOP",
        "Stop 🛑",
        "unsub",
        "Stop now!",
        "Please stop texting me now",
        "stop now please",
        "Unsubscribe me now",
        "Opt out now, thanks",
        "opt me out now",
        "Take me off your list",
    ],
)
def test_other_ways_to_say_it_opt_out_too(text: str) -> None:
    assert find_keyword(text) == "opt_out"


@pytest.mark.parametrize(
    "text",
    [
        "stop by at 5",
        "please don't text me any more",
        "Stop it",
        "Can you please unsubscribe me from this",
        "I'd like to opt out of these",
        "take me off this list or I will sue",
        "Do not ever contact me again",
        "I revoke my consent",
        "Don't text me now",
        "Dont text now pls",
        "Do not contact me now",
        "please don’t message me now, thanks",
        "No more texts now",
        "Cancel texts now",
        "End texts now please",
        "remove me now",
        "Take me off",
        "Please take me off the list",
        "Remove me from the list",
    ],
)
def test_a_longer_text_with_such_a_wish_is_for_people(text: str) -> None:
    assert find_keyword(text) is None
    assert holds_wish_to_opt_out(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "end of the week",
        "please cancel",
        "Cancel my appointment",
        "STOPP",
        "The bus stopped early",
        "I won't quit",
        "don't forget the keys",
        "Please text me when it is done",
        "help me",
        "yes please",
        "startup",
    ],
)
def test_ordinary_texts_ask_for_nothing_of_the_kind(text: str) -> None:
    assert find_keyword(text) is None
    assert not holds_wish_to_opt_out(text)


def test_a_wish_is_found_in_a_long_text_and_a_huge_one_is_searched_in_part() -> None:
    assert holds_wish_to_opt_out("Hello. " * 100 + "Please stop.")
    assert find_keyword("x" * 100_000) is None
    assert not holds_wish_to_opt_out("x" * 100_000 + " stop")


def test_the_invisible_characters_are_those_that_unicode_lets_nobody_see() -> None:
    for character in "\u00ad\u200b\u200d\u2060\ufeff\U000e0001\u180e\u3164":
        assert fold_text(f"a{character}b") == "ab", unicodedata.name(character, "?")
