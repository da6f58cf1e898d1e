"""Decide for whom the simulator exists.

In the demo it is there for everybody. Elsewhere it exists while an account of it is in use, for
administrators who are signed in; its far end also answers who holds such an account's secret.
"""

from __future__ import annotations

import hmac

from django.conf import settings
from django.db import models
from django.http import HttpRequest

from inboxes.encryption import UndecryptableError
from inboxes.models import Agent
from messaging.models import CarrierAccount


def may_use(request: HttpRequest) -> bool:
    """Return True if whoever asks may open the handset."""
    if settings.DEMO:
        return True
    agent = request.user
    is_administrator = isinstance(agent, Agent) and agent.is_active and agent.is_staff
    return is_administrator and accounts_in_use().exists()


def may_post_text(request: HttpRequest) -> bool:
    """Return True if whoever asks is to be answered as by a carrier."""
    return settings.DEMO or bool(account_secret(request))


def may_fetch_file(request: HttpRequest) -> bool:
    """Return True if whoever asks may have a file that they know the token of."""
    return may_use(request) or bool(account_secret(request))


def accounts_in_use() -> models.QuerySet[CarrierAccount]:
    return CarrierAccount.objects.filter(carrier="simulator", is_active=True)


def account_secret(request: HttpRequest) -> str:
    """Return the secret in the Authorization header, if it is an account's; else ""."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return ""
    for account in accounts_in_use():
        try:
            secret = account.get_credentials().get("secret", "")
        except UndecryptableError:
            continue
        if secret and hmac.compare_digest(secret.encode(), given.encode()):
            return secret
    return ""
