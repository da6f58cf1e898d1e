"""Pages of signing in, where they say more than allauth's."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.models import Authenticator
from django.conf import settings


class SignInView(LoginView):
    """Show the sign-in page with the ways that are set up here."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        form = context["form"]
        context["has_passkeys"] = not form.is_busy and _has_passkeys()
        context["sends_mail"] = bool(getattr(settings, "EMAIL_URL", ""))
        context["host"] = settings.PUBLIC_HOST
        return context


def _has_passkeys() -> bool:
    return bool(Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).exists())
