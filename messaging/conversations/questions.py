"""Questions before a text to the customer leaves: its author says yes once, or changes it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from django.http import QueryDict

from threads.lists import join_names

# Fields by which a form says yes to one question each.
HAS_READ_PLACEHOLDERS = "has_read_placeholders"
ANSWERS = [HAS_READ_PLACEHOLDERS]

# What a button adds to the form, which the form itself does not hold.
PRESSED = ["later", "done"]


@dataclass(frozen=True, slots=True)
class Question:
    """Hold a question and the fields that say yes to it, and to those that were asked before."""

    title: str
    words: str
    button: str = "Send anyway"
    fields: Collection[tuple[str, str]] = ()
    action: str = ""  # Where a button of another address than its form's leads


def ask_about_placeholders(placeholders: Sequence[str]) -> Question:
    """Return the question for a text with placeholders."""
    is_one = len(placeholders) == 1
    return Question(
        f"{join_names(placeholders)} {'has' if is_one else 'have'} no value here",
        f"The customer would read {'it' if is_one else 'them'} exactly as written.",
        fields=[(HAS_READ_PLACEHOLDERS, "true")],
    )


def ask_in_composer(question: Question, posted: QueryDict, *, is_whole: bool) -> Question:
    """Add the fields of what was posted.

    With `is_whole` all of them, for a form of its own; without, what the composer's form does not
    hold: the button that was pressed, and what was said yes to before.
    """
    said = {name for name, _ in question.fields}
    names = [name for name in posted if name not in {"csrfmiddlewaretoken", *said}]
    if not is_whole:
        names = [name for name in names if name in {*PRESSED, *ANSWERS}]
    again = [(name, str(value)) for name in names for value in posted.getlist(name)]
    button = "Schedule anyway" if "later" in posted else question.button
    return replace(question, fields=[*again, *question.fields], button=button)
