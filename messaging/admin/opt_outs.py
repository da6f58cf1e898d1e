"""Administer opt-outs."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from messaging.models import Number, OptOut
from messaging.outbound.opt_outs import end_opt_out, record_opt_out
from threads import addresses


class OptOutForm(forms.ModelForm[OptOut]):
    """Take an opt-out that an administrator learned of in another way."""

    number = forms.ModelChoiceField(Number.objects.order_by("address"), label="our number")

    class Meta:
        model = OptOut
        fields = ("address",)
        labels: ClassVar = {"address": "their number"}

    def clean_address(self) -> str:
        try:
            return addresses.parse_typed_number(self.cleaned_data["address"])
        except addresses.InvalidNumber as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(OptOut)
class OptOutAdmin(admin.ModelAdmin[OptOut]):
    """Show who wants no texts from which number. One can be added and ended; none is deleted."""

    form = OptOutForm
    list_display = ("our_address", "address", "source", "since", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "source", "our_address", "since")
    search_fields = ("our_address", "address")
    ordering = ("-since", "-pk")
    actions = ("end",)

    def get_fields(self, request: HttpRequest, obj: OptOut | None = None) -> Any:
        return ("number", "address") if obj is None else self.list_display

    def get_readonly_fields(self, request: HttpRequest, obj: OptOut | None = None) -> Any:
        return () if obj is None else self.list_display

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> OptOut:
        """Record it by the action that everything uses; the form itself saves nothing."""
        return record_opt_out(
            our_address=form.cleaned_data["number"].address, address=form.cleaned_data["address"]
        )

    def save_model(self, request: HttpRequest, obj: OptOut, form: Any, change: bool) -> None:
        """Do nothing: it is saved."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: it has no related rows."""

    @admin.action(description="End: they asked for texts again", permissions=["add"])
    def end(self, request: HttpRequest, queryset: QuerySet[OptOut]) -> None:
        ended = [opt_out for opt_out in queryset.order_by("pk") if end_opt_out(opt_out=opt_out)]
        for opt_out in ended:
            self.log_change(request, opt_out, "Ended: they asked for texts again.")
        self.message_user(request, f"{len(ended)} ended.", messages.SUCCESS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
