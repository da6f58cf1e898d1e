"""Find the account of ours that an administrator's credentials are for."""

from __future__ import annotations

from collections.abc import Mapping

from inboxes.database import release_connection
from inboxes.encryption import UndecryptableError
from messaging.carriers import http, results
from messaging.carriers.base import Carrier
from messaging.models import CarrierAccount


def find_same_account(
    carrier: Carrier, credentials: Mapping[str, str], identity: results.Identity
) -> CarrierAccount | None:
    """Return the account in use that the credentials belong to, or the only one that has none.

    `identity` is what the carrier said to them. May call the carrier; holds no database connection
    meanwhile. If it cannot be told, an account is another one: nothing of it is replaced.
    """
    in_use = CarrierAccount.objects.filter(carrier=carrier.name, is_active=True)
    empty = []
    for account in in_use.order_by("pk"):
        stored = _stored(account)
        if not stored:
            empty.append(account)
        elif _is_same(carrier, stored, credentials, identity):
            return account
    return empty[0] if len(empty) == 1 else None


def _stored(account: CarrierAccount) -> dict[str, str]:
    """Return what can be read of the stored credentials; empty if nothing is stored."""
    try:
        return {name: value for name, value in account.get_credentials().items() if value}
    except UndecryptableError:
        return {}


def _is_same(
    carrier: Carrier,
    stored: Mapping[str, str],
    credentials: Mapping[str, str],
    identity: results.Identity,
) -> bool:
    """Compare what names the account; only where nothing does, the carrier is asked."""
    if carrier.account_fields:
        return all(
            stored.get(name, "").casefold() == credentials.get(name, "").casefold()
            for name in carrier.account_fields
        )
    release_connection()
    with http.new_client() as client:
        theirs = carrier.identify(stored, client)
    return (
        isinstance(theirs, results.Identity)
        and bool(theirs.account)
        and theirs.account == identity.account
    )
