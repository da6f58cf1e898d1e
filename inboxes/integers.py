"""Integers from outside: keys of rows, cursors, counters, lengths."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

MAX_BIGINT = 2**63 - 1  # the largest bigint of PostgreSQL


def read_integer(text: object) -> int | None:
    """Return the number from 0 to MAX_BIGINT that the text shows; None for anything else.

    The text has 1 to 19 of the digits 0 to 9. Python's `int` would also accept digits of other
    scripts, signs, spaces and underscores; `isdigit` accepts "²", for which `int` raises.
    """
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if number <= MAX_BIGINT else None


class IntegerField(forms.Field):
    """A form field for integers that `read_integer` accepts, from `min_value` on."""

    widget = forms.HiddenInput

    def __init__(self, *, min_value: int = 1, required: bool = True) -> None:
        super().__init__(required=required)
        self.min_value = min_value

    def to_python(self, value: object) -> int | None:
        if value in self.empty_values:
            return None
        number = read_integer(str(value))
        if number is None or number < self.min_value:
            raise ValidationError("This is no such number.")
        return number
