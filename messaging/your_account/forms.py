from __future__ import annotations

from typing import Any

from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from allauth.mfa.webauthn.internal import auth as webauthn
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from inboxes.models import Agent
from inboxes.sign_in.forms import CredentialField

LONGEST_PASSKEY_NAME = 60


class NameForm(forms.ModelForm[Agent]):
    """Take the name that colleagues see."""

    class Meta:
        model = Agent
        fields = ("display_name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["display_name"]
        field.help_text = ""
        field.widget.attrs |= {"autocomplete": "name"}
        field.error_messages["required"] = "Enter a name."


class UndoForm(forms.Form):
    """Take how long texts can be taken back."""

    undo_seconds = forms.TypedChoiceField(
        choices=Agent._meta.get_field("undo_seconds").choices or (),
        coerce=int,
        widget=forms.RadioSelect,
    )


class AppForm(ActivateTOTPForm):
    """Take the first code of an authenticator app, however it is spaced."""

    def clean_code(self) -> str:
        try:
            code: str = super().clean_code()
        except ValidationError as error:
            raise ValidationError(
                "That code isn't right. Enter the one that the app shows now."
            ) from error
        return code


class PasskeyForm(AddWebAuthnForm):
    """Take a new passkey: one of our own pages, that has made sure of who holds it."""

    credential = CredentialField()
    name = forms.CharField(required=False, max_length=LONGEST_PASSKEY_NAME)

    def clean_credential(self) -> Any:
        credential = self.cleaned_data["credential"]
        try:
            made = webauthn.parse_registration_response(credential).response
            is_ours = made.client_data.origin in settings.ORIGINS
            is_verified = made.attestation_object.auth_data.is_user_verified()
        except (AttributeError, KeyError, LookupError, TypeError, ValueError) as error:
            raise ValidationError("This is no passkey.") from error
        if not is_ours or not is_verified:
            raise ValidationError("This is no passkey of this site.")
        return credential


class PasskeyNameForm(EditWebAuthnForm):
    name = forms.CharField(
        max_length=LONGEST_PASSKEY_NAME, error_messages={"required": "Enter a name."}
    )


class PhoneForm(forms.Form):
    """Read which code a person has compared."""

    sign_in = forms.UUIDField()
