"""Stand between a request and the pages, for whoever has signed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from inboxes.models import Agent
from inboxes.sign_in import confirming, demand, sessions
from inboxes.sign_in.throttle import TooManyGuesses

# Open to somebody who still has to give a second factor, and to somebody who has to set one up.
_ALWAYS = {"account_logout", "healthz", "readyz", "manifest"}
GIVING = _ALWAYS | {"mfa_reauthenticate", "mfa_reauthenticate_webauthn"}
SETTING_UP = _ALWAYS | {
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_list_webauthn",
    "mfa_view_recovery_codes",
}


class SignInMiddleware:
    """Leads whoever lacks a second step to it, and answers what stops a sign-in.

    Whoever lacks one reaches no other page. Machines, which carry no session, are not concerned.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: object, kwargs: object
    ) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in _ALWAYS or getattr(view, "csrf_exempt", False):
            return None
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        if SESSION_KEY not in request.session or not isinstance(request.user, Agent):
            return None
        sessions.note_session(request, request.user.pk)
        lack = demand.lacking(request.user, request.session)
        if lack is None or name in (GIVING if lack is demand.Lack.STEP else SETTING_UP):
            return None
        if lack is demand.Lack.FACTOR and getattr(view, "sets_up_second_step", False):
            return None
        page = "mfa_index" if lack is demand.Lack.FACTOR else confirming.factor_page(request.user)
        return redirect(f"{reverse(page)}?{urlencode({'next': request.get_full_path()})}")

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, TooManyGuesses):
            context = {"in_a_day": exception.in_a_day}
            return render(request, "account/locked_out.html", context, status=429)
        if isinstance(exception, ReauthenticationRequired) and request.user.is_authenticated:
            return confirming.ask(request, exception)
        return None
