"""The second half of step 1: what the administrator signs in with besides the password.

The forms and their rules are allauth's.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.recovery_codes.views import ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from inboxes.access import hide_unless
from inboxes.requests import signed_in_agent
from inboxes.sign_in import demand
from messaging.setup import access, pages


class AppView(ActivateTOTPView):
    """Show the secret for an authenticator app, and take its first code."""

    template_name = "setup/second_step.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if demand.has_second_factor(signed_in_agent(request)):
            return redirect("messaging:setup")
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def get_success_url(self) -> str:
        return reverse("messaging:setup_codes")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        secret: str = context["form"].secret
        context["form"].fields["code"].label = "Code that the app shows"
        context["form"].fields["code"].widget.attrs |= {
            "placeholder": "",
            "inputmode": "numeric",
            "autofocus": True,
        }
        groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
        return context | {
            "secret": secret,
            "secret_to_read": " ".join(groups),
            "may_skip": not demand.is_demanded_of(signed_in_agent(self.request)),
        }

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        status = 422 if context["form"].is_bound else 200
        return pages.show_page(
            self.request, self.template_name, "administrator", context, status=status
        )


class CodesView(ViewRecoveryCodesView):
    """Show the recovery codes that came into being with the authenticator app."""

    template_name = "setup/codes.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not demand.has_second_factor(signed_in_agent(request)):
            return redirect("messaging:setup_second_step")
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        codes = context["unused_codes"] if context["can_view_codes"] else []
        context |= {"codes": codes, "copied": "\n".join(codes)}
        return pages.show_page(self.request, self.template_name, "administrator", context)


set_up_app = demand.sets_up_second_step(hide_unless(access.is_administrator)(AppView.as_view()))
show_codes = demand.sets_up_second_step(hide_unless(access.is_administrator)(CodesView.as_view()))
