from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from inboxes.integers import read_integer
from threads.cursors import Cursor
from threads.filters import ThreadFilter


class FilterForm(forms.Form):
    """Read what a list is narrowed to: `only` and `label`, each as often as wanted."""

    only = forms.Field(required=False, widget=forms.MultipleHiddenInput)
    label = forms.Field(required=False, widget=forms.MultipleHiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        names, labels = cleaned.get("only") or [], cleaned.get("label") or []
        keys = [key for one in labels if (key := read_integer(one)) is not None]
        names = [name for name in names if name]
        try:
            if len(keys) < len(labels):
                raise ValueError("No such label.")
            cleaned["filter"] = ThreadFilter.of(names, keys)
        except ValueError as error:
            raise ValidationError("There is no such view.") from error
        cleaned["is_explicit"] = bool(names or keys)
        return cleaned


class ListForm(FilterForm):
    """Read the query string of a list."""

    after = forms.CharField(max_length=64, required=False, strip=False)

    def clean_after(self) -> Cursor | None:
        key: str = self.cleaned_data["after"]
        if not key:
            return None
        try:
            return Cursor.from_key(key)
        except ValueError as error:
            raise ValidationError("This is no place in the list.") from error
