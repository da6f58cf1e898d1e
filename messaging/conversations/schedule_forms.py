"""Forms for scheduled texts: words, and a time in the agent's own time zone."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from inboxes import times
from inboxes.integers import IntegerField, read_integer
from messaging.conversations.forms import KeysField, SendForm, TextField, clean_text_or_files

MAX_AHEAD = timedelta(days=366)
MORNING = time(9)
LAST_SECOND = 2**32  # of Unix time, in 2106
PRESET_DAYS = [name.lower() for name in times.WEEKDAYS]
NO_TIME = "Choose a time."
NOT_INTERNAL = (
    "Internal messages can't be scheduled: your team sees them right away. Switch to the "
    "customer first."
)


class ZoneField(forms.Field):
    """Read the browser's time zone; an unknown or missing one becomes the page's."""

    widget = forms.HiddenInput

    def clean(self, value: object) -> ZoneInfo:
        name = str(value or "")
        is_known = name in times.zone_names()
        return ZoneInfo(name if is_known else timezone.get_current_timezone_name())


class LocalTimeField(forms.Field):
    """Read a day and a time from a `datetime-local` input; a time zone must make it a moment."""

    def to_python(self, value: object) -> datetime | None:
        if not value:
            return None
        try:
            hour = datetime.fromisoformat(str(value)).replace(tzinfo=None)
        except ValueError as error:
            raise ValidationError("Enter a valid date and time.") from error
        if not MINYEAR < hour.year < MAXYEAR:
            # another zone could move it out of range
            raise ValidationError("Enter a valid date and time.")
        return hour


def moment_of(seconds: int) -> datetime:
    """Return the moment of a Unix time. Raises ValidationError unless it can be scheduled for."""
    if seconds > LAST_SECOND:
        raise ValidationError(NO_TIME)
    return check_send_at(datetime.fromtimestamp(seconds, UTC))


class MomentField(IntegerField):
    """Read the moment that a button names, in seconds of Unix time; it may not be past."""

    def clean(self, value: Any) -> datetime | None:
        seconds: int | None = super().clean(value)
        return None if seconds is None else moment_of(seconds)


class RetryForm(forms.Form):
    """Read how a failed text is sent again: at once, or at the moment that a question offered."""

    later = MomentField(required=False)
    quiet_ok = forms.BooleanField(required=False)


class LaterField(forms.Field):
    """Read which button of *Send later* was pressed: a name, or the moment of a question's."""

    NAMES = ("hour", "tomorrow", *PRESET_DAYS, "at")

    def clean(self, value: Any) -> str | datetime:
        if value in self.NAMES:
            return str(value)
        seconds = read_integer(value)
        if seconds is None:
            raise ValidationError(NO_TIME)
        return moment_of(seconds)


def preset_moment(preset: str, zone: ZoneInfo) -> datetime:
    """Return the moment of `hour`, of `tomorrow` morning, or of a weekday's next morning."""
    now = timezone.now()
    if preset == "hour":
        return now + timedelta(hours=1)
    today = now.astimezone(zone).date()
    days = 1 if preset == "tomorrow" else _days_until(PRESET_DAYS.index(preset), today)
    return local_to_utc(datetime.combine(today + timedelta(days=days), MORNING), zone)


def _days_until(weekday: int, today: date) -> int:
    return (weekday - today.weekday() - 1) % 7 + 1


def local_to_utc(hour: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment of a local time.

    A time that occurs twice is the first one. One that the clocks skip is as long after the
    change.
    """
    return hour.replace(tzinfo=zone).astimezone(UTC)


def check_send_at(moment: datetime) -> datetime:
    """Return the moment. Raises ValidationError if it is past, or more than a year ahead."""
    if moment <= timezone.now():
        raise ValidationError("That time has passed. Choose a later one.")
    if moment > timezone.now() + MAX_AHEAD:
        raise ValidationError("That's too far ahead. Choose a time within a year.")
    return moment


class ScheduleForm(SendForm):
    """Read the composer after a button of *Send later*. `send_at` is the moment."""

    later = LaterField()
    at = LocalTimeField(required=False)
    zone = ZoneField(required=False)
    regardless = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("is_internal"):
            raise ValidationError(NOT_INTERNAL)
        if "later" not in cleaned or "at" not in cleaned:
            return cleaned
        cleaned["send_at"] = self._moment(cleaned["later"], cleaned["at"], cleaned["zone"])
        return cleaned

    def _moment(self, later: str | datetime, hour: datetime | None, zone: ZoneInfo) -> datetime:
        if isinstance(later, datetime):
            return later
        if later != "at":
            return check_send_at(preset_moment(later, zone))
        if hour is None:
            raise ValidationError("Choose a date and time.")
        return check_send_at(local_to_utc(hour, zone))


class SendNowForm(forms.Form):
    """Send a scheduled text now. `known` is the counter at which the page had read it.

    `attachment` names the files that it keeps; without words it needs one.
    """

    body = TextField(required=False)
    attachment = KeysField(required=False)
    has_read_placeholders = forms.BooleanField(required=False)
    quiet_ok = forms.BooleanField(required=False)
    known = IntegerField(min_value=0)

    def clean(self) -> dict[str, Any]:
        return clean_text_or_files(self)


class ChangeScheduledForm(SendNowForm):
    """Change a scheduled text.

    `scheduled_for` is its moment until now. It stays exactly that if the time is left as shown,
    also in the night in which that time occurs twice. `later` is the moment that a question's
    button offered instead.
    """

    later = MomentField(required=False)
    at = LocalTimeField(error_messages={"required": "Choose a date and time."})
    zone = ZoneField(required=False)
    regardless = forms.BooleanField(required=False)

    def __init__(self, *args: Any, scheduled_for: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scheduled_for = scheduled_for

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "later" in self.errors:
            self.add_error("at", self.errors["later"])
        elif cleaned["later"] is not None:
            cleaned["send_at"] = cleaned["later"]
        elif cleaned.get("at") is not None:
            try:
                cleaned["send_at"] = check_send_at(self._moment(cleaned["at"], cleaned["zone"]))
            except ValidationError as error:
                self.add_error("at", error)
        return cleaned

    def _moment(self, hour: datetime, zone: ZoneInfo) -> datetime:
        shown = self.scheduled_for.astimezone(zone).replace(
            tzinfo=None, second=0, microsecond=0, fold=0
        )
        return self.scheduled_for if hour == shown else local_to_utc(hour, zone)
