"""The page finds saved replies and placeholders by itself, as the server does."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.replies.filled import find_stale
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


SOME = ["Al", "Al Tran", "Alma", "Front Desk", "Desk", "(202) 555-0110", "王", "小王", ".*", ""]
some_values = st.lists(st.sampled_from(SOME), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.sampled_from([*SOME, "so", "_", "'s", " ", ", "])).map("".join),
    some_values,
    some_values,
)
def test_the_page_sees_the_same_values_of_others_as_the_server(
    page_scripts: PageScripts, text: str, filled: list[str], current: list[str]
) -> None:
    seen = page_scripts.call("composer/stale-values.js", "findStale", text, filled, current)
    assert seen == find_stale(text, filled, current)


@pytest.mark.parametrize(
    ("text", "filled", "current", "found"),
    [
        ("Hi Linh, see you", ["Linh"], ["Petra"], ["Linh"]),
        ("Hi Linh, see you", ["Linh", "Linh Tran"], [], ["Linh"]),
        ("Hi Linh Tran", ["Linh", "Linh Tran"], ["Petra"], ["Linh Tran"]),
        ("Hi Linh Tran", ["Linh Tran"], ["Linh Pham", "Linh"], ["Linh Tran"]),
        ("Linh's order", ["Linh"], [""], ["Linh"]),
        ("Hi Petra", ["Linh"], ["Petra"], []),
        ("Hi Linh", ["Linh"], ["Linh"], []),
        ("Also for you", ["Al"], ["Petra"], []),
        ("From the Front Desk", ["Desk"], ["Front Desk"], []),
        ("Call (202) 555-0110.", ["(202) 555-0110"], ["(202) 555-0111"], ["(202) 555-0110"]),
        ("王様へ", ["王"], ["李"], ["王"]),
    ],
)
def test_values_of_others_are_found_as_words(
    page_scripts: PageScripts, text: str, filled: list[str], current: list[str], found: list[str]
) -> None:
    script = "composer/stale-values.js"
    assert page_scripts.call(script, "findStale", text, filled, current) == found
    assert find_stale(text, filled, current) == found
