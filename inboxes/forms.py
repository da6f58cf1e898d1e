from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseForm

from inboxes import times


def first_error(form: BaseForm) -> str:
    """Return the sentence of the first field that is wrong; the form must not be valid."""
    return str(next(iter(form.errors.values()))[0])


class LocaleForm(forms.Form):
    """Read the language and the time zone that a browser reports."""

    language = forms.CharField(max_length=times.LONGEST_LANGUAGE)
    time_zone = forms.CharField(max_length=times.LONGEST_ZONE)

    def clean_language(self) -> str:
        tag: str = self.cleaned_data["language"]
        if not times.is_language(tag):
            raise ValidationError("That isn't a language.")
        return tag

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        if name not in times.zone_names():
            raise ValidationError("That isn't a time zone.")
        return name
