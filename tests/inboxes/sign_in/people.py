"""Agents who sign in, and the second factors that they have."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from inboxes.models import Agent

PASSWORD = "long-enough-words"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def create_agent(name: str, *, is_administrator: bool = False) -> Agent:
    """Create an agent of an installation that has an administrator, so that it is set up."""
    if not is_administrator and not Agent.objects.filter(is_staff=True).exists():
        Agent.objects.create(username="first", display_name="First", is_staff=True)
    return Agent.objects.create_user(
        name, password=PASSWORD, display_name=name.title(), is_staff=is_administrator
    )


def add_app(agent: Agent) -> None:
    """Give the agent an authenticator app."""
    totp.TOTP.activate(agent, SECRET)


def add_recovery_codes(agent: Agent) -> list[str]:
    """Give the agent recovery codes, and return them."""
    codes: list[str] = RecoveryCodes.activate(agent).generate_codes()
    return codes


def add_broken_passkey(agent: Agent) -> None:
    """Give the agent a passkey of which only its existence matters."""
    Authenticator.objects.create(
        user=agent, type=Authenticator.Type.WEBAUTHN, data={"name": "Phone", "credential": {}}
    )


def code_now(*, secret: str = SECRET) -> str:
    """Return what the app shows now."""
    _, counter, _ = totp.yield_hotp_counters_from_time()
    return str(totp.format_hotp_value(totp.hotp_value(secret, counter)))


def sign_in(name: str, password: str = PASSWORD, client: Client | None = None) -> Client:
    """Send name and password, and return the browser."""
    client = client or Client()
    client.post("/sign-in/", {"username": name, "password": password})
    return client
