"""Carrier accounts, numbers, opt-outs, and the quarantine. Conversations are not shown here."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Min, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timesince import timesince

from inboxes.actions import announce_inbox
from inboxes.models import Inbox
from messaging.actions import replay_webhook
from messaging.actions.optouts import end_opt_out, note_opt_out
from messaging.carriers import CARRIERS
from messaging.carriers.base import CredentialField
from messaging.encryption import UndecryptableError
from messaging.models import CarrierAccount, Message, Number, OptOut, Webhook
from threads import addresses

PREFIX = "credential_"


def _stored(account: CarrierAccount) -> dict[str, str] | None:
    """None when what is stored cannot be decrypted."""
    if not account.encrypted_credentials:
        return {}
    try:
        return account.get_credentials()
    except UndecryptableError:
        return None


class AccountForm(forms.ModelForm[CarrierAccount]):
    """Secrets go in and never come out: an empty field keeps what is stored."""

    class Meta:
        model = CarrierAccount
        fields = ("carrier", "name", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "carrier" in self.fields:
            choices = [(name, carrier.label) for name, carrier in CARRIERS.items()]
            self.fields["carrier"] = forms.ChoiceField(choices=choices)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance._state.adding:
            return values
        stored = _stored(self.instance) or {}
        for field in self.instance.adapter.credential_fields:
            given = values.get(PREFIX + field.name)
            if field.is_required and not given and not stored.get(field.name):
                self.add_error(PREFIX + field.name, "This is needed to use the account.")
        return values

    def credentials(self) -> dict[str, str]:
        """What is to be stored: the new values over the old ones."""
        given = {
            name.removeprefix(PREFIX): value.strip()
            for name, value in self.cleaned_data.items()
            if name.startswith(PREFIX) and value
        }
        return (_stored(self.instance) or {}) | given


def _credential_field(field: CredentialField, *, is_stored: bool) -> forms.CharField:
    kept = "Stored. Leave empty to keep it." if is_stored else "Not stored yet."
    return forms.CharField(
        label=field.label,
        required=False,
        help_text=" ".join(filter(None, [field.help_text, kept])),
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )


@admin.register(CarrierAccount)
class CarrierAccountAdmin(admin.ModelAdmin[CarrierAccount]):
    form = AccountForm
    list_display = ("name", "carrier", "is_active", "status", "rejected_count", "last_rejected_at")
    list_filter = ("carrier", "is_active")
    search_fields = ("name", "numbers__address")

    def get_form(
        self,
        request: HttpRequest,
        obj: CarrierAccount | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        if obj is None:
            kwargs["fields"] = ("carrier", "name")
            return super().get_form(request, obj, change, **kwargs)
        stored = _stored(obj) or {}
        secrets: dict[str, Any] = {
            PREFIX + field.name: _credential_field(field, is_stored=bool(stored.get(field.name)))
            for field in obj.adapter.credential_fields
        }
        kwargs["fields"] = ("name", "is_active")
        kwargs["form"] = type("AccountForm", (AccountForm,), secrets)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: CarrierAccount | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("carrier", "name")})]
        secrets = [PREFIX + field.name for field in obj.adapter.credential_fields]
        rejections = ("rejected_count", "last_rejected_at", "last_rejection")
        return [
            (None, {"fields": ("carrier", "name", "is_active", "status", "webhook_address")}),
            ("Secrets", {"fields": secrets}),
            ("Rejected webhooks", {"fields": rejections}),
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: CarrierAccount | None = None
    ) -> tuple[str, ...]:
        shown = (
            "status",
            "webhook_address",
            "rejected_count",
            "last_rejected_at",
            "last_rejection",
        )
        return () if obj is None else ("carrier", *shown)

    @admin.display(description="secrets")
    def status(self, account: CarrierAccount) -> str:
        stored = _stored(account)
        if stored is None:
            return "Cannot be decrypted with FIELD_KEYS: enter them again"
        missing = [
            field.label
            for field in account.adapter.credential_fields
            if field.is_required and not stored.get(field.name)
        ]
        return f"Missing: {', '.join(missing)}" if missing else "Complete"

    @admin.display(description="webhook address")
    def webhook_address(self, account: CarrierAccount) -> str:
        return account.webhook_url

    def save_model(
        self, request: HttpRequest, obj: CarrierAccount, form: Any, change: bool
    ) -> None:
        if not change:
            obj.set_credentials({})
            obj.save()
            return
        obj.set_credentials(form.credentials())
        obj.save(update_fields=["name", "is_active", "encrypted_credentials"])

    def response_add(
        self, request: HttpRequest, obj: CarrierAccount, post_url_continue: str | None = None
    ) -> HttpResponse:
        """On to its secrets: which ones there are depends on the carrier."""
        self.message_user(request, "Now enter the secrets of this account.", messages.INFO)
        return redirect(reverse("admin:messaging_carrieraccount_change", args=[obj.pk]))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Messages point to it; an account that is given up is deactivated."""
        return False


