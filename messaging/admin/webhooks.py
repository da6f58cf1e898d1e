"""Administer the quarantine."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from inboxes.times import time_element
from messaging.inbound.receiving import replay_webhook
from messaging.models import Webhook
from messaging.stream.jobs import defer_replay


@admin.register(Webhook)
class WebhookAdmin(admin.ModelAdmin[Webhook]):
    """Show what a carrier sent and we could not use, as it came."""

    list_display = ("came", "account", "reason")
    list_filter = ("account", "received_at")
    nothing = "Nothing is in quarantine."
    list_select_related = ("account",)
    fields = ("received_at", "account", "reason", "path", "headers", "raw_body")
    actions = ("replay", "replay_cause")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        return Webhook.objects.quarantined().select_related("account")

    @admin.display(description="came", ordering="received_at")
    def came(self, webhook: Webhook) -> str:
        return time_element(webhook.received_at, "hour")

    @admin.display(description="body")
    def raw_body(self, webhook: Webhook) -> str:
        return bytes(webhook.body).decode(errors="backslashreplace")

    @admin.action(description="Try again", permissions=["view"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        results = [replay_webhook(webhook=webhook) for webhook in queryset.order_by("pk")]
        understood = sum(results)
        self.message_user(
            request,
            f"{understood} understood now, {len(results) - understood} still not.",
            messages.SUCCESS if understood else messages.WARNING,
        )

    @admin.action(description="Try again all with the same reason", permissions=["view"])
    def replay_cause(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        """Have a worker replay all of one cause: there may be thousands."""
        newest = Webhook.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        causes = set(queryset.order_by().values_list("account_id", "reason"))
        for account_id, reason in causes:
            defer_replay(account_id=account_id, reason=reason, upto=newest)
        words = "that reason" if len(causes) == 1 else f"{len(causes)} reasons"
        self.message_user(
            request,
            f"Trying all with {words} again. What is understood leaves this list.",
            messages.SUCCESS,
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
