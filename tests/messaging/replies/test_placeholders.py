from __future__ import annotations

import pytest

from messaging.replies.placeholders import fill, find_unfilled

VALUES = {
    "contact": "Marta Lindqvist",
    "first name": "Marta",
    "me": "Ana Ruiz",
    "inbox": "Front Desk",
    "number": "(202) 555-0110",
}


def test_each_placeholder_gets_its_value() -> None:
    body = "Hi {first name} ({contact}), {me} of {inbox} here, call {number}."
    filled = "Hi Marta (Marta Lindqvist), Ana Ruiz of Front Desk here, call (202) 555-0110."
    assert fill(body, VALUES) == filled
    assert find_unfilled(filled) == []


def test_a_placeholder_may_be_written_with_capitals() -> None:
    assert fill("Hi {First Name}", VALUES) == "Hi Marta"
    assert find_unfilled("Hi {First Name}") == ["{First Name}"]


def test_a_placeholder_without_a_value_stays_as_it_is_written() -> None:
    filled = fill("Hi {first name}, {me} here. {first name}?", VALUES | {"first name": ""})
    assert filled == "Hi {first name}, Ana Ruiz here. {first name}?"
    assert find_unfilled(filled) == ["{first name}"]


def test_a_name_that_looks_like_a_placeholder_is_filled_with_nothing_further() -> None:
    filled = fill("Hi {contact}", VALUES | {"contact": "{me}"})
    assert filled == "Hi {me}"
    assert find_unfilled(filled) == ["{me}"]


@pytest.mark.parametrize(
    "text", ["{name}", "{ me }", "{me", "me}", "{{}}", "{fir\u017ft name}", ""]
)
def test_other_braces_are_left_alone(text: str) -> None:
    assert fill(text, VALUES) == text
    assert find_unfilled(text) == []
