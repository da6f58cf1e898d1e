"""Forms of the steps of an import of contacts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import phonenumbers
from babel import Locale
from django import forms
from django.core.exceptions import ValidationError

from inboxes.integers import IntegerField
from messaging.contacts.imports import reading
from messaging.contacts.imports.columns import FIELDS
from messaging.contacts.imports.csv_files import SEPARATORS, Dialect
from messaging.contacts.imports.encodings import ENCODINGS
from messaging.models import ContactImport


class FileForm(forms.Form):
    """Read the file and the inbox that it goes into, of `inboxes` with their labels."""

    inbox = forms.TypedChoiceField(
        coerce=int,
        error_messages={
            "required": "Choose the inbox that the contacts go into.",
            "invalid_choice": "You can't add contacts to this inbox. Choose another one.",
        },
    )
    file = forms.FileField(
        error_messages={
            "required": "Choose a file.",
            "invalid": "Choose a file.",
            "missing": "Choose a file.",
            "empty": "This file is empty.",
        }
    )

    def __init__(self, *args: Any, inboxes: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.TypedChoiceField, self.fields["inbox"]).choices = list(inboxes)


class ColumnsForm(forms.Form):
    """Read how a file is written, and what each of its columns becomes."""

    encoding = forms.ChoiceField(choices=list(ENCODINGS.items()))
    separator = forms.ChoiceField(choices=list(SEPARATORS.items()))
    has_header = forms.BooleanField(required=False)
    region = forms.ChoiceField()

    def __init__(self, *args: Any, one: ContactImport, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.one = one
        cast(forms.ChoiceField, self.fields["region"]).choices = list(region_choices())
        for index in range(len(one.headers)):
            self.fields[column_name(index)] = forms.ChoiceField(
                choices=[("", "Leave out"), *FIELDS.items()], required=False
            )

    @classmethod
    def initial_of(cls, one: ContactImport) -> dict[str, Any]:
        columns = {column_name(index): field for field, index in one.mapping.items()}
        return {
            "encoding": one.encoding,
            "separator": one.separator,
            "has_header": one.has_header,
            "region": one.region,
            **columns,
        }

    @property
    def dialect(self) -> Dialect:
        data = self.cleaned_data
        return Dialect(data["encoding"], data["separator"], data["has_header"])

    @property
    def mapping(self) -> dict[str, int]:
        chosen = {
            index: self.cleaned_data.get(column_name(index), "")
            for index in range(len(self.one.headers))
        }
        return {field: index for index, field in chosen.items() if field}

    def clean(self) -> dict[str, Any]:
        fields = [self.cleaned_data.get(column_name(n), "") for n in range(len(self.one.headers))]
        chosen = [field for field in fields if field]
        twice = next((field for field in chosen if chosen.count(field) > 1), "")
        if twice:
            raise ValidationError(f"Two columns can't both be {FIELDS[twice]}. Leave one out.")
        if "number" not in chosen:
            raise ValidationError("Choose the column that holds the phone numbers.")
        if "opt_out" in chosen and not reading.our_number(self.one.inbox_id):
            raise ValidationError(
                f"{self.one.inbox.name} has no number, so nobody can be opted out of it. Leave "
                "the column Opt-out out, or ask an administrator for a number first."
            )
        return self.cleaned_data


class LinesQuery(forms.Form):
    """Read behind which line a page of lines begins."""

    after = IntegerField(required=False)


class InsteadQuery(forms.Form):
    """Read which import a corrected file stands in for."""

    instead = IntegerField(required=False)


def column_name(index: int) -> str:
    """Return the name of the field of a column, from 0."""
    return f"column_{index}"


@cache
def region_choices() -> tuple[tuple[str, str], ...]:
    """Return the countries whose numbers have a notation of their own, by name."""
    names = Locale("en").territories
    named = {
        region: f"{names.get(region, region)} (+{phonenumbers.country_code_for_region(region)})"
        for region in phonenumbers.SUPPORTED_REGIONS
    }
    return tuple(sorted(named.items(), key=lambda choice: choice[1]))
