"""A carrier account's page in admin: its secrets are replaced and forgotten there."""

from __future__ import annotations

from django.urls import reverse

from messaging.models import CarrierAccount
from tests.cast import SECRETS, Cast, client_of
from tests.markup import read_words
from tests.messaging.carrier_calls import post_webhook, text_fields

FORGET = "Delete the previous auth token"


def page(account: CarrierAccount) -> str:
    return reverse("admin:messaging_carrieraccount_change", args=[account.pk])


def save(cast: Cast, **fields: str) -> str:
    """Save the account's page; returns what is shown then."""
    told = {"name": cast.account.name, "is_active": "on", **fields}
    answer = client_of(cast.admin).post(page(cast.account), told, follow=True)
    cast.account.refresh_from_db()
    return answer.content.decode()


def test_the_secret_before_a_new_one_is_accepted_until_it_is_forgotten(cast: Cast) -> None:
    assert FORGET not in client_of(cast.admin).get(page(cast.account)).content.decode()
    save(
        cast,
        credential_auth_token="newer",
        credential_previous_auth_token=SECRETS["auth_token"],
    )
    assert post_webhook(cast.account, text_fields("One")).status_code == 200
    save(cast)
    assert post_webhook(cast.account, text_fields("Two", sid="SM-in-2")).status_code == 200

    assert FORGET in client_of(cast.admin).get(page(cast.account)).content.decode()
    save(cast, forget_previous_auth_token="on")
    assert post_webhook(cast.account, text_fields("Three", sid="SM-in-3")).status_code == 403
    assert (
        post_webhook(cast.account, text_fields("Four", sid="SM-in-4"), token="newer").status_code
        == 200
    )
    assert "previous_auth_token" not in cast.account.get_credentials()


def test_what_an_account_needs_cannot_be_forgotten(cast: Cast) -> None:
    save(cast, forget_auth_token="on", forget_account_sid="on")
    assert cast.account.get_credentials() == SECRETS


def test_a_key_pasted_with_an_invisible_character_is_not_taken(cast: Cast) -> None:
    assert "contains an invisible character" in save(cast, credential_auth_token="pas\u200bted")
    assert cast.account.get_credentials() == SECRETS
    save(cast, credential_auth_token=" pasted ")
    assert cast.account.get_credentials()["auth_token"] == "pasted"


def test_an_account_of_an_unknown_carrier_can_be_seen_and_given_up(
    cast: Cast,
) -> None:
    CarrierAccount.objects.update(carrier="forgotten")
    admin = client_of(cast.admin)
    for address in (
        reverse("admin:messaging_carrieraccount_changelist"),
        reverse("admin:messaging_number_changelist"),
        page(cast.account),
    ):
        assert "This carrier isn't available here." in read_words(admin.get(address))
    test = reverse("admin:messaging_carrieraccount_self_test", args=[cast.account.pk])
    assert admin.post(test).status_code == 404
    admin.post(page(cast.account), {"name": "Given up"})
    cast.account.refresh_from_db()
    assert (cast.account.name, cast.account.is_active) == ("Given up", False)
    assert cast.account.get_credentials() == SECRETS
