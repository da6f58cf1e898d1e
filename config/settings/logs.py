"""Logging to the console."""

from typing import Any

from config.settings.installation import LOG_LEVEL

OURS = ("config", "inboxes", "threads", "messaging")
# Below the level of a warning, libraries log what passes through them: templates their context,
# with texts and tokens; the database its queries; HTTP clients and servers whole URLs. So
# LOG_LEVEL lowers only the level of our own loggers, which log ids.
_OTHERS = "ERROR" if LOG_LEVEL == "ERROR" else "WARNING"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "config.logs.RedactingFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": _OTHERS},
    "loggers": {
        **{name: {"level": LOG_LEVEL} for name in OURS},
        # Django's own handlers would print a second time, and mail.
        **{
            name: {"handlers": [], "level": _OTHERS, "propagate": True}
            for name in ("django", "django.server")
        },
    },
}
