"""Sign-in forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from inboxes import passwords

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
