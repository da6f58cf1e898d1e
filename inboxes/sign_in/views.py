"""Pages of signing in, where they say more than allauth's."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import passthrough_next_redirect_url
from allauth.account.views import LoginView, ReauthenticateView
from allauth.account.views._reauthenticate import BaseReauthenticateView
from allauth.mfa.base import views as mfa
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import LoginWebAuthnView, ReauthenticateWebAuthnView
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from inboxes.models import Agent
from inboxes.sign_in import confirming
from inboxes.sign_in.adapters import passkey_site

Type = Authenticator.Type


class SignInView(LoginView):
    """Show the sign-in page with the ways that are set up here."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {
            # A page that says that it is too busy costs no query.
            "has_passkeys": not context["form"].is_busy and _has_passkeys(),
            "passkey_site": passkey_site(),
            "company_sign_in": settings.OIDC_ISSUER and settings.OIDC_NAME,
            "sends_mail": bool(getattr(settings, "EMAIL_URL", "")),
        }


class CodeView(AuthenticateView):
    """Ask for the second step, in the ways that the agent has set up."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        kinds = factor_kinds(self.stage.login.user)
        return context | {
            "has_app": Type.TOTP in kinds,
            "takes_codes": bool(kinds & {Type.TOTP, Type.RECOVERY_CODES}),
            "takes_passkeys": Type.WEBAUTHN in kinds,
            "passkey_site": passkey_site(),
        }


class PasskeySignInView(LoginWebAuthnView):
    """Take a passkey alone. One that is not right leads back to the page, and on from there."""

    def form_invalid(self, form: Any) -> HttpResponse:
        page = passthrough_next_redirect_url(self.request, reverse("account_login"), "next")
        return _show_errors(self.request, form, page)


class ResumingView(BaseReauthenticateView):
    """Says what is to be confirmed, and then does it."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"deed": confirming.name_deed(self.request)}

    def form_valid(self, form: Any) -> HttpResponseBase:
        response: HttpResponseBase = confirming.resume(self.request) or super().form_valid(form)
        return response


class ConfirmPasswordView(ReauthenticateView, ResumingView):
    """Take the password of somebody who is signed in."""


class ConfirmCodeView(mfa.ReauthenticateView, ResumingView):
    """Take a code from somebody who is signed in."""


class ConfirmPasskeyView(ReauthenticateWebAuthnView, ResumingView):
    """Take a passkey from somebody who is signed in."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"passkey_site": passkey_site()}

    def form_invalid(self, form: Any) -> HttpResponse:
        return _show_errors(self.request, form, self.request.get_full_path())


def _has_passkeys() -> bool:
    return bool(Authenticator.objects.filter(type=Type.WEBAUTHN).exists())


def _show_errors(request: HttpRequest, form: Any, page: str) -> HttpResponse:
    """Lead to a page that says what is wrong, where a script may ask for a passkey anew."""
    for words in form.errors.get("credential", []):
        messages.error(request, words)
    return redirect(page)


def factor_kinds(agent: Agent) -> set[str]:
    return set(Authenticator.objects.filter(user=agent).values_list("type", flat=True))
