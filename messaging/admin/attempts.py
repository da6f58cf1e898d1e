"""Show administrators why texts were not sent, in the carrier's own words."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from inboxes.badges import badge, copyable
from inboxes.times import time_element
from messaging.admin.filters import AttemptReasonFilter, AttemptStateFilter, AttemptTimeFilter
from messaging.carriers import events
from messaging.models import Attempt, DeliveryState


@admin.register(Attempt)
class AttemptAdmin(admin.ModelAdmin[Attempt]):
    """Show attempts that failed or became unknown, without the texts and whom they were for.

    The carrier's words may name a telephone number.
    """

    list_display = ("began", "inbox", "account", "outcome", "error_code", "carrier_says")
    nothing = "No text failed."
    list_filter = (AttemptTimeFilter, AttemptReasonFilter, AttemptStateFilter, "account")
    list_select_related = ("account", "message__inbox")
    ordering = ("-pk",)
    show_full_result_count = False
    fields = (
        "started_at",
        "settled_at",
        "inbox",
        "account",
        "state",
        "error_code",
        "agents_read",
        "carrier_says",
        "detail",
        "carriers_id",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempt]:
        wrong = Attempt.objects.filter(state__in=[DeliveryState.FAILED, DeliveryState.UNKNOWN])
        return wrong.select_related("account", "message__inbox")

    @admin.display(description="when")
    def began(self, attempt: Attempt) -> str:
        return time_element(attempt.started_at, "hour")

    @admin.display(description="outcome")
    def outcome(self, attempt: Attempt) -> str:
        is_failed = attempt.state == DeliveryState.FAILED
        return badge(attempt.get_state_display(), "bad" if is_failed else "plain")

    @admin.display(description="the carrier's id")
    def carriers_id(self, attempt: Attempt) -> str:
        return copyable(attempt.carrier_message_id) or "none"

    @admin.display(description="inbox")
    def inbox(self, attempt: Attempt) -> str:
        return attempt.message.inbox.name

    @admin.display(description="carrier says", empty_value="nothing")
    def carrier_says(self, attempt: Attempt) -> str:
        return attempt.carrier_words

    @admin.display(description="agents read", empty_value="nothing of their own")
    def agents_read(self, attempt: Attempt) -> str:
        kind: Any = attempt.error_class
        return events.REASONS.get(kind, "")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
