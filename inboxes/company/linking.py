"""Find the agent whom the company means, by their confirmed e-mail address."""

from __future__ import annotations

import logging
from typing import Any

import requests
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError
from django.conf import settings
from django.http import HttpRequest

from inboxes.alike import is_same_address
from inboxes.company import pages
from inboxes.company.provider import company_app, is_set_up
from inboxes.database import release_connection
from inboxes.models import Agent

log = logging.getLogger(__name__)


class NobodyKnown(Exception):
    """No agent can be told from what the company says. Its text is for the person."""


class CompanyAdapter(DefaultSocialAccountAdapter):
    """Let nobody in whom an administrator has not made an agent."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        return [company_app()] if is_set_up() else []

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        """Leave it to `pre_social_login`, which says why somebody isn't let in."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if sociallogin.is_existing:
            return
        try:
            link(sociallogin)
        except NobodyKnown as error:
            raise ImmediateHttpResponse(pages.refuse(request, str(error))) from error

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Answer with our own words. The exception may hold what the provider wrote: only its
        class is logged."""
        if exception is not None:
            log.warning("company sign-in failed (%s)", type(exception).__name__)
        sentence = _explain(error, exception)
        raise ImmediateHttpResponse(pages.refuse(request, sentence))

    def get_requests_session(self) -> requests.Session:
        """Return a session that holds no database connection while it waits."""
        session: requests.Session = super().get_requests_session()
        session.trust_env = False
        send = session.send

        def send_alone(*args: Any, **kwargs: Any) -> requests.Response:
            release_connection()
            return send(*args, **kwargs)

        session.send = send_alone  # type: ignore[method-assign]  # this session alone
        return session


def _explain(error: Any, exception: Exception | None) -> str:
    if error == AuthError.CANCELLED:
        return f"You weren't signed in at {settings.OIDC_NAME}."
    if exception is not None:
        return (
            f"{settings.OIDC_NAME} didn't accept the request. Ask an administrator to check the "
            "settings of company sign-in."
        )
    return "This sign-in took too long, or was started in another browser. Start it again."


def link(sociallogin: SocialLogin) -> None:
    """Set the agent of a first sign-in, and remember whom the company means by them.

    The address decides once. Afterwards it may change, here and there: the company's id counts.
    Raise NobodyKnown.
    """
    agent = find_agent(sociallogin.email_addresses)
    account = sociallogin.account
    others = SocialAccount.objects.filter(user=agent, provider=account.provider)
    if others.exclude(uid=account.uid).exists():
        raise NobodyKnown(
            f"{agent.display_name} signs in with another account of {settings.OIDC_NAME}. "
            "If that account is no longer used, an administrator can unlink it."
        )
    sociallogin.account, _ = SocialAccount.objects.get_or_create(
        provider=account.provider,
        uid=account.uid,
        defaults={"user": agent, "extra_data": account.extra_data},
    )
    sociallogin.user = sociallogin.account.user


def find_agent(addresses: list[EmailAddress]) -> Agent:
    """Return the only agent with a confirmed one of these addresses. Raise NobodyKnown."""
    confirmed = [address.email for address in addresses if address.verified]
    if not confirmed:
        raise NobodyKnown(
            f"{settings.OIDC_NAME} doesn't confirm an e-mail address of yours, so Partyline "
            "can't tell who you are."
        )
    [email, *_] = confirmed
    known = Agent.objects.filter(email__iexact=email)
    agents = [agent for agent in known if is_same_address(agent.email, email)]
    if not agents:
        raise NobodyKnown(f"Nobody here has the address {email}. Ask an administrator.")
    if len(agents) > 1:
        raise NobodyKnown(
            f"More than one person here has the address {email}. Ask an administrator."
        )
    return agents[0]


def unlink(*, agent: Agent) -> int:
    """Forget whom the company means by the agent, so that their address decides once more.

    Return how many identities were forgotten. Their sessions go on.
    """
    deleted: int = SocialAccount.objects.filter(user=agent).delete()[0]
    return deleted
