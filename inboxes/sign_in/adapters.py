"""Adapt django-allauth: words, addresses of clients, encryption, who may do what."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from inboxes.actions import announce_agent
from inboxes.encryption import decrypt_text, encrypt_text
from inboxes.models import Agent
from inboxes.sign_in import demand
from inboxes.sign_in.recovery_codes import has_codes_left

NO_ADDRESS = "0.0.0.0"  # noqa: S104  what is kept where a server names no client
WRONG_CODE = "That code isn't right. Enter the one that your app shows now, or a recovery code."
WAYS = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}
LOOPBACK_ID = "localhost"


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in by username and password. Nobody signs up by themselves."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": (
            "That username and password don't match. Both are case-sensitive."
        ),
        "incorrect_password": "That isn't your password.",
        "enter_current_password": "That isn't your current password.",
        "incorrect_code": WRONG_CODE,
        "account_inactive": "You can't sign in any more. Ask an administrator.",
    }

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Ask Django, whose first backend counts guesses."""
        return authenticate(request, **credentials)

    def reauthenticate(self, user: Any, password: str) -> bool:
        found = authenticate(context.request, username=user.get_username(), password=password)
        return found is not None and found.pk == user.pk

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Return False for whoever signed in just now: that says who they are just as well."""
        records = get_authentication_records(self.request, self.request.user)
        latest = max((record.get("at", 0) for record in records), default=0)
        return time.time() - float(latest) >= settings.ACCOUNT_REAUTHENTICATION_TIMEOUT

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        messages.error(request, str(self.error_messages["account_inactive"]))
        return redirect("account_login")

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that our limits go by. The server has read what a proxy forwards."""
        address = str(request.META.get("REMOTE_ADDR", ""))
        return address if _is_address(address) else NO_ADDRESS

    def is_safe_url(self, url: str) -> bool:
        """Return True for paths of this site alone."""
        is_path = url.startswith("/") and not url.startswith("//")
        return is_path and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return the ways to confirm who one is, in our words.

        Whoever has to give their second factor has to give that; their password they gave.
        """
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if demand.lacking(user, context.request.session) is demand.Lack.STEP:
            methods = [method for method in methods if method["id"] != "reauthenticate"]
        return [method | {"description": WAYS[method["id"]]} for method in methods]

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors: encrypted, named in our words, and kept where they are demanded."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": WRONG_CODE,
        "cannot_delete_authenticator": (
            "You need two-step sign-in here. Add another way first, then remove this one."
        ),
    }

    def encrypt(self, text: str) -> str:
        return encrypt_text(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt_text(encrypted_text)

    def _get_user_identifier(self, user: Any) -> str:
        return str(user.get_username())

    def is_mfa_enabled(self, user: Any, types: Any = None) -> bool:
        """Return True also for recovery codes alone, where a sign-in asks who has a second step.

        Some agents had nothing else before the upgrade.
        """
        if super().is_mfa_enabled(user, types):
            return True
        return set(types or ()) == set(demand.FACTORS) and has_codes_left(user)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Refuse the last factor of somebody who needs one."""
        others = Authenticator.objects.filter(user=authenticator.user).exclude(pk=authenticator.pk)
        has_others = others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()
        return has_others or not demand.is_demanded_of(authenticator.user)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002
        count = Authenticator.objects.filter(user=user, type=type).count()
        return "Passkey" if not count else f"Passkey {count + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": passkey_site(), "name": f"Partyline {settings.PUBLIC_HOST}"}


class SessionsAdapter(DefaultUserSessionsAdapter):
    """Sessions that end take their sockets with them."""

    def end_sessions(self, sessions: Iterable[Any]) -> None:
        ended = list(sessions)
        super().end_sessions(ended)
        for agent in Agent.objects.filter(pk__in={session.user_id for session in ended}):
            announce_agent(agent=agent)


def passkey_site() -> str:
    """Return the host to which passkeys belong (WebAuthn's RP id).

    A browser takes names only, so on this machine alone it is `localhost`.
    """
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    return LOOPBACK_ID if host in settings.LOOPBACK_NAMES or host == "::1" else host


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
