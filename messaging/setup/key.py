"""The one-time key of an installation that nobody has set up yet.

An installation is empty until it has had an administrator. From then on it has been set up, for
good: also if all administrators are demoted later.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from inboxes.encryption import UndecryptableError, decrypt, encrypt
from inboxes.models import Agent
from messaging.models import FirstStart

_BYTES = 32


class AlreadySetUp(Exception):
    """There is an administrator, so the key opens nothing any more."""


def is_empty() -> bool:
    """Return True while the installation has never had an administrator."""
    if Agent.objects.filter(is_staff=True).exists():
        return False
    return not has_ended()


def has_ended() -> bool:
    """Return True if it is on record that there was an administrator."""
    return FirstStart.objects.exclude(ended_at=None).exists()


def setup_address() -> str:
    """Return the address with the key, the same in every process. Raises AlreadySetUp.

    The first call makes the key. A key that FIELD_KEYS cannot decrypt any more is replaced.
    """
    return f"{settings.PUBLIC_URL}{reverse('messaging:setup')}?key={_read_or_make_key()}"


@transaction.atomic
def _read_or_make_key() -> str:
    row = lock_first_start()
    if row.ended_at is not None or Agent.objects.filter(is_staff=True).exists():
        raise AlreadySetUp
    try:
        return decrypt(row.encrypted_key)["key"]
    except (UndecryptableError, KeyError):
        key = secrets.token_urlsafe(_BYTES)
        row.encrypted_key, row.key_hash = encrypt({"key": key}), hash_key(key)
        row.save(update_fields=["encrypted_key", "key_hash"])
        return key


def lock_first_start() -> FirstStart:
    """Return the row, locked until the transaction ends: who comes second waits here."""
    FirstStart.objects.bulk_create([FirstStart(pk=1)], ignore_conflicts=True)
    return FirstStart.objects.select_for_update().get(pk=1)


def hash_key(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def is_our_key(key_hash: str) -> bool:
    """Return True for the hash of this installation's key, also after it has been set up."""
    kept = FirstStart.objects.values_list("key_hash", flat=True).first()
    return bool(kept) and hmac.compare_digest(str(kept).encode(), key_hash.encode())


def end_first_start(*, administrator: Agent) -> None:
    """Note that the installation has an administrator; the key is of no use from now on."""
    FirstStart.objects.bulk_create([FirstStart(pk=1)], ignore_conflicts=True)
    FirstStart.objects.filter(pk=1, ended_at=None).update(
        ended_at=timezone.now(), encrypted_key="", administrator=administrator
    )
