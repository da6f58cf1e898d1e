"""Administer numbers: where they route, how fast they send, whether all of their texts arrived."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Min, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from django.utils.timesince import timesince

from inboxes.badges import Tone, badge
from inboxes.times import time_element
from messaging.admin import number_watch
from messaging.admin.accounts import NOT_HERE
from messaging.admin.filters import ComparisonFilter, ReceivingFilter, WaitingTextsFilter
from messaging.carriers import UnknownCarrier
from messaging.models import Message, Number, NumberConnection
from messaging.models.connections import unchecked_since
from messaging.stream.replies import follow_number
from threads import addresses


class NumberForm(forms.ModelForm[Number]):
    def clean_address(self) -> str:
        address, kind = addresses.normalise_address(self.cleaned_data["address"])
        if kind == "name":
            raise forms.ValidationError(
                "That isn't a number. Enter it like +12025550110, or enter a short code."
            )
        return address


@admin.register(Number)
class NumberAdmin(admin.ModelAdmin[Number]):
    form = NumberForm
    fields = ("address", "account", "inbox", "segments_per_second")
    autocomplete_fields = ("account", "inbox")
    list_display = ("shown", "inbox", "account", "receiving", "rate", "waiting", "compared")
    ordering = ("address",)
    actions = None  # one by one: each may have to be given back at its carrier
    list_filter = (ReceivingFilter, WaitingTextsFilter, ComparisonFilter, "account")
    list_select_related = ("inbox", "account", "comparison")
    search_fields = ("address", "inbox__name", "account__name")

    def get_urls(self) -> list[Any]:
        mine = path(
            "<path:object_id>/connection/",
            self.admin_site.admin_view(self.change_connection),
            name="messaging_number_connection",
        )
        return [mine, *super().get_urls()]

    def change_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Check the number at its carrier, set it back, or give it back. Only by POST."""
        number = self.get_object(request, object_id)
        if number is None or not number.account.is_known:
            raise Http404("No such number.")
        if not self.has_change_permission(request, number):
            raise PermissionDenied
        if request.method == "POST":
            number_watch.do_deed(request, number, request.POST.get("deed", ""))
        return redirect("admin:messaging_number_change", number.pk)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        number = kwargs.get("obj")
        if number is not None and number.account.is_known:
            context["watch"] = number_watch.find_watch(number)
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer to give the number back at its carrier; if that fails, nothing is deleted."""
        number = self.get_object(request, object_id)
        context = {}
        if number is not None and number.account.is_known:
            watch = number_watch.find_watch(number)
            context = {"watch": watch}
            if request.method == "POST" and request.POST.get("give_back") and watch.connection:
                if not self.has_delete_permission(request, number):
                    raise PermissionDenied
                if not number_watch.give_back(request, watch.connection):
                    return redirect("admin:messaging_number_delete", number.pk)
        return super().delete_view(request, object_id, {**context, **(extra_context or {})})

    def get_readonly_fields(self, request: HttpRequest, obj: Number | None = None) -> Any:
        return () if obj is None else ("address",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Number]:
        queued = Message.objects.waiting_to_be_sent().filter(inbox=OuterRef("inbox"))
        watched = NumberConnection.objects.filter(
            address=OuterRef("address"), account=OuterRef("account")
        )
        grouped = queued.order_by().values("inbox")
        return (
            super()
            .get_queryset(request)
            .annotate(
                watch_state=Subquery(watched.values("state")[:1]),
                watch_good_at=Subquery(watched.values("good_at")[:1]),
                queued=Subquery(grouped.annotate(number=Count("pk")).values("number")),
                oldest=Subquery(grouped.annotate(first=Min("created_at")).values("first")),
            )
        )

    @admin.display(description="number", ordering="address")
    def shown(self, number: Number) -> str:
        return number.display

    @admin.display(description="receiving")
    def receiving(self, number: Any) -> str:
        """Say what the carrier told last of where the texts go."""
        if number.watch_state is None:
            return "not watched"
        state = NumberConnection.State(number.watch_state)
        since = unchecked_since(number.watch_good_at)
        if state == NumberConnection.State.OURS and since:
            words = format_html("Not checked since {}", time_element(since, "inline"))
            return badge(words, "bad")
        tones: dict[str, Tone] = {"ours": "good", "changed": "bad", "gone": "bad"}
        return badge(state.label, tones.get(state, "plain"))

    @admin.display(description="segments per second")
    def rate(self, number: Number) -> str:
        try:
            return f"{number.rate:g}"
        except UnknownCarrier:
            return "–"

    @admin.display(description="waiting texts")
    def waiting(self, number: Any) -> str:
        if not number.queued:
            return "none"
        return f"{number.queued}, oldest {timesince(number.oldest, depth=1)} ago"

    @admin.display(description="compared with the carrier")
    def compared(self, number: Number) -> str:
        """Say whether texts were lost on their way here."""
        try:
            capabilities = number.account.adapter.capabilities
        except UnknownCarrier:
            return NOT_HERE
        if not capabilities.can_list_inbound:
            return "not possible with this carrier"
        comparison = getattr(number, "comparison", None)
        if comparison is None:
            return "not yet"
        found = f"{comparison.found_count or 'no'} missing texts found"
        ago = f"{timesince(comparison.tried_at, depth=1)} ago"
        return f"{ago}: {comparison.trouble or found}"

    def save_model(self, request: HttpRequest, obj: Number, form: Any, change: bool) -> None:
        touched = {obj.inbox_id}
        if change and "inbox" in form.initial:
            touched.add(form.initial["inbox"])
        moved = {"address", "inbox"} & set(form.changed_data)
        super().save_model(request, obj, form, change)
        for inbox_id in sorted(touched):
            follow_number(inbox_id=inbox_id, our_addresses=[obj.address] if moved else [])
        if change and "account" in form.changed_data:
            number_watch.leave_other_account(request, obj)

    def delete_model(self, request: HttpRequest, obj: Number) -> None:
        super().delete_model(request, obj)
        follow_number(inbox_id=obj.inbox_id, our_addresses=[obj.address])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Number]) -> None:
        gone = sorted(queryset.values_list("inbox", "address"))
        super().delete_queryset(request, queryset)
        for inbox_id, address in gone:
            follow_number(inbox_id=inbox_id, our_addresses=[address])
