"""An authenticator in software, which makes passkeys and answers with them as a browser does."""

from __future__ import annotations

import json
import secrets
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import sha256, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from inboxes.models import Agent

SITE, ORIGIN = "localhost", "http://localhost:8000"
FLAG = AuthenticatorData.FLAG
PRESENT, VERIFIED = FLAG.UP, FLAG.UP | FLAG.UV


class Device:
    """Hold one passkey of one agent."""

    def __init__(self, agent: Agent) -> None:
        self.handle = user_pk_to_url_str(agent).encode()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(16)
        public = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]
        credential = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        data = AuthenticatorData.create(
            sha256(SITE.encode()), VERIFIED | FLAG.AT, 0, bytes(credential)
        )
        response = {
            "clientDataJSON": websafe_encode(_client_data("webauthn.create", "abcd", ORIGIN)),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        }
        self.row = Authenticator.objects.create(
            user=agent,
            type=Authenticator.Type.WEBAUTHN,
            data={"name": "Phone", "credential": self._credential(response)},
        )

    def answer(
        self,
        challenge: str,
        *,
        site: str = SITE,
        origin: str = ORIGIN,
        flags: Any = VERIFIED,
        handle: bytes | None = None,
        signed_by: ec.EllipticCurvePrivateKey | None = None,
    ) -> str:
        """Return what a form sends as its credential."""
        data = AuthenticatorData.create(sha256(site.encode()), flags, 1)
        client = _client_data("webauthn.get", challenge, origin)
        signature = (signed_by or self.key).sign(
            bytes(data) + sha256(client), ec.ECDSA(hashes.SHA256())
        )
        response = {
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
            "userHandle": websafe_encode(handle or self.handle),
        }
        return json.dumps(self._credential(response))

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": websafe_encode(self.id),
            "rawId": websafe_encode(self.id),
            "type": "public-key",
            "clientExtensionResults": {"credProps": {"rk": True}},
            "response": response,
        }


def _client_data(kind: str, challenge: str, origin: str) -> bytes:
    return bytes(CollectedClientData.create(type=kind, challenge=challenge, origin=origin))
