"""The form by which members record that a contact agreed to get texts."""

from __future__ import annotations

from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from threads.folding import is_blank
from threads.models import Consent

WORDS_LIMIT = 255
HOW = [(value, label) for value, label in Consent.How.choices if value != Consent.How.IMPORT]
OLDEST = date(1990, 1, 1)


class ConsentForm(forms.Form):
    """Read how, where and when a contact agreed; the day is one of the agent's time zone."""

    how = forms.ChoiceField(
        choices=HOW,
        error_messages={
            "required": "Choose how they agreed.",
            "invalid_choice": "Choose how they agreed.",
        },
    )
    words = forms.CharField(
        required=False,
        max_length=WORDS_LIMIT,
        error_messages={
            "max_length": "Write at most %(limit_value)d characters; this has %(show_value)d.",
            "null_characters_not_allowed": "This contains a character that can't be saved.",
        },
    )
    given_on = forms.DateField(
        input_formats=["%Y-%m-%d"],
        error_messages={"required": "Enter a date.", "invalid": "Enter a valid date."},
    )

    def clean_given_on(self) -> date:
        day: date = self.cleaned_data["given_on"]
        if day > timezone.localdate():
            raise ValidationError("That day hasn't come yet. Enter today or an earlier date.")
        if day < OLDEST:
            raise ValidationError("That's too long ago. Check the year.")
        return day

    def clean(self) -> dict[str, object]:
        given: dict[str, object] = super().clean() or self.cleaned_data
        words = given.get("words")
        if given.get("how") == Consent.How.OTHER and words is not None and is_blank(str(words)):
            self.add_error("words", "Say how they agreed.")
        return given
