"""Hold the documentation to the code: paths exist, and names are defined where it says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import ROOT

DOCS = [
    *ROOT.glob("*.md"),
    *(path for path in ROOT.glob("docs/**/*.md") if path.parent.name != "screenshots"),
]
PATH = re.compile(
    r"`((?:config|inboxes|threads|messaging|templates|static|tests|deploy|docs)/[\w./-]*)`"
    r"(?:: ((?:`\w+`(?:, | and )?)+))?"
)
NAME_IN = re.compile(r"`(\w+)` in `([\w./-]+\.py)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")


def said_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield pairs of a path and a name defined in it; an empty name means the path alone."""
    text = path.read_text()
    for found in PATH.finditer(text):
        yield found[1], ""
        yield from ((found[1], name) for name in re.findall(r"`(\w+)`", found[2] or ""))
    yield from ((where, name) for name, where in NAME_IN.findall(text))


def is_defined(name: str, source: str) -> bool:
    definition = rf"^\s*(?:async )?(?:def|class) {name}\b|^{name}\b.*=|\bfunction {name}\b"
    return re.search(definition, source, re.MULTILINE) is not None


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_the_documentation_names_is_there(path: Path) -> None:
    missing = []
    for named, name in said_of(path):
        target = ROOT / named
        if not target.exists() or (name and not is_defined(name, target.read_text())):
            missing.append(f"{named} {name}".strip())
    links = LINK.findall(path.read_text())
    missing += [link for link in links if not (path.parent / link).exists()]
    assert not missing


def test_the_check_bites(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`inboxes/bell.py`: `ring_inbox` and `ring_nothing`; `record` in `inboxes/bell.py`."
    )
    said = list(said_of(page))
    assert said == [
        ("inboxes/bell.py", ""),
        ("inboxes/bell.py", "ring_inbox"),
        ("inboxes/bell.py", "ring_nothing"),
        ("inboxes/bell.py", ""),
        ("inboxes/bell.py", "record"),
    ]
    source = (ROOT / "inboxes/bell.py").read_text()
    assert [is_defined(name, source) for _, name in said if name] == [True, False, False]
