"""Administer carrier accounts: their secrets, their self-test, their rejected webhooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince

from inboxes.badges import badge, copyable
from inboxes.encryption import UndecryptableError
from inboxes.sign_in.confirming import confirm_changes
from inboxes.times import time_element
from messaging.accounts.credentials import complete_credentials
from messaging.accounts.self_test import Finding, run_self_test
from messaging.admin import account_numbers
from messaging.admin.filters import AccountStateFilter
from messaging.administration.accounts import find_failing_accounts
from messaging.carriers import CARRIERS, UnknownCarrier
from messaging.carriers.base import CredentialField
from messaging.models import CarrierAccount

PREFIX = "credential_"
FORGET = "forget_"
INVISIBLE = "This contains an invisible character. Copy it again, or type it."
NOT_HERE = "This carrier isn't available here."
ABOUT = ("webhook_address", "tested")


def _credential_fields(account: CarrierAccount) -> tuple[CredentialField, ...] | None:
    """Return the fields of its carrier; none for a carrier that this version doesn't know."""
    try:
        return account.adapter.credential_fields
    except UnknownCarrier:
        return None


def _stored(account: CarrierAccount) -> dict[str, str] | None:
    """Return the stored secrets; None if they cannot be decrypted."""
    if not account.encrypted_credentials:
        return {}
    try:
        return account.get_credentials()
    except UndecryptableError:
        return None


