from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from threads.lists import Cursor
from threads.models import Choice


class ListForm(forms.Form):
    """Read the query string of a list."""

    after = forms.CharField(max_length=64, required=False, strip=False)
    only = forms.ChoiceField(choices=Choice.choices, required=False)

    def clean_after(self) -> Cursor | None:
        key: str = self.cleaned_data["after"]
        if not key:
            return None
        try:
            return Cursor.from_key(key)
        except ValueError as error:
            raise ValidationError("This is no place in the list.") from error
