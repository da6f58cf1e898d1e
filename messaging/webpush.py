"""Web push without a library: encryption (RFC 8188, RFC 8291), our name (RFC 8292), the request.

What the push service sees is an endpoint and bytes that only the browser can read.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import secrets
import socket
import time
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

if TYPE_CHECKING:
    from messaging.models import PushSubscription

RECORD_SIZE = 4096
TIMEOUT = 10.0
KEEP_FOR = 24 * 3600
"""Seconds for which the push service holds a message for a browser that is away."""

TOKEN_AGE = 12 * 3600


class BadEndpoint(ValueError):
    """An address that we do not call: not https, or not on the public internet."""


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Raise ValueError for what is not base64."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def read_public_key(p256dh: str) -> ec.EllipticCurvePublicKey:
    """Raise ValueError for what is no point of the curve."""
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(p256dh))


def _derive(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(material)


def encrypt(
    plain: bytes,
    *,
    p256dh: str,
    auth: str,
    sender: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """One record of `aes128gcm` that the browser alone can open. Key and salt are given in tests
    alone; both must be new for each message."""
    sender = sender or ec.generate_private_key(ec.SECP256R1())
    salt = salt or secrets.token_bytes(16)
    receiver, ours = unb64(p256dh), public_bytes(sender)
    shared = sender.exchange(ec.ECDH(), read_public_key(p256dh))
    material = _derive(unb64(auth), shared, b"WebPush: info\0" + receiver + ours, 32)
    key = _derive(salt, material, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(salt, material, b"Content-Encoding: nonce\0", 12)
    head = salt + RECORD_SIZE.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return head + AESGCM(key).encrypt(nonce, plain + b"\x02", None)


@cache
def _vapid_key(private_key: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(unb64(private_key), "big"), ec.SECP256R1())


def application_server_key() -> str:
    """What a browser subscribes with."""
    return b64(public_bytes(_vapid_key(settings.VAPID_PRIVATE_KEY)))


def authorization(endpoint: str) -> str:
    """Who we are, signed for one push service and half a day."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + TOKEN_AGE,
        "sub": settings.VAPID_SUBJECT,
    }
    words = [json.dumps(part).encode() for part in ({"typ": "JWT", "alg": "ES256"}, claims)]
    signed = ".".join(b64(word) for word in words)
    key = _vapid_key(settings.VAPID_PRIVATE_KEY)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={application_server_key()}"


def check_endpoint(endpoint: str) -> None:
    """Raise BadEndpoint for what is no https address with a host name of the usual port."""
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError as error:
        raise BadEndpoint("The address cannot be read.") from error
    if settings.PUSH_ANYWHERE:
        return
    if parts.scheme != "https" or not parts.hostname or port not in {None, 443} or parts.username:
        raise BadEndpoint("A push service has an https address.")
    if "." not in parts.hostname or _is_address(parts.hostname):
        raise BadEndpoint("A push service has a public name.")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def public_address(host: str) -> str:
    """Resolve once, and refuse what leads into our own network. Raises BadEndpoint, OSError."""
    found = {str(info[4][0]) for info in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)}
    addresses = [ipaddress.ip_address(one) for one in found]
    if not addresses or not all(one.is_global and not one.is_multicast for one in addresses):
        raise BadEndpoint("The push service's name leads to a private address.")
    # Of the same family as most houses have: version 4 first.
    return str(min(addresses, key=lambda one: (one.version, str(one))))


def post(subscription: PushSubscription, plain: bytes, *, client: httpx.Client) -> int:
    """Hand a message to the push service; the status that it answered.

    The name is resolved once and the connection goes to that address, with the name for TLS.
    Raises BadEndpoint, OSError for a name that does not resolve, httpx.HTTPError.
    """
    endpoint = subscription.endpoint
    check_endpoint(endpoint)
    url = httpx.URL(endpoint)
    extensions: dict[str, str] = {}
    headers = {
        "Authorization": authorization(endpoint),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(KEEP_FOR),
        "Urgency": "high",
        "Host": url.netloc.decode(),
    }
    if not settings.PUSH_ANYWHERE:
        extensions = {"sni_hostname": url.host}
        url = url.copy_with(host=public_address(url.host))
    body = encrypt(plain, p256dh=subscription.p256dh, auth=subscription.auth)
    with client.stream(
        "POST", url, content=body, headers=headers, extensions=extensions
    ) as answer:
        return answer.status_code


def new_client() -> httpx.Client:
    """Without proxies and redirects, which would lead round the check of the address."""
    return httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False)
