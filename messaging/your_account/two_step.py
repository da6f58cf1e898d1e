"""Setting up and removing what a second step is given with, and its recovery codes.

The views are allauth's. Their pages stand in the frame of *Your account*, or on a plain sheet with
`next` in the address: for somebody who has to set up a second step before going on there.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from allauth.account.utils import get_next_redirect_url
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.mfa.webauthn.internal import auth as passkeys
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from inboxes.requests import signed_in_agent
from inboxes.sign_in import demand
from inboxes.sign_in.adapters import passkey_site
from messaging.your_account.forms import AppForm, PasskeyForm, PasskeyNameForm
from messaging.your_account.rows import TwoStep
from messaging.your_account.views import to_account

FRAME = "messaging/your_account/frame.html"
SHEET = "messaging/your_account/sheet.html"


class StepPage:
    """Name the page, and put it on a sheet of its own where the address says what comes next."""

    request: HttpRequest
    page_title = ""
    section = "two-step"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return context | step_context(self.request, self.page_title)

    def get_success_url(self) -> str:
        """Lead to the recovery codes if they are new, else to where the address says."""
        if getattr(self, "did_generate_recovery_codes", False):
            return with_next(self.request, "mfa_view_recovery_codes")
        return next_address(self.request) or f"{reverse('messaging:account')}#{self.section}"

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """Answer a form that was not taken with 422."""
        response: HttpResponse = super().render_to_response(context, **kwargs)  # type: ignore[misc]
        if self.request.method == "POST":
            response.status_code = 422
        return response


def next_address(request: HttpRequest) -> str:
    """Return the address of ours to which the page is to lead, or an empty text."""
    return get_next_redirect_url(request) or ""


def step_context(request: HttpRequest, page_title: str) -> dict[str, Any]:
    """Return what the frame of a page of these needs."""
    target = next_address(request)
    return {
        "page_title": page_title,
        "frame": SHEET if target else FRAME,
        "next": target,
        "next_query": f"?{urlencode({'next': target})}" if target else "",
    }


def with_next(request: HttpRequest, page: str) -> str:
    """Return the address of a page of these, which then leads to the same place as this one."""
    target = next_address(request)
    return reverse(page) + (f"?{urlencode({'next': target})}" if target else "")


@require_safe
@login_required
def choose_second_step(request: HttpRequest) -> HttpResponse:
    """Offer the second steps to somebody who has to set one up; others see *Your account*."""
    agent = signed_in_agent(request)
    if not next_address(request) and demand.lacking(agent, request.session) is None:
        return to_account("two-step")
    context = step_context(request, "Set up two-step sign-in")
    context |= {"two_step": TwoStep.of(agent), "frame": SHEET}
    return render(request, "messaging/your_account/choose_second_step.html", context)


class SetUpApp(StepPage, totp.ActivateTOTPView):
    """Show the secret of a new authenticator app, and take its first code."""

    template_name = "messaging/your_account/set_up_app.html"
    page_title = "Set up an authenticator app"

    def get_form_class(self) -> type[AppForm]:
        return AppForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        secret: str = context["form"].secret
        groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
        return context | {"secret": secret, "secret_to_read": " ".join(groups)}


class RemoveApp(StepPage, totp.DeactivateTOTPView):
    template_name = "messaging/your_account/remove_app.html"
    page_title = "Remove the authenticator app"


class ShowCodes(StepPage, recovery_codes.ViewRecoveryCodesView):
    """Show new recovery codes, once."""

    template_name = "messaging/your_account/codes.html"
    page_title = "Recovery codes"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        codes = context["unused_codes"] if context["can_view_codes"] else []
        return context | {
            "codes": codes,
            "file": quote("Recovery codes of Partyline\r\n\r\n" + "\r\n".join(codes) + "\r\n"),
            "onward": next_address(self.request) or f"{reverse('messaging:account')}#two-step",
        }


class MakeCodes(StepPage, recovery_codes.GenerateRecoveryCodesView):
    template_name = "messaging/your_account/make_codes.html"
    page_title = "Make new recovery codes"

    def get_success_url(self) -> str:
        return with_next(self.request, "mfa_view_recovery_codes")


class AddPasskey(StepPage, webauthn.AddWebAuthnView):
    """Add a passkey, which is then enough to sign in: it asks for a finger, a face or a PIN."""

    template_name = "messaging/your_account/add_passkey.html"
    page_title = "Add a passkey"
    section = "passkeys"

    def get_form_class(self) -> type[PasskeyForm]:
        return PasskeyForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        options = passkeys.begin_registration(signed_in_agent(self.request), passwordless=True)
        return context | {
            "js_data": {"creation_options": options},
            "passkey_site": passkey_site(),
        }


class RenamePasskey(StepPage, webauthn.EditWebAuthnView):
    template_name = "messaging/your_account/rename_passkey.html"
    page_title = "Rename a passkey"
    section = "passkeys"

    def get_form_class(self) -> type[PasskeyNameForm]:
        return PasskeyNameForm


class RemovePasskey(StepPage, webauthn.RemoveWebAuthnView):
    """Remove a passkey, unless it is the last factor of somebody who needs one."""

    template_name = "messaging/your_account/remove_passkey.html"
    page_title = "Remove a passkey"
    section = "passkeys"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.object = self.get_object()
        if _refusal_to_remove(self.object):
            return self.render_to_response(self.get_context_data())
        response: HttpResponseBase = super().post(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        refusal = _refusal_to_remove(self.object)
        return super().get_context_data(**kwargs) | {"refusal": refusal}


def _refusal_to_remove(passkey: Authenticator) -> str:
    """Return the sentence that says why a passkey has to stay, or an empty text."""
    adapter = get_adapter()
    if not adapter.can_delete_authenticator(passkey):
        return str(adapter.error_messages["cannot_delete_authenticator"])
    others = Authenticator.objects.filter(user=passkey.user, type=passkey.type)
    is_last = not others.exclude(pk=passkey.pk).exists()
    has_other_way = passkey.user.has_usable_password() or SocialAccount.objects.filter(
        user=passkey.user
    )
    if is_last and not has_other_way:
        return "It's the only way in which you can sign in. Set a password first."
    return ""
