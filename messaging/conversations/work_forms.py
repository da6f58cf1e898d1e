"""Forms of a team's work: to whom a conversation is assigned, and until when it is snoozed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from inboxes.integers import MAX_BIGINT, IntegerField, read_integer
from inboxes.models import Agent
from messaging.conversations.schedule_forms import (
    LocalTimeField,
    check_send_at,
    local_to_utc,
)

MORNING = time(8)
LATEST_TODAY = time(22)
LATER = timedelta(hours=3)
PRESETS = ["later", "tomorrow", "monday"]
CHOOSE = "Choose a date and time."


class AssignForm(forms.Form):
    """Read to whom: an agent's key, `me`, or nothing for nobody. The answer is a key, or None."""

    assignee = forms.CharField(required=False, strip=False)

    def __init__(self, *args: Any, agent: Agent, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.agent = agent

    def clean_assignee(self) -> int | None:
        given: str = self.cleaned_data["assignee"]
        if given in {"", "me"}:
            return self.agent.pk if given else None
        key = read_integer(given)
        if key is None:
            raise ValidationError("This is no such number.")
        return key


class SnoozeForm(forms.Form):
    """Read until when, in the time zone of the page. `until` is the moment.

    `message` is the newest message that the page showed, if it says so.
    """

    when = forms.ChoiceField(
        choices=[(name, name) for name in (*PRESETS, "date")],
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )
    date = forms.CharField(required=False, max_length=20)
    time = forms.CharField(required=False, max_length=20)
    message = IntegerField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        zone = timezone.get_current_timezone()
        when = cleaned.get("when")
        if when == "date":
            cleaned["until"] = check_send_at(self._read_moment(cleaned, zone))
        elif when:
            cleaned["until"] = preset_moment(when, zone, timezone.now())
        return cleaned

    @property
    def shown_upto(self) -> int:
        return self.cleaned_data["message"] or MAX_BIGINT

    def _read_moment(self, cleaned: dict[str, Any], zone: tzinfo) -> datetime:
        day, hour = cleaned.get("date"), cleaned.get("time")
        if not day or not hour:
            raise ValidationError(CHOOSE)
        local = LocalTimeField().clean(f"{day}T{hour}")
        return local_to_utc(local, ZoneInfo(str(zone)))


def preset_moment(when: str, zone: tzinfo, now: datetime) -> datetime:
    """Return the moment of one of PRESETS, by the clocks of a time zone.

    Later today is in three hours, at a full hour. Where that is past ten in the evening, it is
    tomorrow morning.
    """
    today = now.astimezone(zone).date()
    if when == "later":
        near = now.astimezone(UTC) + LATER + timedelta(minutes=30)
        local = near.astimezone(zone)
        hour = near - timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        later = hour.astimezone(zone)
        if later.date() == today and later.time() <= LATEST_TODAY:
            return hour
    days = 1 if when != "monday" else 7 - today.weekday()
    morning = datetime.combine(today + timedelta(days=days), MORNING)
    return local_to_utc(morning, ZoneInfo(str(zone)))
