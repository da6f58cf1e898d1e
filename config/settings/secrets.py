"""The secrets: given, or made once into the data folder."""

from cryptography.fernet import Fernet

from config.environment import BadSetting, env, kept_secret, setting
from config.settings.house import DATA_DIR


def _is_fernet_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


SECRET_KEY = setting(
    "SECRET_KEY", env.str, "", "50 or more random characters", lambda key: len(key) >= 50
) or kept_secret(DATA_DIR / "secret_key", lambda: Fernet.generate_key().decode() * 2)
_given: list[str] = setting("FIELD_KEYS", env.list, [], "Fernet keys")
FIELD_KEYS: list[str] = [key.strip() for key in _given]
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
