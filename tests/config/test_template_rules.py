"""The check that refuses what the content security policy would block."""

from pathlib import Path

import pytest

from config.template_rules import broken_rules
from tests.stack import ROOT


def test_our_templates_keep_the_rules() -> None:
    assert broken_rules(ROOT / "templates") == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('<p style="color: red">', "a style attribute"),
        ("<style>p {}</style>", "an inline style sheet"),
        ("<script>alert(1)</script>", "an inline script"),
        ('<p onclick="x()">', "an inline event handler"),
        ('<p hx-on:click="x()">', "hx-on"),
        ("<p hx-vals='js:{a: 1}'>", "a js: value"),
        ('<input hx-trigger="keyup[target.value]">', "a trigger filter"),
    ],
)
def test_each_rule_bites(tmp_path: Path, text: str, rule: str) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "page.html").write_text(f"<p>\n{text}\n")
    assert broken_rules(folder) == [f"templates/page.html:2: {rule}"]


def test_ordinary_markup_passes(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<script src="a.js"></script><a href="x">on = style</a>')
    assert broken_rules(tmp_path) == []
