"""E-mail, which is sent only where EMAIL_URL names a server."""

from email.utils import formataddr, parseaddr
from ipaddress import ip_address
from urllib.parse import urlsplit

import dj_email_url
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from config.environment import BadSetting, env, setting
from config.settings.installation import DEBUG, DEMO, LOOPBACK_NAMES, PUBLIC_HOST

# How each scheme is written for dj-email-url, whose `smtps` means something else, and its port.
_SCHEMES = {
    "smtp+tls": ("submission", 587),
    "submission": ("submission", 587),
    "smtps": ("smtp", 465),
    "smtp": ("smtp", 25),
    "console": ("console", None),
}


def _read_email_url(url: str) -> dict[str, object]:
    """Return Django's settings. Raises ValueError for an address that nothing can be sent to."""
    parts = urlsplit(url)
    scheme, port = _SCHEMES.get(parts.scheme, ("", None))
    is_smtp = port is not None
    if not scheme or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError
    if is_smtp and not parts.hostname:
        raise ValueError
    found: dict[str, object] = dj_email_url.parse(url.replace(parts.scheme, scheme, 1))
    if is_smtp and not parts.port:
        found["EMAIL_PORT"] = port
    if parts.scheme == "smtps":
        found["EMAIL_USE_SSL"] = True
    if bool(found["EMAIL_HOST_USER"]) != bool(found["EMAIL_HOST_PASSWORD"]):
        raise ValueError
    return found


def _is_email_url(url: str) -> bool:
    _read_email_url(url)
    return True


def _is_sender(text: str) -> bool:
    """Return True for `name@host`, and for the same in <> behind a name."""
    try:
        validate_email(parseaddr(text)[1])
    except ValidationError:
        return False
    return text.isprintable()


def _default_sender() -> str:
    try:
        ip_address(PUBLIC_HOST.strip("[]"))
    except ValueError:
        return formataddr(("Partyline", f"partyline@{PUBLIC_HOST}"))
    return formataddr(("Partyline", "partyline@localhost"))


EMAIL_URL = setting(
    "EMAIL_URL",
    env.str,
    "",
    "an e-mail server like smtp+tls://user:password@smtp.example.com:587 (or smtps://, smtp://),"
    " with % and two digits for special characters",
    _is_email_url,
)
_FOUND = _read_email_url(EMAIL_URL) if EMAIL_URL else {}
if (
    urlsplit(EMAIL_URL).scheme == "smtp"
    and _FOUND["EMAIL_HOST_PASSWORD"]
    and _FOUND["EMAIL_HOST"] not in LOOPBACK_NAMES
):
    raise BadSetting(
        "EMAIL_URL would send its password unencrypted: write smtp+tls:// or smtps:// instead of"
        " smtp://."
    )
if urlsplit(EMAIL_URL).scheme == "console" and not (DEMO or DEBUG):
    raise BadSetting(
        "EMAIL_URL=console: prints links that let people in, so it is for the demo and for"
        " developers: name an e-mail server, like smtp+tls://user:password@smtp.example.com:587."
    )
EMAIL_FROM = setting(
    "EMAIL_FROM",
    env.str,
    _default_sender(),
    "the sender of e-mails, like Partyline <texts@example.com>",
    _is_sender,
)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = EMAIL_FROM
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = _FOUND.get("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
EMAIL_HOST = _FOUND.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _FOUND.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _FOUND.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _FOUND.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_FOUND.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(_FOUND.get("EMAIL_USE_SSL"))
