"""The placeholders of saved replies: five words in braces, in any case of their letters.

`static/js/composer/placeholders.js` finds the same ones in a page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NAMES = ("contact", "first name", "me", "inbox", "number")

# ASCII alone: other letters that fold to these, such as the long s, are none.
PATTERN = re.compile(rf"\{{({'|'.join(NAMES)})\}}", re.IGNORECASE | re.ASCII)


def fill(body: str, values: Mapping[str, str]) -> str:
    """Put the values, by the placeholders' names, into the body.

    A placeholder without a value stays as it is written, and so does one inside a value.
    """
    return PATTERN.sub(lambda found: values.get(found[1].lower()) or found[0], body)


def find_unfilled(text: str) -> list[str]:
    """Return the placeholders in the text as they are written, each once, in their order."""
    return list(dict.fromkeys(found[0] for found in PATTERN.finditer(text)))


def pick_values(body: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return those of the values that filling the body puts in."""
    names = {found[1].lower() for found in PATTERN.finditer(body)}
    return {name: value for name, value in values.items() if name in names and value}
