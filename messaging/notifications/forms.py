"""Forms of the pages about notifications."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from inboxes.emails import sends_email
from inboxes.models import Agent, Inbox
from messaging import base64url
from messaging.models import EmailPreference, NotificationPreference
from messaging.models.email_preferences import MINUTES
from messaging.notifications import webpush
from messaging.notifications.lists import Cursor

Level = NotificationPreference.Level

_UNASSIGNED_TOO = "Here “Mine and mentions” covers conversations that are nobody's too."


class NotificationListForm(forms.Form):
    """Read the query string of the notifications page."""

    after = forms.CharField(max_length=32, required=False, strip=False)

    def clean_after(self) -> Cursor | None:
        key: str = self.cleaned_data["after"]
        if not key:
            return None
        try:
            return Cursor.from_key(key)
        except ValueError as error:
            raise ValidationError("This is no place in the list.") from error


class MuteForm(forms.Form):
    """Read 1 to mute, 0 to unmute."""

    muted = forms.TypedChoiceField(choices=[("1", "Mute"), ("0", "Unmute")], coerce=int)


class SettingsForm(forms.Form):
    """Choose how much of each inbox to be notified of, whether with a sound, and by e-mail."""

    has_sound = forms.BooleanField(required=False, label="Play a short sound")
    email_after = forms.TypedChoiceField(
        required=False,
        label="E-mail about what I missed",
        choices=[("", "Never"), *((n, f"After {n} minutes") for n in MINUTES)],
        coerce=int,
        empty_value=None,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, agent: Agent, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email_preference = EmailPreference.objects.filter(agent=agent).first()
        if self.email_preference is not None:
            self.fields["email_after"].initial = self.email_preference.minutes
        if not (sends_email() and agent.email):
            del self.fields["email_after"]
        self.inboxes = list(Inbox.objects.visible_to(agent).order_by("owner", "name", "pk"))
        levels = dict(agent.notification_preferences.values_list("inbox", "level"))
        self.fields["has_sound"].initial = agent.has_sound
        for inbox in self.inboxes:
            self.fields[f"inbox_{inbox.pk}"] = _level_field(
                inbox, levels.get(inbox.pk, Level.EVERYTHING)
            )

    @property
    def levels(self) -> list[forms.BoundField]:
        return [self[f"inbox_{inbox.pk}"] for inbox in self.inboxes]

    def chosen_levels(self) -> dict[int, NotificationPreference.Level]:
        """Return the level of each inbox, by its key."""
        return {inbox.pk: Level(self.cleaned_data[f"inbox_{inbox.pk}"]) for inbox in self.inboxes}


def _level_field(inbox: Inbox, chosen: str) -> forms.ChoiceField:
    """Return the choice of a level; on a personal line everything is its owner's."""
    levels = [one for one in Level if one != Level.MINE or not inbox.is_personal]
    is_for_all = not inbox.is_personal and inbox.unassigned_notifies
    return forms.ChoiceField(
        label=inbox.name,
        choices=[(one.value, one.label) for one in levels],
        initial=chosen,
        widget=forms.RadioSelect,
        help_text=_UNASSIGNED_TOO if is_for_all else "",
    )


class SubscriptionForm(forms.Form):
    """Read a browser's push subscription (RFC 8291: an uncompressed point, 16 bytes)."""

    endpoint = forms.CharField(max_length=1024)
    p256dh = forms.CharField(max_length=128)
    auth = forms.CharField(max_length=64)

    def clean_endpoint(self) -> str:
        endpoint: str = self.cleaned_data["endpoint"]
        try:
            webpush.check_endpoint(endpoint)
        except webpush.BadEndpoint as error:
            raise ValidationError(str(error)) from error
        return endpoint

    def clean_p256dh(self) -> str:
        key: str = self.cleaned_data["p256dh"]
        try:
            webpush.read_public_key(key)
        except ValueError as error:
            raise ValidationError("This is no public key.") from error
        return key

    def clean_auth(self) -> str:
        auth: str = self.cleaned_data["auth"]
        try:
            is_right = len(base64url.decode(auth)) == 16
        except ValueError:
            is_right = False
        if not is_right:
            raise ValidationError("This is no authentication secret.")
        return auth
