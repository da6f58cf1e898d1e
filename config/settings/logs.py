"""Logging to the console, ids only."""

from typing import Any

from config.settings.house import LOG_LEVEL

OURS = ("config", "inboxes", "threads", "messaging")
# Below a warning other people's code logs whatever passes: templates what they draw, with every
# text and token; the database what it is asked; clients and servers whole addresses. So LOG_LEVEL
# lowers ours alone, which log ids.
_OTHERS = "ERROR" if LOG_LEVEL == "ERROR" else "WARNING"

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
    "root": {"handlers": ["console"], "level": _OTHERS},
    "loggers": {
        **{name: {"level": LOG_LEVEL} for name in OURS},
        # Django's own handlers would print a second time, and mail.
        **{
            name: {"handlers": [], "level": _OTHERS, "propagate": True}
            for name in ("django", "django.server")
        },
        "axes": {"level": "ERROR"},
    },
}
