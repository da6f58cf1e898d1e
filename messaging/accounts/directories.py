"""Open an account's directory of numbers, holding no database connection meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from inboxes.database import release_connection
from inboxes.encryption import UndecryptableError
from messaging.accounts.troubles import NotPossible
from messaging.carriers import UnknownCarrier, http, numbers, results
from messaging.models import CarrierAccount

UNREADABLE = results.AuthFailed("the account's secret cannot be decrypted")


# So long a request may wait for the carrier; the proxy before us gives up after 30 s.
REQUEST_SECONDS = 24.0


def can_set_up(account: CarrierAccount) -> bool:
    """Return True if the carrier's API can list and route numbers."""
    try:
        return account.adapter.routes_numbers
    except UnknownCarrier:
        return False


@contextmanager
def open_directory(
    account: CarrierAccount, timeout: float | None = None, seconds: float = REQUEST_SECONDS
) -> Iterator[numbers.Directory | results.AuthFailed]:
    """Give the directory, or AuthFailed if there is nothing to log in with. Raise NotPossible.

    `timeout` is in seconds, for each step of a call. All calls together end after `seconds`.
    """
    try:
        credentials = account.get_credentials() if account.encrypted_credentials else {}
        adapter = account.adapter
    except UndecryptableError:
        yield UNREADABLE
        return
    except UnknownCarrier:
        raise NotPossible from None
    release_connection()
    with http.new_client(timeout) as client:
        http.end_calls_after(client, seconds)
        directory = adapter.open_directory(credentials, client)
        if directory is None:
            raise NotPossible
        yield directory
