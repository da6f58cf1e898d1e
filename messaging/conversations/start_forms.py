from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from inboxes.integers import IntegerField
from messaging.conversations.forms import KeysField, TextField, clean_text_or_files
from messaging.conversations.schedule_forms import MomentField
from messaging.models import Number
from threads import addresses
from threads.models import Contact


class AddressField(forms.CharField):
    """Read what was typed as the recipient: a number, or a part of a number or of a name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=addresses.MAX_LENGTH, **options)


class FilledField(forms.Field):
    """Read which values the page put into the text, each once; none from anything unreadable."""

    LONGEST = 100_000  # characters

    def to_python(self, value: Any) -> list[str]:
        """Return the values of a list in JSON of `{"written": …, "values": {name: value}}`."""
        if not isinstance(value, str) or not 0 < len(value) <= self.LONGEST:
            return []
        try:
            found = [dict(one["values"]).values() for one in json.loads(value)]
        except (ValueError, TypeError, KeyError, RecursionError):
            return []
        return list(dict.fromkeys(v for values in found for v in values if isinstance(v, str)))


class StartForm(forms.Form):
    """Read a first text. `inbox_choices` are the inboxes to send from, with their labels.

    `attachment` names the files that go with it, which then needs no words. `later` is the moment
    for which a question's button schedules it, and `filled` what saved replies put into it.
    """

    inbox = forms.TypedChoiceField(
        coerce=int,
        error_messages={
            "required": "Choose who it's from.",
            "invalid_choice": "You can't send from this inbox anymore. Choose another one.",
        },
    )
    to = AddressField(
        error_messages={
            "required": "Enter a phone number.",
            "max_length": "That's too long for a phone number.",
            "null_characters_not_allowed": "That isn't a phone number.",
        }
    )
    body = TextField(required=False)
    attachment = KeysField(required=False)
    filled = FilledField(required=False)
    has_read_values = forms.BooleanField(required=False)
    has_read_placeholders = forms.BooleanField(required=False)
    quiet_ok = forms.BooleanField(required=False)
    later = MomentField(required=False)
    form_key = forms.UUIDField()
    checked = AddressField(required=False)

    def __init__(
        self, *args: Any, inbox_choices: Sequence[tuple[int, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.inbox_ids = [pk for pk, _ in inbox_choices]
        cast(forms.TypedChoiceField, self.fields["inbox"]).choices = list(inbox_choices)

    def clean(self) -> dict[str, Any]:
        if "later" in self.errors:
            self.add_error("body", self.errors["later"])
        return clean_text_or_files(self)

    def clean_to(self) -> str:
        """Return the address in the form in which contacts are stored."""
        raw: str = self.cleaned_data["to"]
        address, kind = addresses.normalise_address(raw)
        known = Contact.objects.filter(inbox__in=self.inbox_ids, address=address)
        if kind == "name" or not known.exists():
            try:
                address = addresses.parse_typed_number(raw)
            except addresses.InvalidNumber as error:
                raise ValidationError(str(error)) from error
        if Number.objects.filter(address=address).exists():
            ours = addresses.format_address(address)
            raise ValidationError(f"{ours} is one of our own numbers. Enter a customer's number.")
        return address

    @property
    def key(self) -> uuid.UUID:
        """Return the key of the form as it was sent, or a new one."""
        key: uuid.UUID | None = getattr(self, "cleaned_data", {}).get("form_key")
        return key or uuid.uuid4()


class StartQuery(forms.Form):
    """Read from the query string the inbox that the page was opened from, and whom to text."""

    inbox = IntegerField(required=False)
    to = AddressField(required=False)


class RecipientForm(forms.Form):
    """Read *From* and *To* while they are being typed."""

    inbox = IntegerField(required=False)
    to = AddressField(required=False)
