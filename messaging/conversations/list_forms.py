from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from inboxes.integers import read_integer
from threads.cursors import Cursor
from threads.filters import ThreadFilter


class WordsField(forms.Field):
    """Read the words of all fields of the same name, without empty ones."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: object) -> list[str]:
        return [str(one) for one in value if one] if isinstance(value, list) else []


class FilterForm(forms.Form):
    """Read what a list is narrowed to: `only` and `label`, each as often as wanted."""

    only = WordsField(required=False)
    label = WordsField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        names, labels = cleaned["only"], cleaned["label"]
        keys = [key for one in labels if (key := read_integer(one)) is not None]
        try:
            if len(keys) < len(labels):
                raise ValueError("No such label.")
            cleaned["filter"] = ThreadFilter.of(names, keys)
        except ValueError as error:
            raise ValidationError("There is no such view.") from error
        return cleaned

    @property
    def is_explicit(self) -> bool:
        """Return True if the address says what to show, be it everything."""
        return bool(self.cleaned_data["only"] or self.cleaned_data["label"])


class ListForm(FilterForm):
    """Read the query string of a list."""

    after = forms.CharField(max_length=64, required=False, strip=False)
    chosen = forms.CharField(required=False)

    def clean_after(self) -> Cursor | None:
        key: str = self.cleaned_data["after"]
        if not key:
            return None
        try:
            return Cursor.from_key(key)
        except ValueError as error:
            raise ValidationError("This is no place in the list.") from error
