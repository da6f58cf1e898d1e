"""Web push without a library: encryption (RFC 8188, RFC 8291), identification (RFC 8292), the
request.

The push service sees an endpoint and bytes that only the browser can read.
"""

from __future__ import annotations

import re
import secrets
import time
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpcore
import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from messaging import base64url, private_networks
from messaging.private_networks import INTERNET, Network, Refused

if TYPE_CHECKING:
    from messaging.models import PushSubscription

RECORD_SIZE = 4096
# Seconds for which the push service holds a message for a browser that is away.
TIME_TO_LIVE = 24 * 3600

TOKEN_AGE = 12 * 3600


# A host name of several labels (RFC 1123). The last one begins with a letter: a host that ends in
# a number may be an address, in octal, hexadecimal or one piece (the WHATWG's URL Standard).
HOST_NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class BadEndpoint(ValueError):
    """Raised for an address that we do not call; the text is a sentence for the agent."""


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def read_public_key(p256dh: str) -> ec.EllipticCurvePublicKey:
    """Raise ValueError for bytes that are not a point of the curve."""
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), base64url.decode(p256dh))


def _derive_key(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(material)


def encrypt_message(
    plain: bytes,
    *,
    p256dh: str,
    auth: str,
    sender: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Return one record of `aes128gcm` that only the browser can open.

    `sender` and `salt` are given by tests only; both must be new for each message.
    """
    sender = sender or ec.generate_private_key(ec.SECP256R1())
    salt = salt or secrets.token_bytes(16)
    receiver, ours = base64url.decode(p256dh), public_bytes(sender)
    shared = sender.exchange(ec.ECDH(), read_public_key(p256dh))
    material = _derive_key(
        base64url.decode(auth), shared, b"WebPush: info\0" + receiver + ours, 32
    )
    key = _derive_key(salt, material, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive_key(salt, material, b"Content-Encoding: nonce\0", 12)
    head = salt + RECORD_SIZE.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return head + AESGCM(key).encrypt(nonce, plain + b"\x02", None)


@cache
def _vapid_key(private_key: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(
        int.from_bytes(base64url.decode(private_key), "big"), ec.SECP256R1()
    )


def application_server_key() -> str:
    """Return the public key with which browsers subscribe."""
    return base64url.encode(public_bytes(_vapid_key(settings.VAPID_PRIVATE_KEY)))


def authorization_header(endpoint: str) -> str:
    """Sign a header that names us to one push service, for half a day."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + TOKEN_AGE,
        "sub": settings.VAPID_SUBJECT,
    }
    key = _vapid_key(settings.VAPID_PRIVATE_KEY)
    return f"vapid t={jwt.encode(claims, key, algorithm='ES256')}, k={application_server_key()}"


def check_endpoint(endpoint: str) -> None:
    """Raise BadEndpoint unless it is an https address, usual port, with a public host name."""
    try:
        _parse_endpoint(endpoint, _endpoint_network(endpoint))
    except Refused as error:
        raise BadEndpoint(f"This is no push service's address: {error}.") from error


def _parse_endpoint(endpoint: str, network: Network) -> httpcore.URL:
    """Return the address in parts. Raises Refused unless its host is a name that may be public."""
    url = private_networks.parse_url(endpoint, network)
    host = url.host.decode()
    if not settings.PUSH_ANYWHERE and (len(host) > 253 or not HOST_NAME.fullmatch(host)):
        raise Refused("its host is no public name")
    return url


def _endpoint_network(endpoint: str) -> Network:
    """Return the internet; in tests the network that the address names. Raises Refused."""
    if not settings.PUSH_ANYWHERE:
        return INTERNET
    try:
        parts = urlsplit(endpoint)
        return Network(scheme=parts.scheme, port=parts.port or 0, is_allowed=bool)
    except ValueError as error:
        raise Refused("it cannot be read") from error


def post_message(
    subscription: PushSubscription, plain: bytes, *, end: float, network: Network | None = None
) -> int:
    """Hand a message to the push service and return the status of its response.

    Gives up at `end` (of `time.monotonic`), but see `open_response`. Raises Refused, also for a
    name that leads into our own network, and httpcore's exceptions.
    """
    endpoint = subscription.endpoint
    network = network or _endpoint_network(endpoint)
    url = _parse_endpoint(endpoint, network)
    headers: dict[bytes | str, bytes | str] = {
        "Authorization": authorization_header(endpoint),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(TIME_TO_LIVE),
        "Urgency": "high",
    }
    body = encrypt_message(plain, p256dh=subscription.p256dh, auth=subscription.auth)
    with private_networks.open_response(
        "POST", url, headers, network=network, end=end, content=body
    ) as response:
        return response.status
