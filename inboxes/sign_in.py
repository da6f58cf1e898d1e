"""The forms by which people sign in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from inboxes import passwords

BUSY = "Many people are signing in just now. Try again in a few seconds."


class BusyFormMixin(forms.Form):
    """Say so where the password cannot be checked now; what else was typed stays in the form."""

    is_busy = False

    def clean(self) -> dict[str, Any]:
        # Looked at first, so that who cannot be served costs the database nothing.
        if passwords.queue.is_full:
            raise self._busy()
        try:
            return super().clean() or self.cleaned_data
        except passwords.PasswordsBusy:
            raise self._busy() from None

    def _busy(self) -> forms.ValidationError:
        self.is_busy = True
        return forms.ValidationError(BUSY, code="busy")


class SignInForm(BusyFormMixin, AuthenticationForm):
    """Django's, for agents."""
