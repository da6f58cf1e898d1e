"""A name never turns the line round in which it stands."""

from __future__ import annotations

import pytest

from threads.direction import isolate_direction


@pytest.mark.parametrize("name", ["Ana Ruiz", "(202) 555-0177", "Łódź 12", "👍", ""])
def test_most_names_stay_as_they_are(name: str) -> None:
    assert isolate_direction(name) == name


@pytest.mark.parametrize("turn", ["\u202e", "\u202d", "\u202a", "\u2066", "\u2067", "\u2069"])
def test_letters_that_turn_a_line_round_are_left_out(turn: str) -> None:
    assert isolate_direction(f"evil{turn}gpj") == "evilgpj"


@pytest.mark.parametrize("name", ["דנה", "سارة", "Dana דנה"])
def test_a_name_from_right_to_left_stands_apart(name: str) -> None:
    assert isolate_direction(name) == f"\u2068{name}\u2069"
