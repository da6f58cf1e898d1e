"""Say who somebody is, and lie where a test asks for it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator

from tests.openid_provider.people import PEOPLE


def changed(name: str, claims: dict[str, Any]) -> dict[str, Any]:
    """Return the claims with those of the file `name`. A number with a sign is added to the
    true one."""
    file = Path(os.environ["OPENID_PROVIDER_FOLDER"]) / name
    for claim, value in json.loads(file.read_text() if file.exists() else "{}").items():
        if value is None:
            claims.pop(claim, None)
        elif isinstance(value, str) and value[:1] in "+-" and value[1:].isdigit():
            claims[claim] = int(claims[claim]) + int(value)
        else:
            claims[claim] = value
    return claims


class Claims(OAuth2Validator):
    oidc_claim_scope = None

    def finalize_id_token(self, id_token: Any, *about: Any) -> str:
        """Sign whatever is claimed with the provider's own key."""
        self._id_token = id_token
        return str(super().finalize_id_token(id_token, *about))

    def get_id_token_dictionary(self, token: Any, token_handler: Any, request: Any) -> Any:
        claims, expires_at = super().get_id_token_dictionary(token, token_handler, request)
        if "nonce" not in self._id_token and request.nonce:
            self._id_token["nonce"] = request.nonce
        whole = changed("claims.json", dict(self._id_token) | claims)
        self._id_token.clear()
        request.nonce = None
        whole.setdefault("jti", claims["jti"])
        return whole, expires_at

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        person = PEOPLE[request.user.username]
        email = {"email": person.email, "email_verified": person.is_verified}
        return {"sub": f"id-of-{person.username}", "name": person.username} | (
            email if person.email else {}
        )

    def get_userinfo_claims(self, request: Any) -> dict[str, Any]:
        return changed("userinfo.json", super().get_userinfo_claims(request))
