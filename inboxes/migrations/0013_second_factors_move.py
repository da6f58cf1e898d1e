"""Move authenticator apps and recovery codes from django-otp's tables into allauth's, encrypted.

The old rows are deleted, because they held the secrets in the clear. The empty tables stay for the old
version, which may still run.
"""

import base64
import logging
from typing import Any

from django.db import migrations

from inboxes.encryption import encrypt_text

log = logging.getLogger("inboxes.migrations")

APPS = """
SELECT DISTINCT ON (user_id) user_id, key, step = 30 AND t0 = 0 AND digits = 6
  FROM otp_totp_totpdevice AS device
 WHERE confirmed
 ORDER BY user_id, to_jsonb(device) ->> 'last_used_at' DESC NULLS LAST, id DESC
"""
CODES = """
SELECT device.user_id, array_agg(token.token ORDER BY token.id)
  FROM otp_static_statictoken AS token
  JOIN otp_static_staticdevice AS device ON device.id = token.device_id
 WHERE device.confirmed
 GROUP BY device.user_id
"""


def move_second_factors(apps: Any, schema_editor: Any) -> None:
    """Move what allauth can check: of several apps of one agent the one that was used last."""
    authenticators = apps.get_model("mfa", "Authenticator").objects

    def keep(user_id: int, kind: str, data: dict[str, Any]) -> None:
        authenticators.get_or_create(user_id=user_id, type=kind, defaults={"data": data})

    with schema_editor.connection.cursor() as cursor:
        if _exists(cursor, "otp_totp_totpdevice"):
            cursor.execute(APPS)
            for user_id, key, is_usual in cursor.fetchall():
                secret = _to_base32(key) if is_usual else None
                if secret is None:
                    log.warning("agent %s has to set up two-step sign-in again", user_id)
                else:
                    keep(user_id, "totp", {"secret": encrypt_text(secret)})
            cursor.execute("DELETE FROM otp_totp_totpdevice")
        if _exists(cursor, "otp_static_statictoken"):
            cursor.execute(CODES)
            for user_id, codes in cursor.fetchall():
                encrypted = [encrypt_text(code) for code in codes]
                keep(user_id, "recovery_codes", {"used_mask": 0, "migrated_codes": encrypted})
            cursor.execute("DELETE FROM otp_static_statictoken")
            cursor.execute("DELETE FROM otp_static_staticdevice")


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
        migrations.RunPython(move_second_factors, migrations.RunPython.noop),
    ]
