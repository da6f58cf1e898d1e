"""Whole numbers that come from outside: keys of rows, places in lists, counters, lengths."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

LARGEST = 2**63 - 1
"""What a bigint of PostgreSQL holds."""


def read_integer(text: object) -> int | None:
    """Return the number from 0 to LARGEST that the text is; None for anything else.

    The text is 1 to 19 of the digits 0 to 9. Python's `int` also takes other scripts' digits,
    signs, spaces and underscores, and `isdigit` says yes to a "²", at which `int` raises.
    """
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if number <= LARGEST else None


class IntegerField(forms.Field):
    """What `read_integer` reads, from `least` on; None where it is left empty."""

    widget = forms.HiddenInput

    def __init__(self, *, least: int = 1, required: bool = True) -> None:
        super().__init__(required=required)
        self.least = least

    def to_python(self, value: object) -> int | None:
        if value in self.empty_values:
            return None
        number = read_integer(str(value))
        if number is None or number < self.least:
            raise ValidationError("This is no such number.")
        return number
