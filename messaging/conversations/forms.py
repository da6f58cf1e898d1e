from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from inboxes.integers import IntegerField, read_integer
from messaging.conversations.list_forms import FilterForm
from threads.folding import is_blank
from threads.models import Thread

DRAFT_LIMIT = 10_000


class TextField(forms.CharField):
    """Keep the words of a text unchanged; refuse with a sentence those that cannot be sent."""

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
                "null_characters_not_allowed": "This contains a character that can't be sent.",
            },
        )

    def to_python(self, value: object) -> str:
        text = str(super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")
        # Browsers and Django put U+FFFD where a form held half of a surrogate pair.
        if any("\ud800" <= character <= "\udfff" or character == "\ufffd" for character in text):
            raise ValidationError("This contains a character that can't be sent.")
        return text

    def validate(self, value: str) -> None:
        super().validate(value)
        if self.required and is_blank(value):
            raise ValidationError(self.error_messages["required"], code="required")


class KeysField(forms.Field):
    """Read several keys of rows, each in a field of the same name."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: object) -> list[int]:
        given = [str(one) for one in value] if isinstance(value, list) else []
        keys = [key for one in given if (key := read_integer(one)) is not None]
        if len(given) > 100 or len(keys) < len(given):
            raise ValidationError("These files can't be read. Reload the page.")
        return keys


def clean_text_or_files(form: forms.Form) -> dict[str, Any]:
    """Return the cleaned fields; a text without words needs a file."""
    cleaned = form.cleaned_data
    if is_blank(cleaned.get("body", "-")):
        cleaned["body"] = ""
        if not cleaned.get("attachment"):
            form.add_error("body", form.fields["body"].error_messages["required"])
    return cleaned


class SendForm(forms.Form):
    """Read the composer. `form_key` is made with the form: sent twice, it makes one message.

    `seen` is the newest message that the page showed when the box was last empty or got its focus.
    `anyway` says that the agent has seen what came since, `has_read_placeholders` that those in
    the text may leave, and `quiet_ok` that it may leave at a quiet hour. `attachment` names the
    files of the draft that go with the text, which then needs no words. `done` marks the
    conversation as done too; `shown` is the newest message that the page shows now.
    """

    body = TextField(required=False)
    attachment = KeysField(required=False)
    form_key = forms.UUIDField()
    is_internal = forms.BooleanField(required=False)
    seen = IntegerField(min_value=0, required=False)
    anyway = forms.BooleanField(required=False)
    has_read_placeholders = forms.BooleanField(required=False)
    quiet_ok = forms.BooleanField(required=False)
    done = forms.BooleanField(required=False)
    shown = IntegerField(min_value=0, required=False)

    def clean(self) -> dict[str, Any]:
        return clean_text_or_files(self)

    @property
    def guard_from(self) -> int | None:
        """Return the message after which others' messages hold this one up, or None."""
        seen: int | None = self.cleaned_data["seen"]
        return None if self.cleaned_data["anyway"] else seen

    @property
    def newest_shown(self) -> int | None:
        """Return the newest message that the agent may have seen, or None if it isn't known."""
        known = [self.cleaned_data["seen"], self.cleaned_data["shown"]]
        return max((key for key in known if key is not None), default=None)


class DraftField(forms.CharField):
    """Take any words, also none, also too many to be sent."""

    def __init__(self) -> None:
        super().__init__(strip=False, required=False, max_length=DRAFT_LIMIT)

    def to_python(self, value: object) -> str:
        text = str(super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")
        return text.encode("utf-8", "replace").decode()


class DraftForm(forms.Form):
    """Read the composer as it is now. `toggle`: the mode was switched without scripts."""

    body = DraftField()
    form_key = forms.UUIDField()
    is_internal = forms.BooleanField(required=False)
    toggle = forms.BooleanField(required=False)


class MentionForm(forms.Form):
    """Read the letters behind an @."""

    q = forms.CharField(required=False, max_length=150)


class HistoryForm(FilterForm):
    """Read the query string of a conversation, with the filter of the list beside it.

    It opens `at` a message, or at a `line` of its activity.
    """

    before = IntegerField(required=False)
    new = IntegerField(required=False)
    all_inboxes = forms.BooleanField(required=False)
    at = IntegerField(required=False)
    line = IntegerField(required=False)


class PriorityForm(forms.Form):
    """Choose one of the four priorities, or none."""

    NONE = "none"

    priority = forms.ChoiceField(choices=[*Thread.Priority.choices, (NONE, "No priority")])

    def clean_priority(self) -> str:
        priority: str = self.cleaned_data["priority"]
        return "" if priority == self.NONE else priority


class LabelForm(forms.Form):
    """Read which label, and whether it is put on or taken off."""

    ON, OFF = "1", "0"

    label = IntegerField()
    on = forms.ChoiceField(choices=[(ON, "On"), (OFF, "Off")])


class ReadForm(forms.Form):
    """Read which message is the newest that a page has shown."""

    message = IntegerField()
