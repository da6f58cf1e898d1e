"""Call Bandwidth's account and numbers API, which speaks XML, and JSON of registrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from messaging.carriers import bandwidth_login, bandwidth_xml, results
from messaging.carriers.api_calls import Answer, Api
from messaging.carriers.bandwidth_login import API_HOST


@dataclass(frozen=True, slots=True)
class AccountApi(Api):
    """Log in before each call, if there is no token that still holds."""

    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)

    def url(self, path: str) -> str:
        """Return an address of the account."""
        account = quote(self.credentials.get("account_id", ""), safe="")
        return self.root_url(f"/accounts/{account}{path}")

    def root_url(self, path: str) -> str:
        """Return an address of the API that names no account."""
        return bandwidth_login.url(API_HOST, f"/api/v2{path}")

    def _call(self, method: str, url: str, permission: str, **body: Any) -> Answer:
        login = bandwidth_login.authorize(self.credentials, self.client)
        if isinstance(login, results.NotSent):
            return results.CannotTell(login.detail)
        if not isinstance(login, str):
            return login
        headers = {"authorization": login, "content-type": "application/xml"}
        # The class is made anew for its slots, so `super()` without arguments would fail here.
        answer = Api._call(self, method, url, permission, headers=headers, **body)
        if isinstance(answer, results.AuthFailed):
            bandwidth_login.forget(self.credentials)
        return answer


def open_api(credentials: Mapping[str, str], client: httpx.Client) -> AccountApi | None:
    """Return the API of an account; None if what to log in with is not stored."""
    if not all(credentials.get(name) for name in ("account_id", "client_id", "client_secret")):
        return None
    read_answer, read_error = bandwidth_xml.read_answer, bandwidth_xml.read_error
    return AccountApi("Bandwidth", client, {}, read_answer, read_error, credentials)
