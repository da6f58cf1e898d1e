"""Show an inbox's hours and closed days in the administration."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from inboxes.hours.forms import ClosedDayForm, HoursForm
from inboxes.hours.opening import Hours
from inboxes.hours.public_holidays import list_parts, next_holidays
from inboxes.hours.words import describe_hours
from inboxes.models import ClosedDay, Inbox
from inboxes.times import format_date

NEXT_HOLIDAYS = 5
TWICE = "That day is in the list already."

FIELDSETS = (
    (
        "Hours",
        {
            "fields": (
                "weekly_hours",
                "time_zone",
                "holiday_country",
                "holiday_part",
                "how_hours_read",
            ),
            "description": (
                "When people answer here. A day without times is closed, and an inbox without any "
                "is never closed. Hours may go on past midnight."
            ),
        },
    ),
    (
        "Automatic answers",
        {"fields": ("answers_when_closed", "closed_text", "greets", "greeting_text")},
    ),
)


def read_out(inbox: Inbox) -> SafeString:
    """Return in words when an inbox is open, and the next holidays."""
    return render_to_string("admin/inboxes/inbox/_hours_read.html", _reading_of(inbox))


def _reading_of(inbox: Inbox) -> dict[str, Any]:
    hours = Hours.from_columns(inbox.weekly_hours, inbox.time_zone, inbox.holiday_region, ())
    if inbox.pk:
        hours = Hours.of(inbox)
    today = timezone.localdate(timezone=hours.zone)
    coming = next_holidays(inbox.holiday_region, today, NEXT_HOLIDAYS)
    return {
        "sentence": describe_hours(hours),
        "holidays": [(name.replace("; ", ", "), format_date(day)) for day, name in coming],
        "has_region": bool(inbox.holiday_region),
    }


def preview_hours(request: HttpRequest) -> HttpResponse:
    """Say how hours read that are typed and not saved yet, and list the country's regions."""
    form = HoursForm(request.GET, instance=Inbox())
    form.is_valid()
    inbox = Inbox(
        weekly_hours=form.cleaned_data.get("weekly_hours", []),
        time_zone=form.cleaned_data.get("time_zone", ""),
        holiday_region=form.cleaned_data.get("holiday_part", "")
        or form.cleaned_data.get("holiday_country", ""),
    )
    context = {
        **_reading_of(inbox),
        "errors": form.errors.get("weekly_hours"),
        "parts": list_parts(inbox.holiday_region.partition("-")[0]),
        "part": form.cleaned_data.get("holiday_part", ""),
    }
    return render(request, "admin/inboxes/inbox/hours_preview.html", context)


class ClosedDayFormSet(BaseInlineFormSet[ClosedDay, Inbox, ModelForm[ClosedDay]]):
    """Read the closed days of an inbox; a form without this part changes none."""

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        total = f"{kwargs.get('prefix') or self.get_default_prefix()}-TOTAL_FORMS"
        if data is not None and total not in data:
            data = {total: "0", total.replace("TOTAL", "INITIAL"): "0"}
        super().__init__(data, *args, **kwargs)

    def get_unique_error_message(self, unique_check: Any) -> str:
        return TWICE

    def get_form_error(self) -> str:
        return TWICE

    def add_fields(self, form: Any, index: int | None) -> None:
        """Name the fields, and the box that removes a day by the day."""
        super().add_fields(form, index)
        for name, words in (("date", "Day"), ("name", "Name")):
            form.fields[name].widget.attrs["aria-label"] = words
        if "DELETE" in form.fields:
            words = f"Remove {form.instance.date or ''}".strip()
            form.fields["DELETE"].widget.attrs["aria-label"] = words


class ClosedDayInline(admin.TabularInline[ClosedDay, Inbox]):
    """The closed days to come; those that are over are kept, and not shown."""

    model = ClosedDay
    form = ClosedDayForm
    formset = ClosedDayFormSet
    extra = 1
    fields = ("date", "name")
    verbose_name = "closed day"
    verbose_name_plural = "closed days"
    ordering: ClassVar = ("date",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let whoever may change the inbox change its closed days; so do the others below."""
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClosedDay]:
        today = timezone.localdate()
        return super().get_queryset(request).filter(date__gte=today - timedelta(days=1))
