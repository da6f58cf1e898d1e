"""Try the rule for docstrings on files of its own."""

from __future__ import annotations

from pathlib import Path

from config.docstring_rules import bad_docstrings
from tests.stack import ROOT


def test_a_clause_in_place_of_a_verb_is_found(tmp_path: Path) -> None:
    (tmp_path / "threads").mkdir()
    (tmp_path / "threads/rows.py").write_text(
        '"""Draw rows."""\n\n\n'
        'def is_open() -> bool:\n    """Whether it is open."""\n\n\n'
        'class Row:\n    """Hold a row."""\n\n'
        '    async def read(self) -> None:\n        """What stands there."""\n'
    )
    assert list(bad_docstrings(tmp_path)) == [
        "threads/rows.py:4: Whether it is open.",
        "threads/rows.py:11: What stands there.",
    ]


def test_ours_begin_with_verbs() -> None:
    assert list(bad_docstrings(ROOT)) == []
