"""Speak OpenID Connect with the provider that the settings name."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from inboxes.company import tokens

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Unreachable(Exception):
    """The provider could not be asked, or gave no sensible answer."""


def is_set_up() -> bool:
    return bool(settings.OIDC_ISSUER)


def company_app() -> SocialApp:
    """Return the client that the settings describe. It isn't stored."""
    issuer: str = settings.OIDC_ISSUER
    return SocialApp(
        provider=CompanyProvider.id,
        provider_id=f"company-{hashlib.sha256(issuer.encode()).hexdigest()[:16]}",
        name=settings.OIDC_NAME,
        client_id=settings.OIDC_CLIENT_ID,
        secret=settings.OIDC_CLIENT_SECRET,
        settings={"server_url": issuer.rstrip("/"), "oauth_pkce_enabled": True},
    )


class CompanyOAuth2Adapter(OpenIDConnectOAuth2Adapter):
    """Check the ID token and its nonce; allauth checks neither the nonce nor every signature."""

    nonce = ""
    id_token = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return what the provider says of itself (OpenID Connect Discovery 1.0). Raise
        Unreachable."""
        try:
            config: dict[str, Any] = super().openid_config
            complete = all(isinstance(config[name], str) for name in ENDPOINTS)
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise Unreachable(type(error).__name__) from error
        if not complete:
            raise Unreachable("its configuration is not complete")
        return config

    @property
    def end_session_url(self) -> str:
        """Return where to sign out there; empty if the provider offers nothing."""
        return str(self.openid_config.get("end_session_endpoint") or "")

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return f"{settings.PUBLIC_URL}{reverse('company_callback')}"

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any
    ) -> Any:
        """Return who it is, as the ID token and the user info say together.

        Raise tokens.BadToken, Unreachable.
        """
        self.id_token = str(kwargs["response"].get("id_token") or "")
        claims = tokens.read_id_token(
            self.id_token,
            keys=self._fetch_keys(),
            issuer=settings.OIDC_ISSUER,
            client_id=app.client_id,
            nonce=self.nonce,
        )
        who = claims | self._fetch_person(token.token, claims["sub"])
        return self.get_provider().sociallogin_from_response(request, {"userinfo": who})

    def _fetch_person(self, access_token: str, subject: str) -> dict[str, Any]:
        """Return the user info, which has to be about the same person (§5.3.2)."""
        if "userinfo_endpoint" not in self.openid_config:
            return {}
        try:
            person: dict[str, Any] = self._fetch_user_info(access_token)
        except (requests.RequestException, ValueError) as error:
            raise Unreachable(type(error).__name__) from error
        if person.get("sub") != subject:
            raise tokens.BadToken("the user info is about somebody else")
        return person

    def _fetch_keys(self) -> dict[str, Any]:
        try:
            session: requests.Session
            with get_adapter(self.request).get_requests_session() as session:
                response = session.get(self.openid_config["jwks_uri"])
                response.raise_for_status()
                keys: dict[str, Any] = response.json()
        except (requests.RequestException, ValueError) as error:
            raise Unreachable(type(error).__name__) from error
        return keys


class CompanyProvider(OpenIDConnectProvider):
    """Know people by the issuer and its id for them, and ask for nothing but who they are."""

    oauth2_adapter_class = CompanyOAuth2Adapter

    def get_oauth2_adapter(self, request: HttpRequest) -> CompanyOAuth2Adapter:
        return CompanyOAuth2Adapter(request, self.app.provider_id)

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Return a hash, since a subject may be longer than the column."""
        return hashlib.sha256(str(super().extract_uid(data)).encode()).hexdigest()

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"email": data["userinfo"].get("email", "")}

    def go_there(self, request: HttpRequest, next_url: str) -> HttpResponse:
        """Return the redirect to the provider. Raise Unreachable.

        What it needs on the way back is kept in the session under a random state.
        """
        nonce = secrets.token_urlsafe(16)
        answer: HttpResponse = self.redirect(
            request,
            process="login",
            next_url=next_url,
            auth_params={"nonce": nonce},
            nonce=nonce,
        )
        return answer