class AccountForm(forms.ModelForm[CarrierAccount]):
    """Take secrets, and never show them: an empty field keeps what is stored.

    One that is not required, such as the previous secret, is deleted by a box of its own.
    """

    class Meta:
        model = CarrierAccount
        fields = ("carrier", "name", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "carrier" in self.fields:
            choices = [
                (name, carrier.label)
                for name, carrier in CARRIERS.items()
                # Outside the demo, the set-up makes its account, with a secret of its own.
                if name != "simulator" or settings.DEMO
            ]
            self.fields["carrier"] = forms.ChoiceField(choices=choices)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance._state.adding:
            return values
        stored = _stored(self.instance) or {}
        for field in _credential_fields(self.instance) or ():
            given = values.get(PREFIX + field.name)
            if given and not given.strip().isprintable():
                self.add_error(PREFIX + field.name, INVISIBLE)
            is_needed = field.is_required and not field.is_found
            if is_needed and not given and not stored.get(field.name):
                self.add_error(PREFIX + field.name, "Enter this to use the account.")
        return values

    def credentials(self) -> dict[str, str]:
        """Return what is to be stored: the new values, and the old ones that are not to be
        deleted."""
        given = {
            name.removeprefix(PREFIX): value.strip()
            for name, value in self.cleaned_data.items()
            if name.startswith(PREFIX) and value
        }
        kept = {
            name: value
            for name, value in (_stored(self.instance) or {}).items()
            if not self.cleaned_data.get(FORGET + name)
        }
        return kept | given


def _credential_field(field: CredentialField, *, is_stored: bool) -> forms.CharField:
    kept = "Stored. Leave empty to keep it." if is_stored else "Not stored yet."
    return forms.CharField(
        label=field.label,
        required=False,
        help_text=" ".join(filter(None, [field.help_text, kept])),
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )


def _secret_fields(account: CarrierAccount) -> dict[str, forms.Field]:
    """Return the form's fields for each secret, in order."""
    stored = _stored(account) or {}
    fields: dict[str, forms.Field] = {}
    for field in _credential_fields(account) or ():
        is_stored = bool(stored.get(field.name))
        fields[PREFIX + field.name] = _credential_field(field, is_stored=is_stored)
        if is_stored and not field.is_required:
            label = f"Delete the {field.label[0].lower()}{field.label[1:]}"
            fields[FORGET + field.name] = forms.BooleanField(label=label, required=False)
    return fields


@admin.register(CarrierAccount)
class CarrierAccountAdmin(admin.ModelAdmin[CarrierAccount]):
    form = AccountForm
    list_display = ("name", "carrier_name", "state", "refused")
    list_filter = (AccountStateFilter,)
    ordering = ("name", "pk")
    search_fields = ("name", "numbers__address")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Add to each account of the page why it fails, which takes few queries for all."""
        changelist = super().get_changelist_instance(request)
        failing = find_failing_accounts(timezone.now())
        for account in changelist.result_list:
            account.failure = failing.get(account, "")
        return changelist

    @admin.display(description="carrier", ordering="carrier")
    def carrier_name(self, account: CarrierAccount) -> str:
        return account.adapter.label if account.is_known else account.carrier

    @admin.display(description="state")
    def state(self, account: Any) -> str:
        if not account.is_active:
            return badge("Off")
        if not account.is_known:
            return NOT_HERE
        if not account.failure:
            return badge("Works", "good")
        return format_html("{}<small>{}</small>", badge("Fails", "bad"), account.failure)

    @admin.display(description="last refused request", ordering="last_rejected_at")
    def refused(self, account: CarrierAccount) -> str:
        if account.last_rejected_at is None:
            return "none"
        return format_html(
            "{}<small>{}</small>",
            time_element(account.last_rejected_at, "past"),
            account.last_rejection,
        )

    def get_urls(self) -> list[Any]:
        mine = [
            path(
                "<path:object_id>/self-test/",
                self.admin_site.admin_view(self.self_test),
                name="messaging_carrieraccount_self_test",
            ),
            path(
                "<path:object_id>/numbers/",
                self.admin_site.admin_view(self.numbers),
                name="messaging_carrieraccount_numbers",
            ),
        ]
        return [*mine, *super().get_urls()]

    def numbers(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the numbers that the account has at its carrier; a POST connects chosen ones."""
        account = self._find(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Numbers of {account.name}",
            "account": account,
        }
        return account_numbers.show_numbers(request, account, context)

    def _find(self, request: HttpRequest, object_id: str) -> CarrierAccount:
        """Return an account whose carrier is known here. Raise Http404 or PermissionDenied."""
        account = self.get_object(request, object_id)
        if account is None:
            raise Http404("No such account.")
        if not self.has_change_permission(request, account):
            raise PermissionDenied
        if _credential_fields(account) is None:
            raise Http404(NOT_HERE)
        return account

    def self_test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what the last self-test found; a POST runs it again."""
        account = self._find(request, object_id)
        if request.method == "POST":
            run_self_test(account)
            return redirect("admin:messaging_carrieraccount_self_test", account.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Self-test of {account.name}",
            "account": account,
            "findings": [Finding.read(kept) for kept in account.self_test],
        }
        return TemplateResponse(request, "admin/messaging/carrieraccount/self_test.html", context)

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
        kwargs["fields"] = ("name", "is_active")
        kwargs["form"] = type("AccountForm", (AccountForm,), dict(_secret_fields(obj)))
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: CarrierAccount | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("carrier", "name")})]
        return [
            (None, {"fields": ("carrier_name", "name", "is_active", "status", *ABOUT)}),
            ("Secrets", {"fields": tuple(_secret_fields(obj))}),
            ("Refused requests", {"fields": ("rejected_count", "reasons")}),
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: CarrierAccount | None = None
    ) -> tuple[str, ...]:
        shown = ("carrier_name", "status", *ABOUT, "rejected_count", "reasons")
        return () if obj is None else shown

    @admin.display(description="secrets")
    def status(self, account: CarrierAccount) -> str:
        fields = _credential_fields(account)
        if fields is None:
            return NOT_HERE
        stored = _stored(account)
        if stored is None:
            return "Can't be decrypted with FIELD_KEYS. Enter them again."
        missing = [
            field.label for field in fields if field.is_required and not stored.get(field.name)
        ]
        return f"Missing: {', '.join(missing)}" if missing else "Complete"

    @admin.display(description="webhook address")
    def webhook_address(self, account: CarrierAccount) -> str:
        return copyable(account.webhook_url)

    @admin.display(description="last reasons")
    def reasons(self, account: CarrierAccount) -> str:
        """List why webhooks were rejected. Their bodies and senders are not kept."""
        rows = (
            (one.count, one.reason, time_element(one.last_at, "past"))
            for one in account.rejections.order_by("-last_at", "-pk")
        )
        row = "<li>{}×: {}, last {}</li>"
        listed = format_html_join("", row, rows)
        return format_html('<ul class="reasons">{}</ul>', listed) if listed else "none"

    @admin.display(description="self-test")
    def tested(self, account: CarrierAccount) -> str:
        if account.self_tested_at is None:
            return "Not tested yet"
        bad = sum(Finding.read(kept).level == "bad" for kept in account.self_test)
        found = {0: "no problems", 1: "one problem"}.get(bad, f"{bad} problems")
        return format_html(
            '<a href="{}">{}, {} ago</a>',
            reverse("admin:messaging_carrieraccount_self_test", args=[account.pk]),
            found[0].upper() + found[1:],
            timesince(account.self_tested_at, depth=1),
        )

    def save_model(
        self, request: HttpRequest, obj: CarrierAccount, form: Any, change: bool
    ) -> None:
        if not change:
            obj.set_credentials({})
            obj.save()
            return
        confirm_changes(request, form, PREFIX, FORGET, to="change a carrier account's secrets")
        obj.set_credentials(form.credentials())
        obj.save(update_fields=["name", "is_active", "encrypted_credentials"])
        transaction.on_commit(lambda: complete_credentials(account=obj))

    def response_add(
        self, request: HttpRequest, obj: CarrierAccount, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on to its secrets, since their fields depend on the carrier."""
        self.message_user(request, "Now enter this account's secrets.", messages.INFO)
        return redirect(reverse("admin:messaging_carrieraccount_change", args=[obj.pk]))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: messages refer to it. An account that is no longer used is deactivated."""
        return False
