"""Ask somebody who is signed in to confirm that it is them, before something dangerous."""

from __future__ import annotations

import secrets
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ReauthenticationRequired
from allauth.core.internal.httpkit import deserialize_request, serialize_request
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve

from inboxes.encryption import decrypt_text, encrypt_text
from inboxes.models import Agent

SESSION_KEY = "waiting_deeds"
MOST_WAITING = 5  # of one session, each in a tab of its own
TOO_LATE = "You didn't confirm it within five minutes, so nothing was changed. Do it again."
_MARK = "#deed-"  # behind the path in `next`: which deed of this path
# What allauth's pages do, and those of ours that are asked for before they are shown
_PAGES = {
    "mfa_activate_totp": "set up an authenticator app",
    "mfa_deactivate_totp": "remove your authenticator app",
    "mfa_generate_recovery_codes": "make new recovery codes",
    "mfa_view_recovery_codes": "see your recovery codes",
    "mfa_add_webauthn": "add a passkey",
    "mfa_edit_webauthn": "rename a passkey",
    "mfa_remove_webauthn": "remove a passkey",
}


class ConfirmationNeeded(ReauthenticationRequired):
    """Somebody has to confirm that it is them. `deed` says in words what they are about to do."""

    def __init__(self, deed: str) -> None:
        super().__init__()
        self.deed = deed


def require_confirmation(request: HttpRequest, *, to: str) -> None:
    """Go on if the agent signed in or confirmed it in the last five minutes.

    Raises ConfirmationNeeded otherwise. Call it before anything is changed, or inside the
    transaction: the middleware then asks, and repeats the request. The page that asks says what
    for: `to` goes on after "To", like "invite an administrator".
    """
    if is_reauthentication_required(request, app="inboxes"):
        raise ConfirmationNeeded(to)


def confirm_changes(request: HttpRequest, form: BaseForm, *names: str, to: str) -> None:
    """Call `require_confirmation` if a field was changed whose name begins with one of these.

    For `save_model` of an administration page, which Django calls in a transaction.
    """
    if any(field.startswith(names) for field in form.changed_data):
        require_confirmation(request, to=to)


def ask(request: HttpRequest, needed: ReauthenticationRequired) -> HttpResponse:
    """Lead to the page that asks. A form that was sent is kept, encrypted: it may hold secrets."""
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    if not methods:
        return render(request, "account/cannot_confirm.html", status=403)
    after = request.get_full_path()
    words = getattr(needed, "deed", "")
    if request.method == "POST" or words:
        after += _MARK + _keep(request, words)
    return redirect(f"{methods[0]['url']}?{urlencode({'next': after})}")


def name_deed(request: HttpRequest) -> str:
    """Return in words what the page that asks is about; "" if it is not known."""
    path, _, mark = _asked_for(request).partition(_MARK)
    if (deed := _fresh(request).get(mark)) and deed["path"] == path:
        return str(deed["words"])
    try:
        return _PAGES.get(resolve(urlsplit(path).path).view_name, "")
    except Resolver404:
        return ""


def resume(request: HttpRequest) -> HttpResponseBase | None:
    """Do what this very page asked to confirm, if that was less than five minutes ago.

    Return None if no form was sent.
    """
    path, _, mark = _asked_for(request).partition(_MARK)
    if not mark:
        return None
    waiting = _fresh(request)
    deed = waiting.pop(mark, None)
    request.session[SESSION_KEY] = waiting
    if deed is None or deed["path"] != path:
        messages.error(request, TOO_LATE)
        return redirect(path)
    return _do(request, deed["form"]) if deed["form"] else redirect(path)


def _keep(request: HttpRequest, words: str) -> str:
    """Keep what waits in the session, and return its mark. Other tabs keep what they have."""
    mark = secrets.token_hex(8)
    form = encrypt_text(serialize_request(request)) if request.method == "POST" else ""
    deed = {
        "path": request.get_full_path(),
        "at": int(time.time()),
        "words": words,
        "form": form,
    }
    newest = list(_fresh(request).items())[-(MOST_WAITING - 1) :]
    request.session[SESSION_KEY] = {**dict(newest), mark: deed}
    return mark


def _fresh(request: HttpRequest) -> dict[str, dict[str, Any]]:
    """Return what waits, by its marks, but for what waits too long."""
    since = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    waiting = request.session.get(SESSION_KEY) or {}
    return {mark: deed for mark, deed in waiting.items() if deed["at"] > since}


def _asked_for(request: HttpRequest) -> str:
    return str(get_next_redirect_url(request, "next") or "")


def _do(request: HttpRequest, form: str) -> HttpResponseBase:
    """Send a form once more. One that has become invalid is shown at its own address."""
    sent = deserialize_request(decrypt_text(form), request)
    found = sent.resolver_match = resolve(sent.path_info)
    response: HttpResponseBase = found.func(sent, *found.args, **found.kwargs)
    return response if response.status_code in {302, 303} else redirect(sent.get_full_path())


def factor_page(agent: Agent) -> str:
    """Return the URL name of the page that asks for a second factor alone."""
    kinds = set(Authenticator.objects.filter(user=agent).values_list("type", flat=True))
    return "mfa_reauthenticate_webauthn" if kinds == {"webauthn"} else "mfa_reauthenticate"
