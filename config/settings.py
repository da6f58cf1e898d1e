"""Partyline's settings. Everything that differs between two houses comes from the environment."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import dj_database_url
import phonenumbers
from cryptography.fernet import Fernet
from csp.constants import NONE, SELF

from config.embedded.places import database_settings
from config.environment import BadSetting, env, kept_secret, setting

BASE_DIR = Path(__file__).resolve().parent.parent


def _is_fernet_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and (parts.port is None or parts.port > 0)
        and parts.path in {"", "/"}
        and not (parts.query or parts.fragment or parts.username)
    )


# Where it listens, and under which address people reach it
HOST = setting("HOST", env.str, "127.0.0.1", "the address to listen on, like 127.0.0.1")
PORT = setting("PORT", env.int, 8000, "a port from 1 to 65535", lambda port: 0 < port < 65536)
PUBLIC_URL = setting(
    "PUBLIC_URL",
    env.str,
    f"http://127.0.0.1:{PORT}",
    "the address people open, without a path, like https://texts.example.com",
    _is_origin,
).rstrip("/")
_PUBLIC = urlsplit(PUBLIC_URL)
_PUBLIC_HOST = _PUBLIC.hostname or ""
IS_HTTPS = _PUBLIC.scheme == "https"
LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"]
_IS_LOOPBACK = _PUBLIC_HOST in {"127.0.0.1", "localhost", "::1"}
_PORT_SUFFIX = f":{_PUBLIC.port}" if _PUBLIC.port else ""
# A browser on the same machine may call it by any of its loopback names.
ORIGINS = list(
    dict.fromkeys(
        [PUBLIC_URL]
        + ([f"http://{name}{_PORT_SUFFIX}" for name in LOOPBACK_NAMES] if _IS_LOOPBACK else [])
    )
)
ALLOWED_HOSTS = setting(
    "ALLOWED_HOSTS",
    env.list,
    [*LOOPBACK_NAMES] if _IS_LOOPBACK else [_PUBLIC.netloc.rsplit(":", 1)[0], *LOOPBACK_NAMES],
    "host names with commas between them, like texts.example.com,127.0.0.1",
    lambda hosts: all(host.strip() and "/" not in host for host in hosts),
)
CSRF_TRUSTED_ORIGINS = ORIGINS

# What it is
DEBUG = setting("DJANGO_DEBUG", env.bool, False, "1 or 0")
DEMO = setting("PARTYLINE_DEMO", env.bool, False, "1 or 0")
DATA_DIR = Path(setting("PARTYLINE_DATA", env.str, str(BASE_DIR / "var"), "a folder")).expanduser()
DATA_DIR = (DATA_DIR if DATA_DIR.is_absolute() else BASE_DIR / DATA_DIR).resolve()
ADMIN_SECOND_FACTOR = setting("ADMIN_SECOND_FACTOR", env.bool, not DEMO, "1 or 0")
TIME_ZONE = setting(
    "TIME_ZONE",
    env.str,
    "UTC",
    "a time zone's name, like Europe/Berlin",
    lambda name: name in available_timezones(),
)
DEFAULT_REGION = setting(
    "DEFAULT_REGION",
    lambda name: env.str(name).upper(),
    "US",
    "a country's two letters, like US",
    lambda region: region in phonenumbers.SUPPORTED_REGIONS,
)
LOG_LEVEL = setting(
    "LOG_LEVEL",
    lambda name: env.str(name).upper(),
    "INFO",
    "DEBUG, INFO, WARNING or ERROR",
    lambda level: level in {"DEBUG", "INFO", "WARNING", "ERROR"},
)
# The longest text in characters: ten segments of plain letters, what carriers take at most.
MESSAGE_LIMIT = 1600
WEBHOOK_BODY_LIMIT = setting(
    "WEBHOOK_BODY_LIMIT",
    env.int,
    1024 * 1024,
    "a number of bytes, 1024 or more",
    lambda n: n >= 1024,
)
CARRIER_TIMEOUT = setting(
    "CARRIER_TIMEOUT", env.float, 10.0, "seconds, from 0.1 to 120", lambda s: 0.1 <= s <= 120
)
WORKER_CONCURRENCY = setting(
    "WORKER_CONCURRENCY", env.int, 4, "a number of jobs from 1 to 64", lambda n: 1 <= n <= 64
)

# Secrets: given, or made once into the data folder
SECRET_KEY = setting(
    "SECRET_KEY", env.str, "", "50 or more random characters", lambda key: len(key) >= 50
) or kept_secret(DATA_DIR / "secret_key", lambda: Fernet.generate_key().decode() * 2)
FIELD_KEYS: list[str] = [key.strip() for key in setting("FIELD_KEYS", env.list, [], "Fernet keys")]
if not FIELD_KEYS:
    FIELD_KEYS = (
        kept_secret(DATA_DIR / "field_keys", lambda: Fernet.generate_key().decode())
        .replace("\n", ",")
        .split(",")
    )
if not all(_is_fernet_key(key) for key in FIELD_KEYS):
    raise BadSetting(
        "FIELD_KEYS cannot be used as it is set: it takes Fernet keys (32 random bytes in"
        " url-safe base64) with commas between them; the first one encrypts."
    )

# Applications
AUTH_USER_MODEL = "inboxes.Agent"
FIRST_PARTY_APPS = ["inboxes", "threads", "messaging", *(["messaging.simulator"] if DEMO else [])]
INSTALLED_APPS = [
    "daphne",
    "channels",
    "config.apps.PartylineAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "heroicons",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "csp",
    "procrastinate.contrib.django",
    "django_linear_migrations",
    "config",
    *FIRST_PARTY_APPS,
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.PrivateAnswers",
    "config.middleware.DatabaseAway",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["heroicons.templatetags.heroicons"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# The database
DB_POOL_SIZE = setting(
    "DB_POOL_SIZE", env.int, 20, "a number of connections, 0 for no pool", lambda n: 0 <= n <= 1000
)
DB_POOL_TIMEOUT = setting(
    "DB_POOL_TIMEOUT", env.float, 1.0, "seconds, from 0.1 to 60", lambda s: 0.1 <= s <= 60
)
DATABASE_URL = setting("DATABASE_URL", env.str, "", "postgresql://user:password@host/name")
if DATABASE_URL and urlsplit(DATABASE_URL).scheme not in {"postgres", "postgresql"}:
    raise BadSetting("DATABASE_URL cannot be used as it is set: it takes postgresql://….")
_DATABASE: dict[str, Any] = (
    dict(dj_database_url.parse(DATABASE_URL)) if DATABASE_URL else database_settings(DATA_DIR)
)
_DATABASE |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
_DATABASE.setdefault("OPTIONS", {})["connect_timeout"] = 5
if DB_POOL_SIZE:
    _DATABASE["OPTIONS"]["pool"] = {
        "min_size": min(2, DB_POOL_SIZE),
        "max_size": DB_POOL_SIZE,
        # A webhook that waits longer is better answered 503: the carrier sends it again.
        "timeout": DB_POOL_TIMEOUT,
        # The pool's own retries back off; starting over soon is what finds a restarted server.
        "reconnect_timeout": 4,
    }
DATABASES = {"default": _DATABASE}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Bells and caches
REDIS_URL = setting(
    "REDIS_URL",
    env.str,
    "",
    "redis://host:port/number",
    lambda url: urlsplit(url).scheme in {"redis", "rediss", "unix"},
)
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "partyline"},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
}
# Off only for tests that call the ASGI application inside their own process.
SINGLE_PROCESS_LOCK = setting("SINGLE_PROCESS_LOCK", env.bool, True, "1 or 0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Static files
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "media"
STATIC_HASHED = setting("STATIC_HASHED", env.bool, not DEBUG, "1 or 0")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = False
WHITENOISE_USE_FINDERS = not STATIC_HASHED

# Signing in
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False
OTP_TOTP_ISSUER = f"Partyline {_PUBLIC_HOST}"

# Cookies and transport follow the scheme of PUBLIC_URL: an http house keeps working without TLS.
_HOST_ONLY = "__Host-" if IS_HTTPS else ""
SESSION_COOKIE_NAME = f"{_HOST_ONLY}sessionid"
CSRF_COOKIE_NAME = f"{_HOST_ONLY}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
# With an https address there is a proxy in front that ends TLS and says so (docs/deploying.md).
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF, *(f"ws{origin.removeprefix('http')}" for origin in ORIGINS)],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = max(WEBHOOK_BODY_LIMIT, 2_621_440)

# Words and time
LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "config.logs.DiscreetFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Django's own handlers would print a second time, and mail.
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        # These log whole addresses, with what stands after the question mark.
        **{name: {"level": "WARNING"} for name in ("httpx", "httpcore", "daphne", "asyncio")},
        "procrastinate": {"level": "WARNING"},
        "axes": {"level": "ERROR"},
    },
}
