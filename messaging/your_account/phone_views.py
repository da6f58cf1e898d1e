"""Signing in a phone: the pages of the phone that has opened the code."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from inboxes.models import PhoneSignIn
from inboxes.phone_sign_in.actions import (
    NotOpen,
    claim_phone_sign_in,
    find_offer,
    session_behind,
    use_phone_sign_in,
)
from inboxes.requests import HtmxRequest
from inboxes.sign_in import throttle
from inboxes.sign_in.adapters import AccountAdapter
from inboxes.sign_in.phones import sign_in_phone

_CLAIM_KEY = "phone_sign_in"


@require_http_methods(["GET", "HEAD", "POST"])
def open_phone_code(request: HtmxRequest, token: str) -> HttpResponse:
    """Show whose account the code opens, and bind it to this phone once its button is pressed.

    Opening the link alone changes nothing.
    """
    try:
        sign_in = _find(request, token)
        if request.user.is_authenticated:
            return _render_phone(request, "signed_in", status=409)
        if request.method == "POST" and sign_in.state == PhoneSignIn.State.OFFERED:
            _claim(request, token)
            return redirect("messaging:open_phone_code", token)
        if sign_in.state != PhoneSignIn.State.OFFERED and not _secret(request, token):
            raise NotOpen
    except NotOpen:
        return _render_phone(request, "over", status=404)
    if request.htmx and request.GET.get("state") == sign_in.state:
        return HttpResponse(status=204)
    return _render_phone(request, sign_in.state, sign_in=sign_in, token=token)


@require_POST
def finish_phone_sign_in(request: HtmxRequest, token: str) -> HttpResponse:
    """Sign this phone in, if the person has said so on the other screen."""
    if request.user.is_authenticated:
        return redirect("/")
    try:
        sign_in = use_phone_sign_in(token=token, secret=_secret(request, token))
        desktop = session_behind(sign_in)
        if desktop is None:
            raise NotOpen
    except NotOpen:
        return _refuse_for_now(request, token)
    del request.session[_CLAIM_KEY]
    response = sign_in_phone(request, sign_in.agent, desktop)
    return HttpResponseClientRedirect(response["Location"]) if request.htmx else response


def _refuse_for_now(request: HtmxRequest, token: str) -> HttpResponse:
    """Lead back to the words while the other screen waits, else say that it is over."""
    try:
        if not _secret(request, token):
            raise NotOpen
        find_offer(token)
    except NotOpen:
        return _render_phone(request, "over", status=404)
    return redirect("messaging:open_phone_code", token)


def _find(request: HtmxRequest, token: str) -> PhoneSignIn:
    """Return what the link offers. Raises NotOpen, and counts it as a guess of this address.

    Links that work are not counted, so nobody can lock out whoever holds one.
    """
    try:
        return find_offer(token)
    except NotOpen:
        if not _secret(request, token):
            throttle.count_attempt(request=request, of=throttle.links())
        raise


def _claim(request: HtmxRequest, token: str) -> None:
    claim = claim_phone_sign_in(
        token=token,
        user_agent=request.headers.get("User-Agent", ""),
        address=AccountAdapter(request).get_client_ip(request),
    )
    request.session[_CLAIM_KEY] = {"token": token, "secret": claim.secret}


def _secret(request: HtmxRequest, token: str) -> str:
    """Return what this browser got when it claimed the link; nothing for another link."""
    claim = request.session.get(_CLAIM_KEY) or {}
    return str(claim["secret"]) if claim.get("token") == token else ""


def _render_phone(
    request: HtmxRequest,
    state: str,
    *,
    sign_in: PhoneSignIn | None = None,
    token: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "state": state,
        "sign_in": sign_in,
        "page_title": "Sign in on this phone",
        "link": reverse("messaging:open_phone_code", args=[token]) if token else "",
        "finish": reverse("messaging:finish_phone", args=[token]) if token else "",
    }
    if request.htmx:  # which swaps nothing that has another status
        return render(request, "messaging/your_account/_phone.html", context)
    return render(request, "messaging/your_account/phone.html", context, status=status)
