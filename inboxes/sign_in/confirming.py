"""Ask somebody who is signed in to confirm that it is them, before something dangerous."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import (
    STATE_SESSION_KEY,
    raise_if_reauthentication_required,
)
from allauth.core.internal.httpkit import deserialize_request, serialize_request
from allauth.mfa.models import Authenticator
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import resolve

from inboxes.encryption import decrypt_text, encrypt_text
from inboxes.models import Agent

RESUME = "inboxes.sign_in.confirming.resume_deed"


def require_confirmation(request: HttpRequest) -> None:
    """Go on if the agent signed in or confirmed it in the last five minutes.

    Raises ReauthenticationRequired otherwise. Call it before anything is changed, or inside the
    transaction: the middleware then asks, and repeats the request.
    """
    raise_if_reauthentication_required(request, app="inboxes")


def confirm_changes(request: HttpRequest, form: BaseForm, *names: str) -> None:
    """Call `require_confirmation` if a field was changed whose name begins with one of these.

    For `save_model` of an administration page, which Django calls in a transaction.
    """
    if any(field.startswith(names) for field in form.changed_data):
        require_confirmation(request)


def ask(request: HttpRequest) -> HttpResponse:
    """Lead to the page that asks. A form that was sent is kept, encrypted: it may hold secrets."""
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    if not methods:
        return render(request, "account/cannot_confirm.html", status=403)
    if request.method == "POST":
        deed = {"deed": encrypt_text(serialize_request(request))}
        request.session[STATE_SESSION_KEY] = {"state": deed, "callback": RESUME}
    else:
        request.session.pop(STATE_SESSION_KEY, None)
    return redirect(f"{methods[0]['url']}?{urlencode({'next': request.get_full_path()})}")


def resume_deed(request: HttpRequest, state: dict[str, Any]) -> HttpResponseBase:
    """Do what was to be confirmed. A form that has become invalid is shown at its own address."""
    sent = deserialize_request(decrypt_text(state["deed"]), request)
    found = sent.resolver_match = resolve(sent.path_info)
    response: HttpResponseBase = found.func(sent, *found.args, **found.kwargs)
    return response if response.status_code in {302, 303} else redirect(sent.get_full_path())


def factor_page(agent: Agent) -> str:
    """Return the URL name of the page that asks for a second factor alone."""
    kinds = set(Authenticator.objects.filter(user=agent).values_list("type", flat=True))
    return "mfa_reauthenticate_webauthn" if kinds == {"webauthn"} else "mfa_reauthenticate"
