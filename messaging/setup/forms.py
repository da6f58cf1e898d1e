from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest

from inboxes.invitations.forms import JoinForm
from inboxes.models import Inbox, OneTimeLink
from messaging.carriers.base import Carrier, CredentialField
from threads import addresses

INVISIBLE = "This contains an invisible character. Copy it again, or type it."
# What may be shown again after a mistake. Everything else proves who we are to the carrier.
SHOWN_AGAIN = frozenset(
    {
        "account_sid",
        "space",
        "project_id",
        "auth_id",
        "account_id",
        "application_id",
        "client_id",
        "callback_user",
    }
)


class AdministratorForm(JoinForm):
    """Take the first administrator's name, username and password."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, OneTimeLink(kind=OneTimeLink.Kind.INVITATION))
        self.fields["display_name"].widget.attrs["autofocus"] = True


class CredentialsForm(forms.Form):
    """Take what one carrier needs. The previous values that it may have are for later."""

    def __init__(self, carrier: Carrier, data: Any = None) -> None:
        # No field of this name is ever written into a page again: see config/csrf.py.
        super().__init__(data, prefix="credential")
        for field in carrier.credential_fields:
            if not field.name.startswith("previous_"):
                self.fields[field.name] = _credential_field(field)
        next(iter(self.fields.values())).widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        for name, value in list(values.items()):
            if value and not value.isprintable():
                self.add_error(name, INVISIBLE)
        return values

    def credentials(self) -> dict[str, str]:
        """Return the values of a valid form, by name."""
        return {name: value for name, value in self.cleaned_data.items() if value}


def _credential_field(field: CredentialField) -> forms.CharField:
    attrs = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
    is_shown = field.name in SHOWN_AGAIN
    widget = forms.TextInput(attrs) if is_shown else forms.PasswordInput(attrs)
    return forms.CharField(
        label=field.label,
        required=field.is_required and not field.is_found,
        max_length=4096,
        help_text=field.help_text,
        widget=widget,
    )


class NumberForm(forms.Form):
    """Take one number of ours as a person writes it."""

    address = forms.CharField(
        label="Number",
        max_length=64,
        help_text="As your customers dial it, like (202) 555-0110, or a short code.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"}),
    )

    def clean_address(self) -> str:
        address, kind = addresses.normalise_address(self.cleaned_data["address"])
        if kind == "name":
            raise forms.ValidationError("That isn’t a number. Enter it like +12025550110.")
        return address


class InboxForm(forms.Form):
    """Take the name of one inbox, and whether the administrator becomes a member."""

    name = forms.CharField(label="Name", max_length=120)
    joins = forms.BooleanField(label="I read and answer its texts", required=False)

    def __init__(self, inbox: Inbox | None, suggested: str, joins: bool, data: Any = None) -> None:
        prefix = f"inbox-{inbox.pk if inbox else 'new'}"
        initial = {"name": inbox.name if inbox else suggested, "joins": joins}
        super().__init__(data, prefix=prefix, initial=initial)
        self.inbox = inbox

    @property
    def number(self) -> str:
        """Return the inbox's number as people write it; "" if it has none yet."""
        number = getattr(self.inbox, "number", None)
        return number.display if number is not None else ""

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Inbox.objects.shared().filter(name__iexact=name)
        if self.inbox is not None:
            others = others.exclude(pk=self.inbox.pk)
        if others.exists():
            raise forms.ValidationError("There is an inbox with this name already.")
        return name


class ColleagueForm(forms.Form):
    """Take whom to invite."""

    name = forms.CharField(
        label="Name",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    email = forms.EmailField(
        label="E-mail",
        required=False,
        max_length=254,
        help_text="The invitation is sent there as well.",
    )
    is_administrator = forms.BooleanField(label="Administrator", required=False)

    def __init__(self, data: Any = None, *, has_email: bool) -> None:
        super().__init__(data)
        if not has_email:
            del self.fields["email"]
