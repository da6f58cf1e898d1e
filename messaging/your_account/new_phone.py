"""Signing in a phone: the pages of the open session, which shows a code and asks to compare."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from inboxes.models import PhoneSignIn
from inboxes.phone_sign_in.actions import (
    NotOpen,
    confirm_phone_sign_in,
    offer_phone_sign_in,
    refuse_phone_sign_in,
    token_of,
)
from inboxes.requests import HtmxRequest, signed_in_agent
from inboxes.sign_in.confirming import require_confirmation
from messaging.your_account.forms import PhoneForm
from messaging.your_account.qr_codes import draw_qr_code
from messaging.your_account.user_agents import name_browser

# A session shows no more codes than that in a quarter of an hour.
MOST_CODES = 10
CODES_WINDOW = 15 * 60  # seconds
_MADE_KEY = "phone_codes_made"


@dataclass(frozen=True, slots=True)
class Step:
    """Hold what the open session's page shows of its code. `state` is `start` without one."""

    state: str
    sign_in: PhoneSignIn | None = None
    qr_code: str = ""
    phone: str = ""

    @classmethod
    def of(cls, request: HtmxRequest) -> Self:
        key = request.session.session_key
        sign_in = PhoneSignIn.objects.filter(session_key=key).first()
        if sign_in is None:
            return cls("start")
        if sign_in.state == PhoneSignIn.State.USED:
            return cls("used", sign_in, phone=name_browser(sign_in.phone_user_agent).name)
        if not sign_in.is_open:
            return cls("expired")
        if sign_in.state == PhoneSignIn.State.OFFERED:
            link = reverse("messaging:open_phone_code", args=[token_of(sign_in)])
            return cls("offered", sign_in, draw_qr_code(f"{settings.PUBLIC_URL}{link}"))
        phone = name_browser(sign_in.phone_user_agent).name
        return cls(sign_in.state, sign_in, phone=phone)

    @property
    def refusal(self) -> str:
        """Return the word of the button that ends the code."""
        return "No" if self.state == "claimed" else "Cancel"

    @property
    def article(self) -> str:
        return "a new" if self.state == "expired" else "the"

    @property
    def is_waiting(self) -> bool:
        """Return True if the page has to look again whether something has happened."""
        return self.state in {"offered", "claimed", "confirmed"}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def sign_in_a_phone(request: HtmxRequest) -> HttpResponse:
    """Show the session's code and how far its phone is, or make a new code."""
    if request.method == "POST":
        require_confirmation(request, to="sign in a phone")
        if not _may_make_a_code(request):
            toasts.error(request, "That were many codes. Wait a quarter of an hour.")
            return redirect("messaging:new_phone")
        offer_phone_sign_in(
            agent=signed_in_agent(request), session_key=str(request.session.session_key)
        )
        return redirect("messaging:new_phone")
    step = Step.of(request)
    if request.htmx:
        if request.GET.get("state") == step.state:
            return HttpResponse(status=204)
        return render(request, "messaging/your_account/_new_phone.html", {"step": step})
    context = {"step": step, "page_title": "Sign in on a phone"}
    return render(request, "messaging/your_account/new_phone.html", context)


@require_POST
@login_required
def confirm_phone(request: HtmxRequest) -> HttpResponse:
    """Take the word of the person that the phone shows the same as this page."""
    form = PhoneForm(request.POST)
    try:
        if not form.is_valid():
            raise NotOpen
        confirm_phone_sign_in(
            sign_in_id=form.cleaned_data["sign_in"],
            session_key=request.session.session_key or "",
        )
    except NotOpen:
        toasts.error(request, "That took too long. Show a new code.")
    return redirect("messaging:new_phone")


@require_POST
@login_required
def refuse_phone(request: HtmxRequest) -> HttpResponse:
    """End the code: the phone that opened it, or opens it later, gets nothing."""
    refuse_phone_sign_in(session_key=request.session.session_key or "")
    toasts.success(request, "No phone was signed in.")
    return redirect("messaging:new_phone")


def _may_make_a_code(request: HtmxRequest) -> bool:
    now = time.time()
    made = [at for at in request.session.get(_MADE_KEY, []) if now - at < CODES_WINDOW]
    if len(made) >= MOST_CODES:
        return False
    request.session[_MADE_KEY] = [*made, now]
    return True
