"""The page finds saved replies and placeholders by itself, as the server does."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.replies.placeholders import NAMES, fill, find_unfilled
from tests.page_scripts import PageScripts

REPLIES = [
    {"name": "hours", "body": "Open from 8. Arrivals by the side door, café inside."},
    {"name": "late-arrival", "body": "We will be late."},
    {"name": "arrival", "body": "On our way."},
    {"name": "Übergabe", "body": "Carrying it over"},
]

texts = st.lists(
    st.sampled_from(
        [*(f"{{{name}}}" for name in NAMES), "{Me}", "{ me }", "{", "}", "\u017f", "é", "a"]
    )
).map("".join)


@pytest.mark.parametrize(
    ("letters", "found"),
    [
        ("", ["hours", "late-arrival", "arrival", "Übergabe"]),
        ("arr", ["arrival", "late-arrival", "hours"]),
        ("late-arr", ["late-arrival"]),
        ("rival", []),
        ("uber", ["Übergabe"]),
        ("CAFE", ["hours"]),
        ("over", ["Übergabe"]),
        ("door arr", ["hours"]),
        ("arr nothing", []),
    ],
)
def test_names_come_first_then_their_parts_then_the_words(
    page_scripts: PageScripts, letters: str, found: list[str]
) -> None:
    narrowed = page_scripts.call("composer/narrowed-replies.js", "narrowReplies", REPLIES, letters)
    assert [reply["name"] for reply in narrowed] == found


@pytest.mark.parametrize(
    ("name", "letters", "found"),
    [
        ("arrival-window", "arr", "arr"),
        ("arrival-window", "win", "win"),
        ("Übergabe", "ub", "Üb"),
        ("straße-zu", "strass", "straß"),
        ("hours", "arr", ""),
    ],
)
def test_the_letters_are_marked_where_they_stand_in_the_name(
    page_scripts: PageScripts, name: str, letters: str, found: str
) -> None:
    start, end = page_scripts.call("composer/narrowed-replies.js", "findInName", name, letters)
    assert name[start:end] == found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts)
def test_the_page_sees_the_same_placeholders_as_the_server(
    page_scripts: PageScripts, text: str
) -> None:
    script = "composer/placeholders.js"
    assert page_scripts.call(script, "findUnfilled", text) == find_unfilled(text)
    values = {"me": "Ana", "first name": ""}
    assert page_scripts.call(script, "fillPlaceholders", text, values) == fill(text, values)