class NumberForm(forms.ModelForm[Number]):
    def clean_address(self) -> str:
        address, kind = addresses.normalise(self.cleaned_data["address"])
        if kind == "name":
            raise forms.ValidationError(
                "This is no number: write it like +12025550110, or a short code."
            )
        return address


@admin.register(Number)
class NumberAdmin(admin.ModelAdmin[Number]):
    form = NumberForm
    fields = ("address", "account", "inbox", "segments_per_second")
    autocomplete_fields = ("account", "inbox")
    list_display = ("address", "inbox", "account", "rate", "waiting")
    list_filter = ("account",)
    list_select_related = ("inbox", "account")
    search_fields = ("address", "inbox__name", "account__name")

    def get_readonly_fields(self, request: HttpRequest, obj: Number | None = None) -> Any:
        return () if obj is None else ("address",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Number]:
        queued = Message.objects.waiting_to_be_sent().filter(inbox=OuterRef("inbox"))
        grouped = queued.order_by().values("inbox")
        return (
            super()
            .get_queryset(request)
            .annotate(
                queued=Subquery(grouped.annotate(number=Count("pk")).values("number")),
                oldest=Subquery(grouped.annotate(first=Min("created_at")).values("first")),
            )
        )

    @admin.display(description="segments per second")
    def rate(self, number: Number) -> str:
        return f"{number.rate:g}"

    @admin.display(description="waiting texts")
    def waiting(self, number: Any) -> str:
        if not number.queued:
            return "none"
        return f"{number.queued}, the oldest for {timesince(number.oldest, depth=1)}"

    def save_model(self, request: HttpRequest, obj: Number, form: Any, change: bool) -> None:
        touched = {obj.inbox_id}
        if change and "inbox" in form.initial:
            touched.add(form.initial["inbox"])
        super().save_model(request, obj, form, change)
        for inbox in Inbox.objects.filter(pk__in=touched).order_by("pk"):
            announce_inbox(inbox=inbox)


@admin.register(Webhook)
class WebhookAdmin(admin.ModelAdmin[Webhook]):
    """The quarantine: what a carrier said and we could not use, raw."""

    list_display = ("received_at", "account", "reason")
    list_filter = ("account", "received_at")
    list_select_related = ("account",)
    fields = ("received_at", "account", "reason", "path", "headers", "raw_body")
    actions = ("replay",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        return Webhook.objects.quarantined().select_related("account")

    @admin.display(description="body")
    def raw_body(self, webhook: Webhook) -> str:
        return bytes(webhook.body).decode(errors="backslashreplace")

    @admin.action(description="Try again", permissions=["view"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        results = [replay_webhook(webhook=webhook) for webhook in queryset.order_by("pk")]
        understood = sum(results)
        self.message_user(
            request,
            f"{understood} understood this time, {len(results) - understood} still not.",
            messages.SUCCESS if understood else messages.WARNING,
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OptOutForm(forms.ModelForm[OptOut]):
    """An opt-out that an administrator was told of by other means."""

    number = forms.ModelChoiceField(Number.objects.order_by("address"), label="our number")

    class Meta:
        model = OptOut
        fields = ("address",)
        labels: ClassVar = {"address": "their number"}

    def clean_address(self) -> str:
        try:
            return addresses.typed_number(self.cleaned_data["address"])
        except addresses.NoNumber as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(OptOut)
class OptOutAdmin(admin.ModelAdmin[OptOut]):
    """Who wants no texts from which number. One can be noted and ended, and none is deleted."""

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
        """Noted by the action that all take; an administrator's form only asks for it."""
        return note_opt_out(
            our_address=form.cleaned_data["number"].address, address=form.cleaned_data["address"]
        )

    def save_model(self, request: HttpRequest, obj: OptOut, form: Any, change: bool) -> None:
        """It stands already."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """There is nothing beside it."""

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
