"""Copy authenticator apps and recovery codes from django-otp's tables into allauth's, encrypted.

The old rows stay for the old version: it still runs during the upgrade, and perhaps again after a rollback.
A later release drops its tables. What was copied once is not copied again.
"""

import base64
import logging
from typing import Any

from django.db import migrations

from inboxes.encryption import encrypt_text

log = logging.getLogger("inboxes.migrations")

# Of each agent those used last come first.
APPS = """
SELECT user_id, agent.username, key, step = 30 AND t0 = 0 AND digits = 6
  FROM otp_totp_totpdevice AS device
  JOIN inboxes_agent AS agent ON agent.id = user_id
 WHERE confirmed
 ORDER BY user_id, to_jsonb(device) ->> 'last_used_at' DESC NULLS LAST, device.id DESC
"""
CODES = """
SELECT device.user_id, array_agg(token.token ORDER BY token.id)
  FROM otp_static_statictoken AS token
  JOIN otp_static_staticdevice AS device ON device.id = token.device_id
 WHERE device.confirmed
 GROUP BY device.user_id
"""


def copy_second_factors(apps: Any, schema_editor: Any) -> None:
    """Copy what allauth can check: of several apps of one agent the one that was used last."""
    authenticators = apps.get_model("mfa", "Authenticator").objects

    def keep(user_id: int, kind: str, data: dict[str, Any]) -> None:
        authenticators.get_or_create(user_id=user_id, type=kind, defaults={"data": data})

    with schema_editor.connection.cursor() as cursor:
        if _exists(cursor, "otp_totp_totpdevice"):
            cursor.execute(APPS)
            for user_id, secret in _choose_apps(cursor.fetchall()).items():
                keep(user_id, "totp", {"secret": encrypt_text(secret)})
        if _exists(cursor, "otp_static_statictoken"):
            cursor.execute(CODES)
            for user_id, codes in cursor.fetchall():
                encrypted = [encrypt_text(code) for code in codes]
                keep(user_id, "recovery_codes", {"used_mask": 0, "migrated_codes": encrypted})


def _choose_apps(rows: list[tuple[int, str, str, bool]]) -> dict[int, str]:
    """Return a secret for each agent, and name in the log those of whom no app can be checked."""
    chosen: dict[int, str] = {}
    names = {}
    for user_id, username, key, is_usual in rows:
        names[user_id] = username
        secret = _to_base32(key) if is_usual else None
        if secret is not None:
            chosen.setdefault(user_id, secret)
    for user_id in names.keys() - chosen.keys():
        log.warning(
            "The authenticator app of %s has settings that are not taken any more. "
            "Have them sign in and set up two-step sign-in again, at Your account.",
            names[user_id],
        )
    return chosen


def _exists(cursor: Any, table: str) -> bool:
    cursor.execute("SELECT to_regclass(%s)", [table])
    return cursor.fetchone()[0] is not None


def _to_base32(key: str) -> str | None:
    """Return a key of hexadecimal digits as authenticator apps have it; None if it is none."""
    try:
        return base64.b32encode(bytes.fromhex(key)).decode()
    except ValueError:
        return None


class Migration(migrations.Migration):
    dependencies = [
        ("inboxes", "0012_a_cache_for_all_processes"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        migrations.RunPython(copy_second_factors, migrations.RunPython.noop),
    ]
