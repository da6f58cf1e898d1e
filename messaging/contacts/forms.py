"""Forms of contacts: what is known of one, and a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from inboxes import times
from inboxes.hours.zones import Choices, zone_choices
from messaging.contacts.describing import VALUE_NAMES, ContactValues
from messaging.models import Number
from threads import addresses
from threads.folding import is_blank
from threads.models import Contact

NOTE_LIMIT = 2_000
KNOWN = "known_"  # before the names of the fields with what the form was opened with


class LineField(forms.CharField):
    """Read one line; `what` names it in sentences."""

    def __init__(self, what: str) -> None:
        super().__init__(
            max_length=120,
            required=False,
            error_messages={
                "max_length": f"Use at most %(limit_value)d characters for a {what}.",
                "null_characters_not_allowed": (
                    f"This {what} contains a character that can't be saved."
                ),
            },
        )
        self.what = what

    def clean(self, value: Any) -> str:
        line: str = super().clean(value)
        if line and is_blank(line):
            raise ValidationError(
                f"This {self.what} has no visible characters. Enter another one."
            )
        return line


class NoteField(forms.CharField):
    """Read a note of several lines."""

    def __init__(self) -> None:
        super().__init__(
            max_length=NOTE_LIMIT,
            required=False,
            error_messages={
                "max_length": (
                    "Use at most %(limit_value)d characters for a note; "
                    "this one has %(show_value)d."
                ),
                "null_characters_not_allowed": (
                    "This note contains a character that can't be saved."
                ),
            },
        )

    def to_python(self, value: object) -> str:
        note = str(super().to_python(value) or "")
        return note.replace("\r\n", "\n").replace("\r", "\n")


class ZoneField(forms.Field):
    """Read the name of a time zone; nothing leaves it to be guessed from the number."""

    def clean(self, value: Any) -> str:
        name = str(value or "")
        if name and name not in times.zone_names():
            raise ValidationError("Choose a time zone from the list.")
        return name


class ContactForm(forms.Form):
    """Read what members know of a contact, and what it was when the form was opened."""

    name = LineField("name")
    company = LineField("company")
    email = forms.EmailField(
        max_length=254,
        required=False,
        error_messages={
            "invalid": "That isn't an e-mail address. Enter it like name@example.com.",
            "max_length": "Use at most %(limit_value)d characters for an e-mail address.",
            "null_characters_not_allowed": "That isn't an e-mail address.",
        },
    )
    reference = LineField("reference")
    time_zone = ZoneField()
    note = NoteField()

    @property
    def zone_groups(self) -> Choices:
        """Return the time zones to choose from, and the contact's own if it isn't among them."""
        groups, chosen = zone_choices(), self["time_zone"].value()
        is_listed = any(name == chosen for _, zones in groups for name, _ in zones)
        if is_listed or chosen not in times.zone_names():
            return groups
        return [*groups, ("As it was imported", [(chosen, chosen)])]

    def show(self, values: ContactValues) -> None:
        """Show these values instead of those that were sent."""
        shown = {name: getattr(values, name) for name in VALUE_NAMES if name in self.data}
        self.data = {name: self.data[name] for name in self.data} | shown

    def values(self, contact: Contact | None = None) -> ContactValues:
        """Return the cleaned fields; what the form doesn't ask for stays as the contact has it."""
        kept = {name: getattr(contact, name) for name in VALUE_NAMES} if contact else {}
        asked = {name: self.cleaned_data[name] for name in VALUE_NAMES if name in self.data}
        return ContactValues(**kept | asked)

    def known_values(self, contact: Contact) -> ContactValues | None:
        """Return what the form was opened with; None if it doesn't say."""
        if f"{KNOWN}name" not in self.data:
            return None
        kept = {name: getattr(contact, name) for name in VALUE_NAMES}
        known = {name: self.data.get(KNOWN + name, "") for name in self.fields if name in kept}
        known["note"] = known.get("note", "").replace("\r\n", "\n").replace("\r", "\n")
        return ContactValues(**kept | known)


def initial_values(contact: Contact) -> dict[str, str]:
    return {name: getattr(contact, name) for name in VALUE_NAMES}


class NewContactForm(ContactForm):
    """Read a new contact. `inboxes` are those that the agent may add one to, with their labels."""

    # As they stand on the page: of several wrong fields the first one gets the focus.
    field_order = ["inbox", "number"]

    inbox = forms.TypedChoiceField(
        coerce=int,
        error_messages={
            "required": "Choose an inbox.",
            "invalid_choice": "You can't add contacts to this inbox. Choose another one.",
        },
    )
    number = forms.CharField(
        max_length=255,
        error_messages={
            "required": "Enter a phone number.",
            "max_length": "That's too long for a phone number.",
            "null_characters_not_allowed": "That isn't a phone number.",
        },
    )

    def __init__(self, *args: Any, inboxes: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.TypedChoiceField, self.fields["inbox"]).choices = list(inboxes)

    def clean_number(self) -> str:
        """Return the number as contacts are stored."""
        try:
            address = addresses.parse_typed_number(self.cleaned_data["number"])
        except addresses.InvalidNumber as error:
            raise ValidationError(str(error)) from error
        if Number.objects.filter(address=address).exists():
            ours = addresses.format_address(address)
            raise ValidationError(f"{ours} is one of our own numbers. Enter a customer's number.")
        return address
