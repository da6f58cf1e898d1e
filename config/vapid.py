"""The P-256 key that identifies this installation to push services (RFC 8292), in base64url."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from messaging import base64url

CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def make_vapid_key() -> str:
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64url.encode(number.to_bytes(32, "big"))


def is_vapid_key(text: str) -> bool:
    try:
        raw = base64url.decode(text)
    except ValueError:
        return False
    return len(raw) == 32 and 0 < int.from_bytes(raw, "big") < CURVE_ORDER
