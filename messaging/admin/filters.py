"""Filters of the administration's lists, in administrators' words."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from messaging.administration.accounts import find_failing_accounts
from messaging.administration.numbers import not_checked, not_compared, not_receiving
from messaging.administration.troubles import LATELY
from messaging.models import Attempt, CarrierAccount, Message, Number, OptOut


class AccountStateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failing", "Failing"), ("rejected", "With refused requests"), ("off", "Off")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[CarrierAccount]
    ) -> QuerySet[CarrierAccount]:
        now = timezone.now()
        match self.value():
            case "failing":
                return queryset.filter(pk__in=[one.pk for one in find_failing_accounts(now)])
            case "rejected":
                return queryset.filter(last_rejected_at__gte=now - LATELY)
            case "off":
                return queryset.filter(is_active=False)
        return queryset


class WaitingTextsFilter(admin.SimpleListFilter):
    title = "waiting texts"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Some wait")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Number]) -> QuerySet[Number]:
        if self.value() != "yes":
            return queryset
        waiting = Message.objects.waiting_to_be_sent().order_by()
        return queryset.filter(inbox__in=waiting.values("inbox"))


class ReceivingFilter(admin.SimpleListFilter):
    title = "receiving"
    parameter_name = "watch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("not_receiving", "Not receiving"), ("not_checked", "Not checked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Number]) -> QuerySet[Number]:
        match self.value():
            case "not_receiving":
                return queryset.filter(pk__in=not_receiving().values("pk"))
            case "not_checked":
                return queryset.filter(pk__in=not_checked(timezone.now()).values("pk"))
        return queryset


class ComparisonFilter(admin.SimpleListFilter):
    title = "comparison with the carrier"
    parameter_name = "compared"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failing", "Fails")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Number]) -> QuerySet[Number]:
        if self.value() != "failing":
            return queryset
        return queryset.filter(pk__in=[number.pk for number in not_compared()])


class AttemptTimeFilter(admin.SimpleListFilter):
    title = "time"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("day", "Last 24 hours")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> QuerySet[Attempt]:
        if self.value() != "day":
            return queryset
        return queryset.filter(started_at__gte=timezone.now() - LATELY)


class AttemptReasonFilter(admin.SimpleListFilter):
    title = "reason"
    parameter_name = "why"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("opted_out", "Opted out"), ("other", "Anything else")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> QuerySet[Attempt]:
        is_opt_out = Q(error_class="opted_out")
        match self.value():
            case "opted_out":
                return queryset.filter(is_opt_out)
            case "other":
                return queryset.exclude(is_opt_out)
        return queryset


class AttemptStateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "Failed"), ("unknown", "Unknown")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> QuerySet[Attempt]:
        state = self.value()
        return queryset.filter(state=state) if state in {"failed", "unknown"} else queryset


class OptOutFilter(admin.SimpleListFilter):
    title = "in force"
    parameter_name = "ended"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "In force"), ("yes", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OptOut]) -> QuerySet[OptOut]:
        match self.value():
            case "no":
                return queryset.filter(ended_at=None)
            case "yes":
                return queryset.filter(ended_at__isnull=False)
        return queryset
