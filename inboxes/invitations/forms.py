from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from inboxes.invitations import actions
from inboxes.models import Agent, OneTimeLink
from inboxes.sign_in.forms import PasswordsBusyMixin

TAKEN = "Somebody here has that username already. Choose another one."
NO_USERNAME = "Use letters, digits and @ . + - _ only, without spaces."
_HARD_TO_GUESS = "At least 8 characters, and hard to guess."


class ChoosePasswordForm(PasswordsBusyMixin, forms.Form):
    """Take the new password of an agent who follows a reset link."""

    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=1024,
        help_text=_HARD_TO_GUESS,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, request: HttpRequest, link: OneTimeLink) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        self.link = link

    @property
    def agent(self) -> Agent:
        """Return whose password it will be; it may not resemble their name."""
        return self.link.agent or Agent()

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, self.agent)
        return password


class JoinForm(ChoosePasswordForm):
    """Take the name, username and password that a newcomer chooses."""

    display_name = forms.CharField(
        label="Your name",
        max_length=120,
        help_text="The name that colleagues see.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    username = forms.CharField(
        label="Username",
        max_length=150,
        help_text="You sign in with it, and colleagues mention you by it: @ana.",
        error_messages={"max_length": "That's too long: 150 characters at most."},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
            }
        ),
    )
    field_order = ("display_name", "username", "password")

    def __init__(self, request: HttpRequest, link: OneTimeLink) -> None:
        super().__init__(request, link)
        self.fields["display_name"].initial = link.name
        self.fields["password"].label = "Password"

    @property
    def agent(self) -> Agent:
        return Agent(
            username=self.cleaned_data.get("username", ""),
            display_name=self.cleaned_data.get("display_name", ""),
            email=self.link.email,
        )

    def clean_username(self) -> str:
        username: str = Agent.normalize_username(self.cleaned_data["username"])
        try:
            UnicodeUsernameValidator()(username)
        except ValidationError:
            raise ValidationError(NO_USERNAME, code="invalid") from None
        if actions.is_username_taken(username):
            raise ValidationError(TAKEN, code="taken")
        return username

    def add_taken(self) -> None:
        """Say that somebody took the username while the form was being sent."""
        self.add_error("username", ValidationError(TAKEN, code="taken"))

    def values(self) -> dict[str, Any]:
        """Return what `accept` takes, of a valid form."""
        return {name: self.cleaned_data[name] for name in self.field_order}


class LostPasswordForm(forms.Form):
    """Read who asks for a new password."""

    login = forms.CharField(
        label="Username or e-mail address",
        max_length=254,
        error_messages={"required": "Enter your username or your e-mail address."},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
            }
        ),
    )
