"""PostgreSQL, Redis, and caches."""

from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from config.embedded.paths import database_settings
from config.environment import BadSetting, env, setting
from config.settings.installation import DATA_DIR

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
        # For a webhook that waits longer, a 503 is better: the carrier sends it again.
        "timeout": DB_POOL_TIMEOUT,
        # The pool's own retries back off; starting over soon finds a restarted server.
        "reconnect_timeout": 4,
    }
DATABASES = {"default": _DATABASE}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Channel layer and caches
REDIS_URL = setting(
    "REDIS_URL",
    env.str,
    "",
    "redis://host:port/number",
    lambda url: urlsplit(url).scheme in {"redis", "rediss", "unix"},
)
# No long waits or retries in the channel layer: a lost message only makes pages late, and the
# subscriber makes up for it.
_REDIS = {
    "address": REDIS_URL,
    "socket_connect_timeout": 2.0,
    "socket_timeout": 2.0,
    "retry": Retry(NoBackoff(), 1),
}
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [_REDIS], "prefix": "partyline"},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
}
# Switched off only by tests that call the ASGI application inside their own process.
SINGLE_PROCESS_LOCK = setting("SINGLE_PROCESS_LOCK", env.bool, True, "1 or 0")
# One cache for all processes: it remembers which codes of an authenticator app were used.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
