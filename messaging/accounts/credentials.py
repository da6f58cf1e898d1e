"""Complete an account's credentials with what nobody need type."""

from __future__ import annotations

import logging

from django.db import transaction

from inboxes.database import release_connection
from inboxes.encryption import UndecryptableError
from messaging.carriers import http
from messaging.models import CarrierAccount

log = logging.getLogger(__name__)


def complete_credentials(*, account: CarrierAccount) -> None:
    """Store what the carrier tells of an account's credentials, or what we may choose ourselves.

    Calls the carrier; holds no database connection meanwhile. What is stored is never replaced.
    Without an answer nothing changes, and the self-test says what is missing.
    """
    try:
        stored = account.get_credentials()
    except UndecryptableError:
        return
    fields = [field for field in account.adapter.credential_fields if field.is_found]
    if all(stored.get(field.name) for field in fields):
        return
    release_connection()
    with http.new_client() as client:
        found = account.adapter.find_credentials(stored, client)
    if not isinstance(found, dict):
        log.warning("Account %s: credentials could not be completed: %s", account.pk, found)
        return
    _store_missing(account=account, found=found)


@transaction.atomic
def _store_missing(*, account: CarrierAccount, found: dict[str, str]) -> None:
    locked = CarrierAccount.objects.select_for_update().get(pk=account.pk)
    stored = locked.get_credentials()
    given = {name: value for name, value in stored.items() if value}
    locked.set_credentials(found | given)
    locked.save(update_fields=["encrypted_credentials"])
    account.encrypted_credentials = locked.encrypted_credentials
