"""Forms of the administration that ask for a second factor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest
from django_otp import devices_for_user
from django_otp.forms import OTPAuthenticationFormMixin
from django_otp.plugins.otp_static.models import StaticDevice

from inboxes.sign_in import PasswordsBusyMixin

NO_DEVICE = (
    "This account has no second factor yet. Ask whoever runs the server for one: "
    "manage.py add_second_factor"
)


class CodeField(forms.CharField):
    """Take a code from an authenticator app, however it is spaced, or a recovery code."""

    def __init__(self) -> None:
        super().__init__(
            label="Code from your authenticator app",
            required=False,
            widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
        )

    def clean(self, value: Any) -> str:
        return "".join(str(super().clean(value)).split())


class SecondFactorMixin(OTPAuthenticationFormMixin):  # type: ignore[misc]
    """Check the code against the only device that can have made it, so that nobody has to name it.

    Django-otp wants a device to be chosen, but its form offers none before it was sent once.
    """

    cleaned_data: dict[str, Any]
    otp_error_messages = OTPAuthenticationFormMixin.otp_error_messages | {
        "token_required": "Enter the code that your authenticator app shows.",
        "invalid_token": "That code isn't right. Enter the one that your app shows now.",
        "n_failed_attempts": "Too many wrong codes. Wait a moment, then try again.",
        "verification_not_allowed": "Codes can't be checked right now. Try again later.",
        "device_required": "Choose the device that the code is from.",
    }

    def clean_otp(self, user: Any) -> None:
        if user is not None and not any(True for _ in devices_for_user(user)):
            raise forms.ValidationError(NO_DEVICE, code="no_device")
        super().clean_otp(user)

    def _chosen_device(self, user: Any) -> Any:
        chosen = super()._chosen_device(user)
        if chosen is not None:
            return chosen
        is_recovery_code = not str(self.cleaned_data.get("otp_token")).isdigit()
        able = [
            device
            for device in devices_for_user(user, for_verify=True)
            if isinstance(device, StaticDevice) == is_recovery_code
        ]
        return able[0] if len(able) == 1 else None

    @property
    def must_choose(self) -> bool:
        """Return True if several devices may have made the code."""
        fields: dict[str, Any] = getattr(self, "fields", {})
        return len(fields["otp_device"].widget.choices) > 2  # an empty one, and the devices


class AdminSecondFactorForm(SecondFactorMixin, PasswordsBusyMixin, AdminAuthenticationForm):
    """Take name, password and code at once."""

    otp_device = forms.CharField(label="Device", required=False, widget=forms.Select)
    otp_token = CodeField()

    def clean(self) -> dict[str, Any]:
        self.cleaned_data = super().clean()
        self.clean_otp(self.get_user())
        return self.cleaned_data


class CodeForm(SecondFactorMixin, forms.Form):
    """Take the code of somebody who has signed in with their password already."""

    otp_device = forms.CharField(label="Device", required=False, widget=forms.Select)
    otp_token = CodeField()

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        self.user = request.user

    @property
    def device(self) -> Any:
        """Return the device that made the code of a valid form."""
        return getattr(self.user, "otp_device", None)

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.clean_otp(self.user)
        return self.cleaned_data
