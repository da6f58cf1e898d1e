"""The part of an inbox's form in the administration that is about its hours."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inboxes.hours import public_holidays, typed
from inboxes.hours.texts import (
    CLOSED_PLACEHOLDERS,
    GREETING_PLACEHOLDERS,
    SAMPLE,
    fill_text,
    find_unknown,
    list_placeholders,
)
from inboxes.hours.typed import TypedWeek
from inboxes.hours.weekly import DAYS, read_week, write_week
from inboxes.hours.zones import zone_choices
from inboxes.models import ClosedDay, Inbox
from inboxes.times import WEEKDAYS, zone_names

# Fields for times that a page without scripts offers on each day beyond those that are filled in.
SPARE_SPANS = 2
LONGEST_TEXT = 640


class WeekWidget(forms.Widget):
    """Seven rows, each with when it opens and closes."""

    use_fieldset = True

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        shown = value if isinstance(value, TypedWeek) else TypedWeek.from_week(read_week(value))
        context = {
            "id": (attrs or {}).get("id", f"id_{name}"),
            "days": [self._draw_day(name, shown, day) for day in range(DAYS)],
            "most_spans": typed.MOST_SPANS,
        }
        return render_to_string("admin/inboxes/inbox/_week.html", context)

    def _draw_day(self, name: str, shown: TypedWeek, day: int) -> dict[str, Any]:
        spans = shown.days[day]
        count = min(max(len(spans) + 1, SPARE_SPANS), typed.MOST_SPANS)
        padded = [*spans, *[typed.TypedSpan()] * (count - len(spans))]
        return {
            "name": WEEKDAYS[day],
            "copied_to": [
                other for other in range(*((5,) if day < 5 else (5, 7))) if other != day
            ],
            "copied_words": "weekdays" if day < 5 else WEEKDAYS[11 - day],
            "error": shown.errors.get(day, ""),
            "spans": [
                {
                    "opens": span.opens,
                    "closes": span.closes,
                    "opens_name": typed.field_name(name, day, number, "opens"),
                    "closes_name": typed.field_name(name, day, number, "closes"),
                }
                for number, span in enumerate(padded)
            ],
        }

    def value_from_datadict(
        self, data: Mapping[str, Any], files: Any, name: str
    ) -> TypedWeek | None:
        return TypedWeek.from_data(data, name) if typed.is_in_data(data, name) else None

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return not typed.is_in_data(data, name)

    def id_for_label(self, id_: str) -> str:
        return ""


class WeekField(forms.Field):
    """Take weekly hours, and return them as they are stored."""

    widget = WeekWidget

    def clean(self, value: Any) -> list[list[list[str]]]:
        if not isinstance(value, TypedWeek):
            return []
        if value.errors:
            wrong = [f"{WEEKDAYS[day]}: {words}" for day, words in sorted(value.errors.items())]
            raise ValidationError(wrong)
        return write_week(value.week)

    def has_changed(self, initial: Any, data: Any) -> bool:
        if not isinstance(data, TypedWeek):
            return False
        return bool(data.errors) or data.week != read_week(initial)


def _describe_nothing(_: str) -> str:
    return ""


class TextWidget(forms.Textarea):
    """A text that is sent to contacts, with its segments below it.

    `describe` is given by the app that knows of segments.
    """

    describe: ClassVar[Callable[[str], str]] = staticmethod(_describe_nothing)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        given = {"rows": 3, "maxlength": LONGEST_TEXT, "dir": "auto", **(attrs or {})}
        box = super().render(name, value, given, renderer)
        return format_html(
            '{}<p class="text-size" data-size-of="{}" data-sample="{}">{}</p>',
            box,
            name,
            json.dumps(SAMPLE),
            type(self).describe(fill_text(str(value or ""), SAMPLE)),
        )


class SentTextField(forms.CharField):
    """A text that is sent to contacts without anybody reading it before."""

    widget = TextWidget

    def __init__(self, *, placeholders: Sequence[str], **options: Any) -> None:
        self.placeholders = placeholders
        super().__init__(required=False, **options)

    def clean(self, value: Any) -> str:
        text: str = super().clean(str(value or "").replace("\r\n", "\n").replace("\r", "\n"))
        if len(text) > LONGEST_TEXT:
            raise ValidationError(
                f"Use at most {LONGEST_TEXT} characters; this one has {len(text)}."
            )
        if text and not any(unicodedata.category(one)[0] in "LNPS" for one in text):
            raise ValidationError("This text has no visible characters.")
        if unknown := find_unknown(text, self.placeholders):
            raise ValidationError(
                f"{unknown[0]} can't be filled in here. You can use "
                f"{list_placeholders(self.placeholders)}."
            )
        return text


class HoursForm(forms.ModelForm[Inbox]):
    """Read an inbox's hours and what it answers by itself."""

    weekly_hours = WeekField(label="Weekly hours", required=False)
    time_zone = forms.ChoiceField(
        label="Time zone",
        required=False,
        error_messages={"invalid_choice": "Choose a time zone from the list."},
    )
    holiday_country = forms.ChoiceField(
        label="Closed on public holidays of",
        required=False,
        error_messages={"invalid_choice": "Choose a country from the list."},
    )
    holiday_part = forms.CharField(label="Region", required=False, widget=forms.Select)
    answers_when_closed = forms.BooleanField(
        label="Answer texts while it is closed",
        required=False,
        help_text=(
            "Each contact is told once in a closed period. No answer goes to short codes, groups, "
            "automatic texts, or anyone who opted out or is blocked. The text still needs a reply."
        ),
    )
    closed_text = SentTextField(
        label="Answer while closed",
        placeholders=CLOSED_PLACEHOLDERS,
        help_text=(
            f"You can use {list_placeholders(CLOSED_PLACEHOLDERS)}: “We open {{opens}}.” becomes "
            "“We open Monday at 8:00 AM.”"
        ),
    )
    greets = forms.BooleanField(
        label="Greet new contacts",
        required=False,
        help_text=(
            "Once, when someone writes for the first time. While it is closed, the answer above "
            "goes instead."
        ),
    )
    greeting_text = SentTextField(
        label="Greeting",
        placeholders=GREETING_PLACEHOLDERS,
        help_text=f"You can use {list_placeholders(GREETING_PLACEHOLDERS)}.",
    )

    class Meta:
        model = Inbox
        fields = (
            "weekly_hours",
            "time_zone",
            "answers_when_closed",
            "closed_text",
            "greets",
            "greeting_text",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inbox = self.instance
        self.initial["time_zone"] = inbox.time_zone or timezone.get_current_timezone_name()
        zones = zone_choices()
        if inbox.time_zone and inbox.time_zone not in zone_names():
            zones = [*zones, ("Not known", [(inbox.time_zone, inbox.time_zone)])]
        country = inbox.holiday_region.partition("-")[0]
        self.initial["holiday_country"] = country
        self.initial["holiday_part"] = inbox.holiday_region if "-" in inbox.holiday_region else ""
        self._set_choices("time_zone", zones)
        countries = public_holidays.list_countries()
        self._set_choices("holiday_country", [("", "No country"), *countries])
        chosen = str(self.data.get(self.add_prefix("holiday_country"), country))
        parts = public_holidays.list_parts(chosen)
        self._set_choices("holiday_part", [("", "The whole country"), *parts])

    def _set_choices(self, name: str, choices: Any) -> None:
        field: Any = self.fields.get(name)
        if isinstance(field, forms.ChoiceField):
            field.choices = choices
        elif field is not None:
            field.widget.choices = choices

    def clean_holiday_part(self) -> str:
        """Return "", for the whole country, instead of a part of another one."""
        part: str = self.cleaned_data["holiday_part"]
        parts = public_holidays.list_parts(self.cleaned_data.get("holiday_country", ""))
        return part if part in dict(parts) else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for is_on, text, why in (
            ("answers_when_closed", "closed_text", "Write the answer, or turn it off above."),
            ("greets", "greeting_text", "Write the greeting, or turn it off above."),
        ):
            if cleaned.get(is_on) and text in cleaned and not cleaned[text]:
                self.add_error(text, why)
        has_hours = bool(cleaned.get("weekly_hours")) or "weekly_hours" in self.errors
        if cleaned.get("answers_when_closed") and not has_hours:
            self.add_error(
                "answers_when_closed", "Enter hours above: without them it is never closed."
            )
        if cleaned.get("weekly_hours") and not cleaned.get("time_zone", "error"):
            self.add_error("time_zone", "Choose the time zone of these hours.")
        country = cleaned.get("holiday_country")
        if country is not None and self.add_prefix("holiday_country") in self.data:
            self.instance.holiday_region = cleaned.get("holiday_part") or country
        return cleaned


class ClosedDayForm(forms.ModelForm[ClosedDay]):
    class Meta:
        model = ClosedDay
        fields = ("date", "name")
        widgets: ClassVar = {"date": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}
        error_messages: ClassVar = {
            "date": {"required": "Choose a day.", "invalid": "Enter a day such as 2026-12-24."},
            "name": {"max_length": "A name has at most 80 characters."},
        }

    def clean_date(self) -> date:
        day: date = self.cleaned_data["date"]
        if "date" in self.changed_data and day < timezone.localdate() - timedelta(days=1):
            raise ValidationError("That day is over.")
        return day
