from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from inboxes.integers import IntegerField, read_integer
from threads.models import Choice, Thread

DRAFT_LIMIT = 10_000


class TextField(forms.CharField):
    """The words of a text: kept to the letter, refused with a sentence if they cannot go out."""

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(
            required=required,
            strip=False,
            max_length=settings.MESSAGE_LIMIT,
            error_messages={
                "required": "Write something first.",
                "max_length": (
                    "This is too long: a text has at most %(limit_value)d characters, "
                    "and this one has %(show_value)d."
                ),
                "null_characters_not_allowed": "This text holds a character that cannot be sent.",
            },
        )

    def to_python(self, value: object) -> str:
        text = str(super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")
        # Browsers and Django put U+FFFD where a form held half of a surrogate pair.
        if any("\ud800" <= character <= "\udfff" or character == "\ufffd" for character in text):
            raise ValidationError("This text holds a character that cannot be sent.")
        return text

    def validate(self, value: str) -> None:
        super().validate(value)
        if self.required and not value.strip():
            raise ValidationError(self.error_messages["required"], code="required")


class KeysField(forms.Field):
    """Several keys of rows, each in a field of the same name."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: object) -> list[int]:
        given = [str(one) for one in value] if isinstance(value, list) else []
        keys = [key for one in given if (key := read_integer(one)) is not None]
        if len(given) > 100 or len(keys) < len(given):
            raise ValidationError("These files cannot be read. Load the page again.")
        return keys


class SendForm(forms.Form):
    """The composer. `form_key` is made with the form: sent twice, it makes one message.

    `seen` is the newest message that the page showed when the box was last empty or got its
    focus; `anyway` that the agent was asked about what came since. `attachment` names the files of
    the draft that go with it: then it needs no words.
    """

    body = TextField(required=False)
    attachment = KeysField(required=False)
    form_key = forms.UUIDField()
    is_internal = forms.BooleanField(required=False)
    seen = IntegerField(min_value=0, required=False)
    anyway = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("body", "-").strip():
            cleaned["body"] = ""
            if not cleaned.get("attachment"):
                self.add_error("body", self.fields["body"].error_messages["required"])
        return cleaned

    @property
    def guard_from(self) -> int | None:
        """From where on a message of others holds this one up; None for nowhere."""
        seen: int | None = self.cleaned_data["seen"]
        return None if self.cleaned_data["anyway"] else seen


class DraftField(forms.CharField):
    """What stands in the box: any words, also none, also too many to be sent."""

    def __init__(self) -> None:
        super().__init__(strip=False, required=False, max_length=DRAFT_LIMIT)

    def to_python(self, value: object) -> str:
        text = str(super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")
        return text.encode("utf-8", "replace").decode()


class DraftForm(forms.Form):
    """The composer as it stands. With `toggle` the eye was pressed where no script runs."""

    body = DraftField()
    form_key = forms.UUIDField()
    is_internal = forms.BooleanField(required=False)
    toggle = forms.BooleanField(required=False)


class MentionForm(forms.Form):
    """The letters behind an @."""

    q = forms.CharField(required=False, max_length=150)


class HistoryForm(forms.Form):
    """The query string of a conversation."""

    before = IntegerField(required=False)
    new = IntegerField(required=False)
    only = forms.ChoiceField(choices=Choice.choices, required=False)
    at = IntegerField(required=False)


class PriorityForm(forms.Form):
    """One of the four, or none."""

    NONE = "none"

    priority = forms.ChoiceField(choices=[*Thread.Priority.choices, (NONE, "No priority")])

    def clean_priority(self) -> str:
        priority: str = self.cleaned_data["priority"]
        return "" if priority == self.NONE else priority


class ReadForm(forms.Form):
    """The newest message that a page has shown."""

    message = IntegerField()
