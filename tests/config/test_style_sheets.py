"""The style sheets hold for browsers that do not know the newest words."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

CSS = settings.BASE_DIR / "static/css"
VALUE = re.compile(r"^ +(--[\w-]+): (.+);", re.MULTILINE)
PAIR = re.compile(r"light-dark\(((?:[^()]|\([^()]*\))*?), ((?:[^()]|\([^()]*\))*)\)")


def tokens_of(block: str) -> dict[str, str]:
    return dict(VALUE.findall(block))


def test_both_themes_have_the_same_colours_with_and_without_light_dark() -> None:
    sheet = (CSS / "tokens.css").read_text()
    plain, rest = sheet.split("@media (prefers-color-scheme: dark)", 1)
    dark, rest = rest.split("@supports (color: light-dark(", 1)
    both = {
        name: value
        for name, value in tokens_of(rest.partition("@media")[0]).items()
        if "light-dark(" in value
    }
    assert len(both) > 20
    assert tokens_of(dark) == {name: PAIR.sub(r"\2", value) for name, value in both.items()}
    assert both.keys() <= tokens_of(plain).keys()
    for name, value in both.items():
        assert tokens_of(plain)[name] == PAIR.sub(r"\1", value), name


@pytest.mark.parametrize("word", ["light-dark("])
def test_a_word_that_some_browsers_do_not_know_stands_in_the_tokens_alone(word: str) -> None:
    found = [sheet.name for sheet in CSS.glob("*.css") if word in sheet.read_text()]
    assert found == ["tokens.css"]
