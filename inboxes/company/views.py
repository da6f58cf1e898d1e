"""Go to the company's provider, come back, and sign out there too."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from allauth.account.utils import get_next_redirect_url
from allauth.account.views import logout
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from inboxes.company import pages, provider, tokens
from inboxes.sign_in import throttle

log = logging.getLogger(__name__)

SESSION_KEY = "company"


class Callback(OAuth2CallbackView):
    """Take the browser back from the provider."""

    adapter: provider.CompanyOAuth2Adapter

    def _get_state(
        self, request: HttpRequest, of: provider.CompanyProvider
    ) -> tuple[dict[str, Any] | None, HttpResponse | None]:
        state, answer = super()._get_state(request, of)
        if state is not None:
            self.adapter.nonce = state["nonce"]
        return state, answer


def _provider(request: HttpRequest) -> provider.CompanyProvider:
    """Return the provider; raise Http404 where the settings name none."""
    if not provider.is_set_up():
        raise Http404("Company sign-in isn't set up.")
    return provider.CompanyProvider(request, app=provider.company_app())


def start(request: HttpRequest) -> HttpResponse:
    """Lead a browser to the provider. Only a form of ours may, so that nobody is signed in by a
    link."""
    company = _provider(request)
    if request.method != "POST":
        return redirect("account_login")
    throttle.count_attempt(request=request, of=throttle.company_sign_ins())
    try:
        answer = company.go_there(request, get_next_redirect_url(request))
    except provider.Unreachable as error:
        return _away(request, error)
    return pages.leave_for(request, answer["Location"])


@never_cache
@require_GET
def return_from_company(request: HttpRequest) -> HttpResponse:
    """Sign the person in whom the provider names, or say why not."""
    company = _provider(request)
    adapter = company.get_oauth2_adapter(request)
    try:
        answer: HttpResponse = Callback.adapter_view(adapter)(request)
    except provider.Unreachable as error:
        return _away(request, error)
    except tokens.BadToken as error:
        log.warning("company sign-in refused: of the provider's token, %s", error)
        return pages.refuse(request, _distrust(error))
    if adapter.id_token and answer.status_code == 302:
        throttle.forget_attempts(request=request, of=throttle.company_sign_ins())
        request.session[SESSION_KEY] = {
            "id_token": adapter.id_token,
            "end_session_url": adapter.end_session_url,
        }
    return answer


def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out here, then lead on to the provider, where the person signed in
    (OpenID Connect RP-Initiated Logout 1.0)."""
    kept = request.session.get(SESSION_KEY) or {}
    answer: HttpResponse = logout(request)
    if request.method != "POST" or not kept.get("end_session_url"):
        return answer
    query = {
        "id_token_hint": kept["id_token"],
        "client_id": settings.OIDC_CLIENT_ID,
        "post_logout_redirect_uri": settings.PUBLIC_URL + reverse("account_login"),
    }
    return pages.leave_for(request, f"{kept['end_session_url']}?{urlencode(query)}")


def _away(request: HttpRequest, error: provider.Unreachable) -> HttpResponse:
    log.warning("company sign-in: the provider can't be asked (%s)", error)
    sentence = (
        f"{settings.OIDC_NAME} can't be reached right now. Try again in a moment, or sign in "
        "with your password."
    )
    return pages.refuse(request, sentence, 503)


def _distrust(error: tokens.BadToken) -> str:
    if isinstance(error, tokens.WrongClock):
        return (
            f"The clocks of {settings.OIDC_NAME} and of this server differ. Ask an administrator "
            "to set them."
        )
    return (
        f"The answer of {settings.OIDC_NAME} can't be trusted. Ask an administrator to check the "
        "settings of company sign-in."
    )
