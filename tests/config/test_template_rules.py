"""The checks of templates: what the browser would block, long lines, names of higher apps."""

from pathlib import Path

import pytest

from config.template_rules import LONGEST_LINE, broken_rules, names_of_higher_apps
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
        ("<p>" + "x" * (LONGEST_LINE - 2), "a line that is too long"),
    ],
)
def test_each_rule_bites(tmp_path: Path, text: str, rule: str) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "page.html").write_text(f"<p>\n{text}\n")
    assert broken_rules(folder) == [f"templates/page.html:2: {rule}"]


def test_ordinary_markup_passes(tmp_path: Path) -> None:
    line = "x" * LONGEST_LINE
    (tmp_path / "page.html").write_text(
        f'{line}\n<script src="a.js"></script><a href="x">on = style</a>'
    )
    assert broken_rules(tmp_path) == []


def test_no_app_names_a_higher_one() -> None:
    assert names_of_higher_apps(ROOT) == []


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        (
            "templates/threads/_row.html",
            '{% include "messaging/list/_row.html" with row=row %}',
            "threads names messaging/list/_row.html of messaging",
        ),
        (
            "templates/threads/_row.html",
            '<a href="{% url "messaging:inbox" 3 %}">',
            "threads names messaging:inbox of messaging",
        ),
        (
            "templates/threads/_row.html",
            "{% load static search %}",
            "threads names search of messaging",
        ),
        (
            "templates/threads/_row.html",
            "{% load back_url from search %}",
            "threads names search of messaging",
        ),
        (
            "templates/registration/login.html",
            "<p>{% include 'threads/_person.html' %}</p>",
            "inboxes names threads/_person.html of threads",
        ),
        (
            "templates/registration/login.html",
            '{% extends "messaging/page.html" %}',
            "inboxes names messaging/page.html of messaging",
        ),
        (
            "templates/admin/inboxes/agent/change_form.html",
            "{% url 'admin:messaging_number_changelist' %}",
            "inboxes names admin:messaging_number_changelist of messaging",
        ),
        (
            "templates/messaging/_account.html",
            '{% url "simulator:handset" %}',
            "messaging names simulator:handset of simulator",
        ),
        (
            "templates/messaging/_account.html",
            '{% include "_shortcuts.html" %}',
            "messaging names _shortcuts.html of config",
        ),
        (
            "threads/lists.py",
            'reverse("messaging:inbox", args=[3])',
            "threads names messaging:inbox of messaging",
        ),
        (
            "inboxes/deep/views.py",
            'render(request, "threads/_person.html")',
            "inboxes names threads/_person.html of threads",
        ),
        (
            "threads/templatetags/formats.py",
            'inclusion_tag("messaging/list/_listing.html#found")',
            "threads names messaging/list/_listing.html#found of messaging",
        ),
        (
            "messaging/views.py",
            'redirect("simulator:handset")',
            "messaging names simulator:handset of simulator",
        ),
    ],
)
def test_a_name_of_a_higher_app_is_found(
    tmp_path: Path, path: str, text: str, complaint: str
) -> None:
    write_file(tmp_path, "messaging/templatetags/search.py", "")
    write_file(tmp_path, path, f"\n{text}\n")
    assert names_of_higher_apps(tmp_path) == [f"{path}:2: {complaint}"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("templates/messaging/_row.html", '{% include "threads/_person.html" %}'),
        ("templates/messaging/_row.html", '{% url "account_logout" %} {% load formats static %}'),
        ("templates/messaging/_row.html", '{% url "admin:index" %} {% include pane %}'),
        ("templates/registration/login.html", '{% extends "plain.html" %}'),
        ("templates/simulator/handset.html", '{% url "simulator:send" %}'),
        ("templates/base.html", '{% include "messaging/_account.html" %}'),
        ("messaging/simulator/views.py", 'redirect("simulator:handset")'),
        ("messaging/views.py", 'render(request, "threads/_person.html"), "https://x"'),
        ("threads/rows.py", '"""Draw what `messaging/list/_row.html` shows."""'),
    ],
)
def test_names_of_ones_own_and_of_lower_apps_pass(tmp_path: Path, path: str, text: str) -> None:
    write_file(tmp_path, "threads/templatetags/formats.py", "")
    write_file(tmp_path, path, text)
    assert names_of_higher_apps(tmp_path) == []


def write_file(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
