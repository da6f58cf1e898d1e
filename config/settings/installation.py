"""The installation: its addresses, its mode, its data folder and its limits."""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import phonenumbers

from config.data_folder import find_data_folder
from config.environment import BadSetting, env, setting

BASE_DIR = Path(__file__).resolve().parent.parent.parent
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    """Return True for names that always mean this machine."""
    return name == "localhost" or (_is_address(name) and ip_address(name.strip("[]")).is_loopback)


def _is_host(name: str) -> bool:
    """Return True for one name or address. To Django, a `*` would mean any host at all."""
    return bool(_NAME.fullmatch(name)) or _is_address(name)


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return (
        parts.scheme in {"http", "https"}
        and _is_host(parts.hostname or "")
        and (parts.port is None or parts.port > 0)
        and parts.path in {"", "/"}
        and not (parts.query or parts.fragment or parts.username)
    )


# The address to listen on, and the address that people open
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
PUBLIC_HOST = _PUBLIC.hostname or ""
IS_HTTPS = _PUBLIC.scheme == "https"
LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"]
_IS_LOOPBACK = _is_loopback(PUBLIC_HOST)
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
    "host names with commas between them, like texts.example.com,127.0.0.1, and no *",
    # A name with a leading dot also allows its subdomains.
    lambda hosts: all(_is_host(host.strip().removeprefix(".")) for host in hosts),
)
CSRF_TRUSTED_ORIGINS = ORIGINS
# Where the simulator's two ends find each other; if empty, at PUBLIC_URL.
SIMULATOR_API_URL = setting(
    "SIMULATOR_API_URL",
    env.str,
    "",
    "an address at which Partyline can be called from its own machine, like http://web:8000",
    _is_origin,
).rstrip("/")

# Mode, data and region
DEBUG = setting("DJANGO_DEBUG", env.bool, False, "1 or 0")
DEMO = setting("PARTYLINE_DEMO", env.bool, False, "1 or 0")
# Everybody knows the demo's passwords, and Django's error pages show what only developers should
# see.
for _name, _is_on in (("PARTYLINE_DEMO", DEMO), ("DJANGO_DEBUG", DEBUG)):
    for _where, _hosts in (
        ("PUBLIC_URL", [PUBLIC_HOST]),
        ("HOST", [HOST]),
        ("ALLOWED_HOSTS", ALLOWED_HOSTS),
    ):
        if _is_on and not all(map(_is_loopback, _hosts)):
            raise BadSetting(
                f"{_name}=1 is for this machine only, so {_where} takes 127.0.0.1 or localhost:"
                f" change {_where}, or leave {_name} out."
            )
DATA_DIR = find_data_folder(BASE_DIR, setting("PARTYLINE_DATA", env.str, "", "a folder"))
# Who has to sign in with two steps. The administration's own switch can only ask for more.
TWO_STEP_SIGN_IN = setting(
    "TWO_STEP_SIGN_IN",
    lambda name: env.str(name).lower(),
    "nobody" if DEMO else "administrators",
    "nobody, administrators or everybody",
    lambda who: who in {"nobody", "administrators", "everybody"},
)
if os.environ.get("ADMIN_SECOND_FACTOR", "").strip():
    raise BadSetting(
        "ADMIN_SECOND_FACTOR is gone: set TWO_STEP_SIGN_IN to nobody, administrators or everybody"
        " instead."
    )
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
# The longest text in characters: ten segments of plain letters, the most that a carrier takes.
MESSAGE_LIMIT = 1600
WEBHOOK_BODY_LIMIT = setting(
    "WEBHOOK_BODY_LIMIT",
    env.int,
    1024 * 1024,
    "a number of bytes, 1024 or more",
    lambda n: n >= 1024,
)
SOCKETS_PER_ADDRESS = setting(
    "SOCKETS_PER_ADDRESS", env.int, 400, "a number of open pages, 1 or more", lambda n: n >= 1
)
WEBHOOK_TOLERANCE = setting(
    "WEBHOOK_TOLERANCE", env.int, 300, "seconds, from 30 to 3600", lambda s: 30 <= s <= 3600
)
CARRIER_TIMEOUT = setting(
    "CARRIER_TIMEOUT", env.float, 10.0, "seconds, from 0.1 to 120", lambda s: 0.1 <= s <= 120
)
PARKED_RECEIPT_DAYS = setting(
    "PARKED_RECEIPT_DAYS", env.int, 30, "a number of days from 1 to 365", lambda n: 1 <= n <= 365
)
WORKER_CONCURRENCY = setting(
    "WORKER_CONCURRENCY", env.int, 4, "a number of jobs from 1 to 64", lambda n: 1 <= n <= 64
)
TEXT_EXPIRY_HOURS = setting(
    "TEXT_EXPIRY_HOURS",
    env.float,
    4.0,
    "hours, from 0.1 to 72",
    lambda hours: 0.1 <= hours <= 72,
)

# Language and time
LANGUAGE_CODE = "en-us"
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "config/locale"]  # our words in place of Django's
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]
