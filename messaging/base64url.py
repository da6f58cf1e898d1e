"""Encode base64url without padding (RFC 4648 §5), as web push writes keys and payloads."""

from __future__ import annotations

import base64


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes. Raise ValueError for anything that is not base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
