"""Secrets: from the environment, or generated once and kept in the data folder."""

from cryptography.fernet import Fernet

from config.environment import BadSetting, env, load_or_create_secret, setting
from config.settings.installation import DATA_DIR, IS_HTTPS, PUBLIC_HOST, PUBLIC_URL
from config.vapid import is_vapid_key, make_vapid_key


def _is_fernet_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


SECRET_KEY = setting(
    "SECRET_KEY", env.str, "", "50 or more random characters", lambda key: len(key) >= 50
) or load_or_create_secret(DATA_DIR / "secret_key", lambda: Fernet.generate_key().decode() * 2)
_given: list[str] = setting("FIELD_KEYS", env.list, [], "Fernet keys")
FIELD_KEYS: list[str] = [key.strip() for key in _given]
if not FIELD_KEYS:
    FIELD_KEYS = (
        load_or_create_secret(DATA_DIR / "field_keys", lambda: Fernet.generate_key().decode())
        .replace("\n", ",")
        .split(",")
    )
if not all(_is_fernet_key(key) for key in FIELD_KEYS):
    raise BadSetting(
        "FIELD_KEYS cannot be used as it is set: it takes Fernet keys (32 random bytes in"
        " url-safe base64) with commas between them; the first one encrypts."
    )

# Web push: the key that identifies us to push services (RFC 8292), and their contact for us.
VAPID_PRIVATE_KEY = setting(
    "VAPID_PRIVATE_KEY",
    env.str,
    "",
    "a P-256 private key in url-safe base64, as `manage.py make_vapid_keys` prints it",
    is_vapid_key,
) or load_or_create_secret(DATA_DIR / "vapid_key", make_vapid_key)
VAPID_SUBJECT = setting(
    "VAPID_SUBJECT",
    env.str,
    PUBLIC_URL if IS_HTTPS else f"mailto:admin@{PUBLIC_HOST}",
    "an address for push services to complain to, like mailto:admin@example.com",
    lambda subject: subject.startswith(("mailto:", "https://")),
)
# For the tests, whose push service speaks http on this machine. No variable turns it on.
PUSH_ANYWHERE = False
