"""Sign-in forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest

from inboxes import passwords
from inboxes.models import Agent

BUSY_SENTENCE = "Many people are signing in right now. Try again in a few seconds."


class PasswordsBusyMixin(forms.Form):
    """Reports a password that cannot be checked now as an error of the form."""

    is_busy = False

    def clean(self) -> dict[str, Any]:
        # Checked first, so that a request that cannot be served costs no query.
        if passwords.queue.is_full:
            raise self._busy_error()
        try:
            return super().clean() or self.cleaned_data
        except passwords.PasswordsBusy:
            raise self._busy_error() from None

    def _busy_error(self) -> forms.ValidationError:
        self.is_busy = True
        return forms.ValidationError(BUSY_SENTENCE, code="busy")


class SignInForm(PasswordsBusyMixin, AuthenticationForm):
    """Django's sign-in form, for agents."""


class NewPasswordForm(PasswordChangeForm):
    """Take an agent's password and a new one. Wrong ones count like those of a sign-in."""

    error_messages = PasswordChangeForm.error_messages | {
        "password_incorrect": "That isn't your current password.",
        "password_mismatch": "The two new passwords don't match.",
    }

    def __init__(self, agent: Agent, request: HttpRequest) -> None:
        super().__init__(agent, request.POST if request.method == "POST" else None)
        self.request = request
        self.fields["old_password"].label = "Current password"
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password1"].help_text = "At least 8 characters, and hard to guess."
        self.fields["new_password2"].help_text = ""

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        name = self.user.get_username()
        if authenticate(self.request, username=name, password=password) is None:
            raise forms.ValidationError(
                self.error_messages["password_incorrect"], code="password_incorrect"
            )
        return password
