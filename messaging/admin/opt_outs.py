"""Administer opt-outs."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from inboxes.requests import signed_in_agent
from inboxes.times import time_element
from messaging.admin.filters import OptOutFilter
from messaging.models import Number, OptOut, OptOutSettings
from messaging.outbound.opt_outs import end_opt_out, record_opt_out
from threads import addresses

SHORT_SOURCES = {
    OptOut.Source.KEYWORD: "Text",
    OptOut.Source.CARRIER: "Carrier refusal",
    OptOut.Source.MEMBER: "Member",
    OptOut.Source.ADMINISTRATOR: "Administrator",
}


class OptOutForm(forms.ModelForm[OptOut]):
    """Take an opt-out that an administrator learned of in another way."""

    number = forms.ModelChoiceField(
        Number.objects.order_by("address"), label="our number", empty_label="Choose one"
    )

    class Meta:
        model = OptOut
        fields = ("address", "reason")
        labels: ClassVar = {"address": "their number"}
        help_texts: ClassVar = {"reason": "How they asked for it, such as “by phone”."}

    def clean_address(self) -> str:
        try:
            return addresses.parse_typed_number(self.cleaned_data["address"])
        except addresses.InvalidNumber as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(OptOut)
class OptOutAdmin(admin.ModelAdmin[OptOut]):
    """Show who wants no texts from which number. One can be added and ended; none is deleted."""

    form = OptOutForm
    list_display = ("address", "from_numbers", "began", "how", "recorded_by", "ended")
    list_select_related = ("recorded_by",)
    list_filter = (
        OptOutFilter,
        "source",
        "our_address",
    )
    search_fields = ("our_address", "address", "reason", "end_reason")
    ordering = ("-since", "-pk")
    actions = ("end",)
    shown = (
        "our_address",
        "address",
        "is_for_all",
        "since",
        "source",
        "recorded_by",
        "reason",
        "text",
        "ended_at",
        "ended_how",
        "ended_by",
        "end_reason",
        "end_text",
    )

    def get_fields(self, request: HttpRequest, obj: OptOut | None = None) -> Any:
        return ("number", "address", "reason") if obj is None else self.shown

    def get_readonly_fields(self, request: HttpRequest, obj: OptOut | None = None) -> Any:
        return () if obj is None else self.shown

    @admin.display(description="since", ordering="since")
    def began(self, opt_out: OptOut) -> str:
        return time_element(opt_out.since, "past")

    @admin.display(description="ended", ordering="ended_at")
    def ended(self, opt_out: OptOut) -> str:
        return time_element(opt_out.ended_at, "past") or "no"

    @admin.display(description="our number", ordering="our_address")
    def from_numbers(self, opt_out: OptOut) -> str:
        return "all our numbers" if opt_out.is_for_all else opt_out.our_address

    @admin.display(ordering="source")
    def how(self, opt_out: OptOut) -> str:
        return SHORT_SOURCES[OptOut.Source(opt_out.source)]

    @admin.display(description="by text")
    def text(self, opt_out: OptOut) -> str:
        """Name the text by its key only: the administration shows no conversations."""
        return f"Message {opt_out.message_id}" if opt_out.message_id else "–"

    @admin.display(description="ended by text")
    def end_text(self, opt_out: OptOut) -> str:
        return f"Message {opt_out.end_message_id}" if opt_out.end_message_id else "–"

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> OptOut:
        """Record it by the action that everything uses; the form itself saves nothing."""
        return record_opt_out(
            our_address=form.cleaned_data["number"].address,
            address=form.cleaned_data["address"],
            reason=form.cleaned_data["reason"],
            by=signed_in_agent(request),
        )

    def save_model(self, request: HttpRequest, obj: OptOut, form: Any, change: bool) -> None:
        """Do nothing: it is saved."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: it has no related rows."""

    @admin.action(description="End: they asked for texts again", permissions=["add"])
    def end(self, request: HttpRequest, queryset: QuerySet[OptOut]) -> None:
        by = signed_in_agent(request)
        reason = "They asked for texts again."
        ended = [
            opt_out
            for opt_out in queryset.order_by("pk")
            if end_opt_out(opt_out=opt_out, by=by, reason=reason)
        ]
        for opt_out in ended:
            self.log_change(request, opt_out, "Ended: they asked for texts again.")
        self.message_user(request, f"{len(ended)} ended.", messages.SUCCESS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(OptOutSettings)
class OptOutSettingsAdmin(admin.ModelAdmin[OptOutSettings]):
    """Edit the one row of settings; its changes are logged like any other."""

    fields = ("is_for_all",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the one row, which the first visit makes."""
        if not self.has_view_or_change_permission(request):
            return super().changelist_view(request, extra_context)
        row, _ = OptOutSettings.objects.get_or_create(pk=1)
        return redirect(reverse("admin:messaging_optoutsettings_change", args=[row.pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
