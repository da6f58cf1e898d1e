"""Apps, middleware, templates, static files and uploads."""

from importlib.util import find_spec
from typing import Any

from config.environment import BadSetting, env, setting
from config.settings.installation import BASE_DIR, DATA_DIR, DEBUG

AUTH_USER_MODEL = "inboxes.Agent"
FIRST_PARTY_APPS = ["inboxes", "threads", "messaging", "messaging.simulator"]
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
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "csp",
    "config",  # before procrastinate: its worker's command is ours
    "procrastinate.contrib.django",
    "django_linear_migrations",
    *FIRST_PARTY_APPS,
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.PageCompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.PrivateCacheMiddleware",
    "config.middleware.UnavailableDatabaseMiddleware",
    "config.middleware.WebhookHostMiddleware",
    "config.middleware.BusyPasswordsMiddleware",
    "config.middleware.NulCharacterMiddleware",
    "config.middleware.WrongMethodMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.middleware.HiddenPagesMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.FirstStartMiddleware",
    "config.middleware.LocaleMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "inboxes.sign_in.middleware.SignInMiddleware",
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

# Static files
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_HASHED = setting("STATIC_HASHED", env.bool, not DEBUG, "1 or 0")

# Attachments: in a folder that no server publishes, or in a bucket. Views serve them.
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_BUCKET = setting("MEDIA_BUCKET", env.str, "", "the name of an S3 bucket")
if MEDIA_BUCKET and find_spec("storages") is None:
    raise BadSetting(
        "MEDIA_BUCKET needs a library that is not installed: pip install 'django-storages[s3]'."
    )
_FOLDER = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
}
_BUCKET = {
    "BACKEND": "storages.backends.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": MEDIA_BUCKET,
        "endpoint_url": setting(
            "MEDIA_ENDPOINT",
            env.str,
            None,
            "the https address of a service that speaks S3",
            lambda url: str(url).startswith(("https://", "http://")),
        ),
        "region_name": setting(
            "MEDIA_REGION", env.str, None, "a region's name, like eu-central-1"
        ),
        "file_overwrite": False,
    },
}
STORAGES: dict[str, dict[str, Any]] = {
    "default": _BUCKET if MEDIA_BUCKET else _FOLDER,
    "staticfiles": {
        "BACKEND": "config.storage.HashedFiles"
        if STATIC_HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_USE_FINDERS = not STATIC_HASHED
# No other site needs our files, and the header would come with each of them.
WHITENOISE_ALLOW_ALL_ORIGINS = False
