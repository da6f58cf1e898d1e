"""Tokens of one-time links: made, hashed and looked up. No token is ever stored."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils.crypto import salted_hmac

from inboxes.models import OneTimeLink
from inboxes.models.one_time_links import OneTimeLinkQuerySet

_BYTES = 32


class LinkIsOver(Exception):
    """A link is unknown, was used or revoked, or has expired; nobody is told which."""


@dataclass(frozen=True, slots=True)
class NewLink:
    """Hold a link with its address, which is known only while the link is being made."""

    link: OneTimeLink
    url: str


def make_token() -> str:
    return secrets.token_urlsafe(_BYTES)


def make_email_token(link: OneTimeLink) -> str:
    """Return the token for the link's e-mail, which is the same however often it is sent.

    It is made from SECRET_KEY and the link's own random hash, so the database alone does not hold
    what is needed to make it.
    """
    seed = f"{link.pk}:{bytes(link.token_hash).hex()}"
    mac = salted_hmac("inboxes.one-time-link", seed, algorithm="sha256")
    return base64.urlsafe_b64encode(mac.digest()).decode().rstrip("=")


def hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def link_url(token: str) -> str:
    return settings.PUBLIC_URL + reverse("invitations:open", args=[token])


def links_of(token: str) -> OneTimeLinkQuerySet:
    """Return the link that has this token, if there is one, whatever its state."""
    wanted = hash_token(token)
    return OneTimeLink.objects.filter(Q(token_hash=wanted) | Q(email_token_hash=wanted))


def find_link(token: str) -> OneTimeLink:
    """Return the link of a token that can be used now. Raises LinkIsOver."""
    return check_usable(links_of(token).select_related("agent", "made_by").first())


def check_usable(link: OneTimeLink | None) -> OneTimeLink:
    """Return the link if it can be used now. Raises LinkIsOver."""
    if link is None or link.state != OneTimeLink.State.WAITING or why_over_early(link):
        raise LinkIsOver
    return link


def why_over_early(link: OneTimeLink) -> str:
    """Return why a waiting link can't be used all the same; "" if it can.

    It ends with the rights of the administrator who made it, and a reset link with the password
    that it was to replace.
    """
    maker, agent = link.made_by, link.agent
    if maker is not None and not (maker.is_active and maker.is_staff):
        return f"{maker.display_name} is no longer an administrator"
    if agent is not None and not agent.is_active:
        return f"{agent.display_name} may no longer sign in"
    if agent is not None and link.password_mark != agent.get_session_auth_hash():
        return "the password was changed in another way"
    return ""
