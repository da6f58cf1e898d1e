"""Hold docstrings to their form: they begin with a verb, not with a clause about a noun."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ["config", "inboxes", "threads", "messaging", "tests"]

# The word of a clause where a verb should be: "Whether it is open" instead of "Return True if …".
CLAUSE = re.compile(r"(?:Of|What|Who|Whom|Whose|Whether|Where|Which|How|When|Why)\b")


def bad_docstrings(root: Path) -> Iterator[str]:
    """Yield one line for each docstring that begins with a clause: file, line, its beginning."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(
                    node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
                ):
                    continue
                text = ast.get_docstring(node)
                if text and CLAUSE.match(text):
                    line = getattr(node, "lineno", 1)
                    yield f"{path.relative_to(root)}:{line}: {text.splitlines()[0]}"
