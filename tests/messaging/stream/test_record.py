"""Check what the database itself refuses, and that secrets are encrypted."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from inboxes.encryption import UndecryptableError
from messaging.models import CarrierAccount, Message
from tests.cast import SECRETS, Cast, client_of

ATTEMPT = (
    "INSERT INTO messaging_attempt (message_id, ordinal, account_id, token, carrier_message_id,"
    " state, error_code, error_class, detail, started_at)"
    " VALUES (%s, %s, %s, %s, '', 'sending', '', '', '', now()) RETURNING id"
)


def run_sql(statement: str, *values: Any) -> Any:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() if cursor.description else None


def insert_attempt(cast: Cast, message: Message, ordinal: int = 1) -> int:
    key: int = run_sql(ATTEMPT, message.pk, ordinal, cast.account.pk, uuid.uuid4())[0]
    return key


def make_internal(cast: Cast) -> Message:
    thread = cast.thread()
    return Message.objects.create(
        thread=thread,
        inbox=thread.inbox,
        kind="internal",
        author=cast.ana,
        body="Between us.",
        created_at=timezone.now(),
        seq=thread.seq,
    )


def test_an_internal_message_cannot_be_attempted(cast: Cast) -> None:
    message = make_internal(cast)
    with pytest.raises(IntegrityError, match="Only an outbound message"):
        insert_attempt(cast, message)


def test_an_inbound_message_cannot_be_attempted(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="Only an outbound message"):
        insert_attempt(cast, cast.text_in("Hello?"))


def test_an_attempt_cannot_be_moved_to_an_internal_message(cast: Cast) -> None:
    message = make_internal(cast)
    key = insert_attempt(cast, cast.answer(message.thread, "To the customer"))
    with pytest.raises(IntegrityError, match="Only an outbound message"):
        run_sql("UPDATE messaging_attempt SET message_id = %s WHERE id = %s", message.pk, key)


@pytest.mark.parametrize("new", ["outbound", "inbound"])
def test_an_internal_message_stays_internal(cast: Cast, new: str) -> None:
    message = make_internal(cast)
    with pytest.raises(IntegrityError, match="never changes"):
        run_sql(
            "UPDATE messaging_message SET kind = %s, state = %s, author_id = NULL WHERE id = %s",
            new,
            "queued" if new == "outbound" else "",
            message.pk,
        )
    run_sql("UPDATE messaging_message SET kind = 'internal', body = 'x' WHERE id = %s", message.pk)


def test_an_attempted_message_cannot_become_internal(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "To the customer")
    insert_attempt(cast, message)
    with pytest.raises(IntegrityError, match="never changes"):
        run_sql(
            "UPDATE messaging_message SET kind = 'internal', state = '' WHERE id = %s",
            message.pk,
        )


def test_a_message_has_one_open_attempt(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "To the customer")
    insert_attempt(cast, message)
    with pytest.raises(IntegrityError, match="message_has_one_open_attempt"):
        insert_attempt(cast, message, 2)


def test_two_attempts_of_a_message_cannot_share_an_ordinal(cast: Cast) -> None:
    message = cast.answer(cast.thread(), "To the customer")
    run_sql(
        "UPDATE messaging_attempt SET state = 'unknown' WHERE id = %s",
        insert_attempt(cast, message),
    )
    with pytest.raises(IntegrityError, match="attempts_of_a_message_are_counted"):
        insert_attempt(cast, message)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("kind = 'inbound', author_id = %s, state = ''", "never changes"),
        ("state = ''", "only_outbound_messages_have_a_delivery_state"),
    ],
)
def test_an_outbound_message_has_a_state(cast: Cast, change: str, constraint: str) -> None:
    message = cast.answer(cast.thread(), "To the customer")
    values = [cast.ana.pk] if "%s" in change else []
    with pytest.raises(IntegrityError, match=constraint):
        run_sql(f"UPDATE messaging_message SET {change} WHERE id = %s", *values, message.pk)


def test_an_inbound_message_has_neither_state_nor_author(cast: Cast) -> None:
    message = cast.text_in("Hello?")
    with pytest.raises(IntegrityError, match="only_outbound_messages_have_a_delivery_state"):
        run_sql("UPDATE messaging_message SET state = 'sent' WHERE id = %s", message.pk)
    with pytest.raises(IntegrityError, match="inbound_message_has_no_author"):
        run_sql(
            "UPDATE messaging_message SET author_id = %s WHERE id = %s", cast.ana.pk, message.pk
        )


def test_a_text_is_stored_once_and_a_form_makes_one_message(cast: Cast) -> None:
    text, sent = cast.text_in("Hello?"), cast.answer(cast.thread(), "Hello!")
    for message, constraint in [
        (text, "inbound_message_is_stored_once"),
        (sent, "form_makes_one_message"),
    ]:
        message.pk = None
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            message.save(force_insert=True)


def test_a_number_is_e164_or_a_short_code(cast: Cast) -> None:
    for bad in ("2025550110", "+0123456789", "PARCELBOX", ""):
        with pytest.raises(IntegrityError, match="number_is_e164_or_a_short_code"):
            run_sql("UPDATE messaging_number SET address = %s WHERE inbox_id = %s", bad,
                cast.front_desk.pk)  # fmt: skip


def stored_secrets(account: CarrierAccount) -> str:
    value: str = run_sql(
        "SELECT encrypted_credentials FROM messaging_carrieraccount WHERE id = %s", account.pk
    )[0]
    return value


def test_secrets_are_encrypted_in_the_database(cast: Cast) -> None:
    assert not [secret for secret in SECRETS.values() if secret in stored_secrets(cast.account)]
    assert cast.account.get_credentials() == SECRETS


def test_the_first_key_encrypts_and_every_key_decrypts(cast: Cast, settings: Settings) -> None:
    old, new = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_KEYS = [new, old]
    assert cast.account.get_credentials() == SECRETS
    cast.account.set_credentials(SECRETS)
    cast.account.save()
    settings.FIELD_KEYS = [new]
    assert CarrierAccount.objects.get().get_credentials() == SECRETS
    settings.FIELD_KEYS = [old]
    with pytest.raises(UndecryptableError):
        CarrierAccount.objects.get().get_credentials()


def test_a_save_in_admin_moves_the_secrets_to_the_first_key(
    cast: Cast, settings: Settings
) -> None:
    new = Fernet.generate_key().decode()
    settings.FIELD_KEYS = [new, *settings.FIELD_KEYS]
    address = reverse("admin:messaging_carrieraccount_change", args=[cast.account.pk])
    fields = {"name": "Renamed", "is_active": "on"}
    assert client_of(cast.admin).post(address, fields).status_code == 302
    settings.FIELD_KEYS = [new]
    account = CarrierAccount.objects.get()
    assert (account.name, account.get_credentials()) == ("Renamed", SECRETS)


def test_a_damaged_secret_raises_undecryptable_error(cast: Cast) -> None:
    run_sql("UPDATE messaging_carrieraccount SET encrypted_credentials = 'damaged'")
    with pytest.raises(UndecryptableError):
        CarrierAccount.objects.get().get_credentials()
