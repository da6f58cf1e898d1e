"""The forms by which members record an opt-out and end one."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from threads.folding import is_blank

HOW_THEY_ASKED = [
    ("phone", "By phone"),
    ("person", "In person"),
    ("email", "By email"),
    ("text", "In a text"),
    ("other", "Another way"),
]
DETAILS_LIMIT = 200
TOO_LONG = "Write at most %(limit_value)d characters; this has %(show_value)d."
UNKEPT = "This contains a character that can't be saved."


class RecordForm(forms.Form):
    """Read how the contact asked for no more texts, and in which text if it was one."""

    how = forms.ChoiceField(
        choices=HOW_THEY_ASKED,
        error_messages={
            "required": "Choose how they asked.",
            "invalid_choice": "Choose how they asked.",
        },
    )
    details = forms.CharField(
        required=False,
        max_length=DETAILS_LIMIT,
        error_messages={"max_length": TOO_LONG, "null_characters_not_allowed": UNKEPT},
    )
    message = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    def clean(self) -> dict[str, object]:
        given: dict[str, object] = super().clean() or self.cleaned_data
        details = given.get("details")
        if given.get("how") == "other" and details is not None and is_blank(str(details)):
            self.add_error("details", "Say how they asked.")
        return given

    @property
    def reason(self) -> str:
        """Return what is kept: how they asked, and the details."""
        how, details = self.cleaned_data["how"], self.cleaned_data["details"].strip()
        if how == "other":
            return str(details)
        label = f"Asked {dict(HOW_THEY_ASKED)[how].lower()}"
        return f"{label}: {details}" if details else label


class EndForm(forms.Form):
    """Read why texts may be sent again."""

    reason = forms.CharField(
        max_length=DETAILS_LIMIT,
        error_messages={
            "required": "Say why you can text them again.",
            "max_length": TOO_LONG,
            "null_characters_not_allowed": UNKEPT,
        },
    )

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if is_blank(reason):
            raise ValidationError("Say why you can text them again.")
        return reason
