"""Read and write the callbacks of a Bandwidth messaging application.

Follows "Applications" of the account API. An update replaces the whole application. The password
of a callback can be set, and is never told. So the user name that we set ends in a mark of its
password: another password is another user name, which a plan sees.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from messaging.carriers.api_calls import Resource
from messaging.carriers.bandwidth_xml import each, part, text

INBOUND, OUTBOUND = "InboundCallbackUrl", "OutboundCallbackUrl"
INBOUND_LOGIN, OUTBOUND_LOGIN = "InboundCallbackCreds", "OutboundCallbackCreds"
TYPES = "RequestedCallbackTypes"
OUR_TYPES = "message-delivered,message-failed,message-sending"
LABELS = {
    INBOUND: "Inbound callback URL",
    OUTBOUND: "Status callback URL",
    INBOUND_LOGIN: "Inbound callback: user name (with a password)",
    OUTBOUND_LOGIN: "Status callback: user name (with a password)",
    TYPES: "Status callback types",
}


def login_name(user: str, password: str) -> str:
    """Return the user name that goes with a password. The mark is too short to tell of it."""
    return f"{user}-{hashlib.sha256(password.encode()).hexdigest()[:4]}"


def values_of(application: Resource) -> dict[str, str]:
    """Return the callbacks of an application as text; of a login, its user name."""
    return {
        INBOUND: text(application, INBOUND) or text(application, "MsgCallbackUrl"),
        OUTBOUND: text(application, OUTBOUND),
        INBOUND_LOGIN: text(part(application, INBOUND_LOGIN), "UserId"),
        OUTBOUND_LOGIN: text(part(application, OUTBOUND_LOGIN), "UserId"),
        TYPES: ",".join(sorted(each(part(application, TYPES), "CallbackType"))),
    }


def wanted_values(webhook_url: str, credentials: Mapping[str, str]) -> dict[str, str]:
    """Return how our application has to be, as `values_of` returns it."""
    user = login_name(
        credentials.get("callback_user", ""), credentials.get("callback_password", "")
    )
    return {
        INBOUND: webhook_url,
        OUTBOUND: webhook_url,
        INBOUND_LOGIN: user,
        OUTBOUND_LOGIN: user,
        TYPES: OUR_TYPES,
    }


def written(
    read: Resource, values: Mapping[str, str], credentials: Mapping[str, str]
) -> dict[str, Any]:
    """Return an application to be written, with these values.

    A user name that is not ours gets a password that nobody knows, so that ours goes to nobody
    else.
    """
    body: dict[str, Any] = {
        "ServiceType": text(read, "ServiceType"),
        "AppName": text(read, "AppName"),
    }
    user, password = (credentials.get(f"callback_{name}", "") for name in ("user", "password"))
    ours = {user, login_name(user, password)}
    body |= {name: values[name] for name in (INBOUND, OUTBOUND) if values[name]}
    for name in (INBOUND_LOGIN, OUTBOUND_LOGIN):
        if values[name]:
            is_ours = values[name] in ours
            secret = (password if is_ours else "") or secrets.token_urlsafe(24)
            body[name] = {"UserId": values[name], "Password": secret}
    if values[TYPES]:
        body[TYPES] = {"CallbackType": values[TYPES].split(",")}
    return body
