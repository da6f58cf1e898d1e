"""Sign-in forms: allauth's, with our limits, our names of fields and a word when it is busy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.forms import LoginForm, ReauthenticateForm
from allauth.core import context
from allauth.mfa.base import forms as codes
from allauth.mfa.webauthn import forms as passkeys
from allauth.mfa.webauthn.internal import auth as webauthn
from cryptography.exceptions import InvalidSignature
from django import forms
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.http import HttpRequest

from inboxes import passwords
from inboxes.encryption import UndecryptableError
from inboxes.models import Agent
from inboxes.sign_in import throttle, wrong_codes

BUSY_SENTENCE = "Many people are signing in right now. Try again in a few seconds."
UNKNOWN_PASSKEY = "That passkey isn't known here. Use another one, or sign in with your password."
# What reading an answer raises that no browser gave
NOT_A_PASSKEY = (AttributeError, LookupError, TypeError, ValueError, InvalidSignature)
LOST_KEY = "Codes can't be checked right now. Ask whoever runs the server."


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


class SignInForm(PasswordsBusyMixin, LoginForm):
    """Take username and password. The page's field is called `username`, as in Django."""

    def add_prefix(self, field_name: str) -> str:
        return super().add_prefix("username" if field_name == "login" else field_name)


class ConfirmPasswordForm(ReauthenticateForm):
    """Take the password of somebody who is signed in, before something dangerous."""


class CountedCodeMixin:
    """Counts wrong codes, which allauth would count in its own way, and takes spaces in them."""

    user: Any

    def clean_code(self) -> str:
        fields: dict[str, Any] = getattr(self, "cleaned_data")  # noqa: B009
        fields["code"] = "".join(str(fields["code"]).split())
        check = super().clean_code  # type: ignore[misc]
        try:
            checked: str = _check_factor(check, throttle.codes_of(self.user.pk))
        except (throttle.TooManyGuesses, forms.ValidationError):
            wrong_codes.warn(self.user)
            raise
        return checked


class CodeForm(CountedCodeMixin, codes.AuthenticateForm):
    """Take the code of the second step at sign-in."""


class ConfirmCodeForm(CountedCodeMixin, codes.ReauthenticateForm):
    """Take a code from somebody who is signed in, before something dangerous."""


class CredentialField(forms.JSONField):
    """Take what a browser says of a passkey. Nonsense of any shape is no passkey."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except (ValueError, RecursionError):  # a number of too many digits, or too deep
            raise forms.ValidationError(UNKNOWN_PASSKEY) from None


class CountedPasskeyMixin:
    """Counts wrong answers, and takes only those that were made on our own pages."""

    user: Any

    def clean_credential(self) -> Any:
        fields: dict[str, Any] = getattr(self, "cleaned_data")  # noqa: B009
        check = super().clean_credential  # type: ignore[misc]

        def check_all_of_it() -> Any:
            try:
                _require_own_origin(fields["credential"])
                return check()
            except NOT_A_PASSKEY as error:
                raise forms.ValidationError(UNKNOWN_PASSKEY) from error

        try:
            user = self.user
            of = throttle.passkeys() if user is None else throttle.passkeys_of(user.pk)
            return _check_factor(check_all_of_it, of)
        except forms.ValidationError:
            raise forms.ValidationError(UNKNOWN_PASSKEY, code="unknown_passkey") from None


class PasskeySignInForm(CountedPasskeyMixin, passkeys.LoginWebAuthnForm):
    """Take a passkey alone: it says who signs in, and that they are there."""

    credential = CredentialField()


class PasskeyStepForm(CountedPasskeyMixin, passkeys.AuthenticateWebAuthnForm):
    """Take a passkey as the second step at sign-in."""

    credential = CredentialField()


class ConfirmPasskeyForm(CountedPasskeyMixin, passkeys.ReauthenticateWebAuthnForm):
    """Take a passkey from somebody who is signed in, before something dangerous."""

    credential = CredentialField()


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


class FirstPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """Take a password from somebody who has none."""

    error_messages = NewPasswordForm.error_messages

    def __init__(self, agent: Agent, request: HttpRequest) -> None:
        super().__init__(agent, request.POST if request.method == "POST" else None)
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password1"].help_text = "At least 8 characters, and hard to guess."
        self.fields["new_password2"].help_text = ""


def _check_factor(check: Callable[[], Any], of: throttle.Subject) -> Any:
    """Return what `check` returns, or raise its ValidationError again once it is counted."""
    errors: list[forms.ValidationError] = []

    def check_once() -> Any:
        try:
            return check()
        except forms.ValidationError as error:
            errors.append(error)
        except UndecryptableError:
            errors.append(forms.ValidationError(LOST_KEY, code="lost_key"))
        return None

    found = throttle.check_guess(check_once, request=context.request, of=of)
    if found is None:
        raise errors[0]
    return found


def _require_own_origin(credential: Any) -> None:
    answer = webauthn.parse_authentication_response(credential)
    if answer.response.client_data.origin not in settings.ORIGINS:
        raise forms.ValidationError(UNKNOWN_PASSKEY, code="unknown_passkey")
