"""Logging to the console, ids only."""

from typing import Any

from config.settings.house import LOG_LEVEL

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
