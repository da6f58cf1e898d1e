"""Questions before a text to the customer leaves: its author says yes once, or changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from django.http import QueryDict

from inboxes import times
from messaging.outbound.quiet_hours import InQuietHours
from messaging.outbound.sending import Unfilled
from messaging.replies.filled import SaysOthersValues
from threads.direction import isolate_direction
from threads.lists import join_names
from threads.local_times import EVENING, MORNING

# Fields by which a form says yes to one question each.
HAS_READ_PLACEHOLDERS = "has_read_placeholders"
QUIET_OK = "quiet_ok"
HAS_READ_VALUES = "has_read_values"
ANSWERS = [HAS_READ_VALUES, HAS_READ_PLACEHOLDERS, QUIET_OK]

# What a button adds to the form, which the form itself does not hold.
PRESSED = ["later", "done"]


@dataclass(frozen=True, slots=True)
class Question:
    """Hold a question and the fields that say yes to it, the last of them, and to earlier ones.

    `morning` is another way out: the moment for which the text can be scheduled instead.
    """

    title: str
    words: str
    button: str = "Send anyway"
    fields: Sequence[tuple[str, str]] = ()
    action: str = ""  # Where a button of another address than its form's leads
    morning: datetime | None = None
    morning_words: str = ""

    @property
    def earlier(self) -> Sequence[tuple[str, str]]:
        """Return the fields that say yes to what was asked before."""
        return self.fields[:-1]

    @property
    def yes(self) -> str:
        """Return the name of the field that says yes."""
        return self.fields[-1][0]


# What is raised until the author has said yes.
Unasked = (Unfilled, InQuietHours, SaysOthersValues)


def ask(error: Exception, posted: QueryDict) -> Question:
    """Return the question for one of `Unasked`, with what the form has said yes to before."""
    if isinstance(error, InQuietHours):
        question = ask_about_quiet_hours(error)
    elif isinstance(error, SaysOthersValues):
        question = ask_about_values(error.values)
    else:
        question = ask_about_placeholders(cast(Unfilled, error).placeholders)
    said = [(name, "true") for name in ANSWERS if posted.get(name) and name != question.yes]
    return replace(question, fields=[*said, *question.fields])


def ask_about_quiet_hours(error: InQuietHours) -> Question:
    """Return the question for a text that would come at night."""
    clock = times.format_clock(error.at.astimezone(error.zone))
    who = isolate_direction(error.contact.name or error.contact.display)
    verb = ("It will be" if error.is_later else "It's") if error.is_certain else "It may be"
    place = times.name_city(error.zone)
    start, end = times.format_clock(EVENING), times.format_clock(MORNING)
    why = "" if error.is_certain else "Their number could be in more than one time zone. "
    return Question(
        f"{verb} {clock} for {who} ({place}){' then' if error.is_later else ''}",
        f"{why}Quiet hours are from {start} to {end}, their time.",
        button="Schedule anyway" if error.is_later else "Send anyway",
        fields=[(QUIET_OK, "true")],
        morning=error.morning,
        morning_words=f"Schedule for {end} {_whose_morning(error)}",
    )


def ask_about_retry(error: InQuietHours) -> Question:
    """Return the question for a failed text that would be sent again at night."""
    return replace(ask_about_quiet_hours(error), button="Retry anyway")


def _whose_morning(error: InQuietHours) -> str:
    if error.is_certain or error.morning_zone is None:
        return "their time"
    return f"in {times.name_city(error.morning_zone)}"


def ask_about_values(values: Sequence[str]) -> Question:
    """Return the question for a text that still says what was filled in for somebody else."""
    return Question(
        f"The text still says {join_names([isolate_direction(one) for one in values])}",
        "That was filled in before you changed From or To.",
        fields=[(HAS_READ_VALUES, "true")],
    )


def ask_about_placeholders(placeholders: Sequence[str]) -> Question:
    """Return the question for a text with placeholders."""
    is_one = len(placeholders) == 1
    return Question(
        f"{join_names(placeholders)} {'is' if is_one else 'are'} not filled in",
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
