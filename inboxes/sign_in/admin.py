"""Administer who needs two-step sign-in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from inboxes.models import SignInSettings
from inboxes.sign_in.confirming import confirm_changes
from inboxes.sign_in.demand import choices_of_two_step, demanded_two_step


class SignInSettingsForm(forms.ModelForm[SignInSettings]):
    """Offer what is at least as strict as the environment asks."""

    class Meta:
        model = SignInSettings
        fields = ("two_step",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["two_step"]
        choices = choices_of_two_step()
        self.fields["two_step"] = forms.ChoiceField(
            label="Two-step sign-in is needed by",
            choices=[(one.value, one.label) for one in choices],
            widget=forms.RadioSelect,
            help_text=field.help_text
            if len(choices) == len(SignInSettings.TwoStep)
            else "TWO_STEP_SIGN_IN of the environment asks for this much; here it can be more.",
        )
        if not self.is_bound:
            self.initial["two_step"] = demanded_two_step()


@admin.register(SignInSettings)
class SignInSettingsAdmin(admin.ModelAdmin[SignInSettings]):
    """Edit the one row of settings; its changes are logged like any other."""

    form = SignInSettingsForm
    fields = ("two_step",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the one row, which the first visit makes."""
        if not self.has_view_or_change_permission(request):
            return super().changelist_view(request, extra_context)
        row, _ = SignInSettings.objects.get_or_create(pk=1)
        return redirect("admin:inboxes_signinsettings_change", row.pk)

    def save_model(
        self, request: HttpRequest, obj: SignInSettings, form: Any, change: bool
    ) -> None:
        confirm_changes(request, form, "two_step", to="change who needs two steps")
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
