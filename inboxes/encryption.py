"""Encrypt secrets at rest: Fernet tokens under the first of `FIELD_KEYS`, read with any."""

from __future__ import annotations

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class UndecryptableError(Exception):
    """Say that no key opens the stored secret: a person has to enter it again."""


def encrypt(values: dict[str, str]) -> str:
    return encrypt_text(json.dumps(values))


def decrypt(token: str) -> dict[str, str]:
    """Return the values. Raise UndecryptableError if the key is gone or the token is damaged."""
    values: dict[str, str] = json.loads(decrypt_text(token))
    return values


def encrypt_text(text: str) -> str:
    return _fernet().encrypt(text.encode()).decode()


def decrypt_text(token: str) -> str:
    """Return the text. Raise UndecryptableError if the key is gone or the token is damaged."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise UndecryptableError from error


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])
