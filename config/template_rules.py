"""What no template may hold, since the content security policy would block it in the browser."""

import re
from pathlib import Path

RULES = {
    "a style attribute": re.compile(r"<[^>{%]*\sstyle\s*=", re.IGNORECASE),
    "an inline style sheet": re.compile(r"<style\b", re.IGNORECASE),
    "an inline script": re.compile(r"<script\b(?![^>]*\bsrc\s*=)[^>]*>", re.IGNORECASE),
    "an inline event handler": re.compile(r"<[^>{%]*\son[a-z]+\s*=", re.IGNORECASE),
    "hx-on": re.compile(r"\bhx-on\b", re.IGNORECASE),
    "a js: value": re.compile(r"""["'\s](?:js|javascript):""", re.IGNORECASE),
    "a trigger filter": re.compile(r"""hx-trigger\s*=\s*["'][^"']*\[""", re.IGNORECASE),
}


def broken_rules(folder: Path) -> list[str]:
    """One line for each place that breaks a rule: file, line, what."""
    found = []
    for path in sorted(folder.glob("**/*.html")):
        text = path.read_text()
        for name, pattern in RULES.items():
            found += [
                f"{path.relative_to(folder.parent)}:{text.count(chr(10), 0, hit.start()) + 1}:"
                f" {name}"
                for hit in pattern.finditer(text)
            ]
    return found
