"""Provide what the tests of *Your account* share: an agent, browsers, an authenticator app."""

from __future__ import annotations

import re
import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.test import Client

from inboxes.models import Agent
from tests.markup import PageClient, read_words

PASSWORD, OTHER = "long-enough-words", "other-words-entirely"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
)


def make_agent(username: str = "mia", display_name: str = "Mia Lang", **more: Any) -> Agent:
    return Agent.objects.create_user(
        username, password=PASSWORD, display_name=display_name, **more
    )


def browser(user_agent: str = FIREFOX, address: str = "203.0.113.24") -> Client:
    return PageClient(headers={"user-agent": user_agent}, REMOTE_ADDR=address)


def sign_in(
    client: Client | None = None, username: str = "mia", password: str = PASSWORD
) -> Client:
    client = client or browser()
    client.post("/sign-in/", {"username": username, "password": password})
    return client


def read_text(client: Client, path: str = "/account/") -> str:
    """Return what people read on a page, its lines as one."""
    return " ".join(re.sub(r"<[^>]+>", " ", read_words(client.get(path))).split())


def is_signed_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


def code_of(secret: str) -> str:
    """Return what an authenticator app with this secret shows now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def set_up_app(client: Client, path: str = "/account/two-step/app/") -> Any:
    """Set up an authenticator app as a person does; return the answer, followed."""
    page = read_words(client.get(path))
    [secret] = re.findall(r'data-copy="([A-Z2-7]+)"', page)
    return client.post(path, {"code": code_of(secret)}, follow=True)


def add_passkey_row(agent: Agent, name: str = "Work laptop") -> Authenticator:
    """Write a passkey that no browser has: for pages that only list it."""
    return Authenticator.objects.create(
        user=agent, type=Authenticator.Type.WEBAUTHN, data={"name": name, "credential": {}}
    )


def add_app(agent: Agent, secret: str = "JBSWY3DPEHPK3PXP") -> Authenticator:
    return TOTP.activate(agent, secret).instance
