"""Company sign-in: the OpenID provider that says who somebody is."""

from typing import Any
from urllib.parse import urlsplit

from config.environment import BadSetting, env, setting
from config.settings.installation import LOOPBACK_NAMES


def _is_issuer(text: str) -> bool:
    parts = urlsplit(text)
    is_here = parts.netloc.rsplit(":", 1)[0] in LOOPBACK_NAMES
    is_plain = not (parts.query or parts.fragment or parts.username)
    return bool(parts.hostname) and is_plain and (parts.scheme == "https" or is_here)


OIDC_ISSUER = setting(
    "OIDC_ISSUER",
    env.str,
    "",
    "the https address of an OpenID provider, as it gives it itself, like https://id.example.com",
    _is_issuer,
)
OIDC_CLIENT_ID = setting("OIDC_CLIENT_ID", env.str, "", "the id that the provider gave Partyline")
OIDC_CLIENT_SECRET = setting(
    "OIDC_CLIENT_SECRET", env.str, "", "the secret that the provider gave Partyline"
)
OIDC_NAME = setting(
    "OIDC_NAME",
    env.str,
    "Company sign-in",
    "what people call the provider, 40 characters at most",
    lambda name: 0 < len(name) <= 40,
)
# Turned on where the provider asks everybody for two steps.
OIDC_TWO_STEPS = setting("OIDC_TWO_STEPS", env.bool, False, "1 or 0")
if OIDC_ISSUER and not (OIDC_CLIENT_ID and OIDC_CLIENT_SECRET):
    raise BadSetting("OIDC_ISSUER also needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.")

SOCIALACCOUNT_ADAPTER = "inboxes.company.linking.CompanyAdapter"
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "openid_connect": {"provider_class": "inboxes.company.provider.CompanyProvider"}
}
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5  # seconds
SOCIALACCOUNT_STORE_TOKENS = False
