"""Find carrier accounts that can't work: without their secrets, or not accepted by the carrier."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from inboxes.badges import name_some
from inboxes.encryption import UndecryptableError
from messaging.administration.troubles import LATELY, MANY, Trouble, list_url, page_url
from messaging.carriers import UnknownCarrier
from messaging.models import Attempt, CarrierAccount, DeliveryState

# Error classes of attempts that the account itself is the reason for.
OF_THE_ACCOUNT = {
    "auth": "the carrier doesn't accept its secrets",
    "account": "the carrier has suspended or limited it",
    "funds": "it has no credit left at the carrier",
}
TESTED_BAD = "its last self-test found a problem"
UNDECRYPTABLE = "its secrets can't be decrypted with FIELD_KEYS: enter them again"


def missing_secrets(account: CarrierAccount) -> str:
    """Return what is wrong with the stored secrets, or "" if they are complete."""
    try:
        fields = account.adapter.credential_fields
    except UnknownCarrier:
        return ""
    try:
        stored = account.get_credentials() if account.encrypted_credentials else {}
    except UndecryptableError:
        return UNDECRYPTABLE
    missing = [field.label for field in fields if field.is_required and not stored.get(field.name)]
    return f"missing: {', '.join(missing)}" if missing else ""


def find_failing_accounts(now: datetime) -> dict[CarrierAccount, str]:
    """Return the accounts in use that can't work, each with the reason."""
    accounts = CarrierAccount.objects.filter(is_active=True).order_by("name")[:MANY]
    refused = _find_refused(now)
    failing = {}
    for account in accounts:
        reason = missing_secrets(account) or refused.get(account.pk, "")
        if not reason and any(finding["level"] == "bad" for finding in account.self_test):
            reason = TESTED_BAD
        if reason and account.is_on:
            failing[account] = reason
    return failing


def find_troubles(now: datetime) -> Iterator[Trouble]:
    failing = find_failing_accounts(now)
    if not failing:
        return
    [first, *others] = failing
    if others:
        words = f"{name_some([account.name for account in failing])} don't work."
    else:
        words = f"{first.name}: {failing[first]}."
    yield Trouble(
        "accounts",
        len(failing),
        "Carrier accounts fail" if others else "A carrier account fails",
        words,
        list_url("carrieraccount", "state=failing")
        if others
        else page_url("carrieraccount", first.pk),
        "See the accounts" if others else "See the account",
    )


def _find_refused(now: datetime) -> dict[int, str]:
    """Return accounts whose newest texts were refused for a reason of the account, with it."""
    wrong = Attempt.objects.filter(state__in=[DeliveryState.FAILED, DeliveryState.UNKNOWN])
    newest = wrong.order_by("-pk").values_list("account", "error_class", "pk", "started_at")
    refused: dict[int, tuple[int, str]] = {}
    for account_id, error_class, pk, started_at in newest[:MANY]:
        if started_at >= now - LATELY and error_class in OF_THE_ACCOUNT:
            refused.setdefault(account_id, (pk, OF_THE_ACCOUNT[error_class]))
    taken = [DeliveryState.SENT, DeliveryState.DELIVERED]
    return {
        account_id: reason
        for account_id, (pk, reason) in refused.items()
        if not Attempt.objects.filter(account=account_id, pk__gt=pk, state__in=taken).exists()
    }
