"""Count recovery codes. This needs no key: they stay encrypted."""

from __future__ import annotations

from typing import Any

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator

from inboxes.models import Agent


def count_left(data: dict[str, Any]) -> int:
    """Return how many codes of an authenticator's data were not used yet."""
    moved = data.get("migrated_codes")
    if moved is not None:
        return len(moved)
    used = int(data.get("used_mask", 0)).bit_count()
    return int(app_settings.RECOVERY_CODE_COUNT) - used


def has_codes_left(agent: Agent) -> bool:
    codes = Authenticator.objects.filter(user=agent, type=Authenticator.Type.RECOVERY_CODES)
    return any(count_left(data) > 0 for data in codes.values_list("data", flat=True))
