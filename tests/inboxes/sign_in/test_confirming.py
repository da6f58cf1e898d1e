"""Before something dangerous, somebody who is signed in confirms that it is them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from inboxes.models import Agent, SignInSettings
from messaging.models import CarrierAccount
from tests.inboxes.sign_in.people import PASSWORD, add_app, code_now, create_agent, sign_in
from tests.markup import read_words

pytestmark = pytest.mark.django_db

ASKED = "/sign-in/confirm/"
FORM = {
    "name": "Main account",
    "is_active": "on",
    "credential_account_sid": "AC" + "1" * 32,
    "credential_auth_token": "a-new-secret",
}


@pytest.fixture
def root() -> Agent:
    return create_agent("root", is_administrator=True)


@pytest.fixture
def account() -> CarrierAccount:
    account = CarrierAccount(carrier="twilio", name="Twilio")
    account.set_credentials({"account_sid": "AC" + "0" * 32, "auth_token": "the-old-secret"})
    account.save()
    return account


@pytest.fixture
def later() -> object:
    """Go on ten minutes later: a sign-in of now is too old then."""
    return time_machine.travel(timezone.now() + timedelta(minutes=10))


def page_of(account: CarrierAccount) -> str:
    return f"/admin/messaging/carrieraccount/{account.pk}/change/"


def secrets_of(account: CarrierAccount) -> dict[str, str]:
    account.refresh_from_db()
    return account.get_credentials()


def test_who_signed_in_just_now_is_not_asked(root: Agent, account: CarrierAccount) -> None:
    answer = sign_in("root").post(page_of(account), FORM)
    assert answer["Location"] == "/admin/messaging/carrieraccount/"
    assert secrets_of(account)["auth_token"] == "a-new-secret"


def test_later_the_password_is_asked_for_and_then_the_form_is_taken(
    root: Agent, account: CarrierAccount, later: time_machine.travel
) -> None:
    client = sign_in("root")
    with later:
        asked = client.post(page_of(account), FORM)
        assert asked["Location"].startswith(f"{ASKED}?next=")
        assert secrets_of(account)["auth_token"] == "the-old-secret"
        assert "Confirm it’s you" in read_words(client.get(asked["Location"]))
        wrong = client.post(asked["Location"], {"password": "wrong"})
        assert "That isn't your password." in read_words(wrong)
        assert secrets_of(account)["auth_token"] == "the-old-secret"
        answer = client.post(asked["Location"], {"password": PASSWORD})
        assert answer["Location"] == "/admin/messaging/carrieraccount/"
        assert secrets_of(account)["auth_token"] == "a-new-secret"
        again = client.post(page_of(account), FORM | {"credential_auth_token": "a-newer-secret"})
        assert again["Location"] == "/admin/messaging/carrieraccount/"


def test_a_form_that_waits_for_the_password_is_not_stored_in_the_clear(
    root: Agent, account: CarrierAccount, later: time_machine.travel
) -> None:
    client = sign_in("root")
    with later:
        client.post(page_of(account), FORM)
    session = Session.objects.get(session_key=client.session.session_key)
    assert "a-new-secret" not in str(session.get_decoded())


def test_what_is_not_dangerous_needs_no_confirmation(
    root: Agent, account: CarrierAccount, later: time_machine.travel
) -> None:
    client = sign_in("root")
    with later:
        client.post(page_of(account), {"name": "Renamed", "is_active": "on"})
    account.refresh_from_db()
    assert account.name == "Renamed"


@pytest.mark.parametrize(
    "changed", [{"is_staff": "on"}, {"email": "somebody@else.test"}, {"display_name": "Mia Two"}]
)
def test_making_an_administrator_or_giving_an_address_is_confirmed(
    root: Agent, later: time_machine.travel, changed: dict[str, str]
) -> None:
    mia = create_agent("mia")
    client, page = sign_in("root"), f"/admin/inboxes/agent/{mia.pk}/change/"
    form = {"username": "mia", "display_name": "Mia"} | changed
    is_dangerous = "display_name" not in changed
    with later:
        asked = client.post(page, form)
        mia.refresh_from_db()
        assert asked["Location"].startswith(ASKED) == is_dangerous
        assert (mia.is_staff, mia.email) == (False, "")
        if is_dangerous:
            client.post(asked["Location"], {"password": PASSWORD})
            mia.refresh_from_db()
            assert mia.is_staff or mia.email


def test_who_needs_two_steps_is_changed_after_a_confirmation(
    root: Agent, later: time_machine.travel
) -> None:
    client, page = sign_in("root"), "/admin/inboxes/signinsettings/1/change/"
    client.get("/admin/inboxes/signinsettings/")
    with later:
        asked = client.post(page, {"two_step": "everybody"})
        assert asked["Location"].startswith(ASKED)
        assert SignInSettings.objects.get().two_step == "nobody"
        client.post(asked["Location"], {"password": PASSWORD})
        assert SignInSettings.objects.get().two_step == "everybody"


def test_a_form_that_is_no_longer_valid_is_shown_at_its_own_address(
    root: Agent, account: CarrierAccount, later: time_machine.travel
) -> None:
    client = sign_in("root")
    with later:
        asked = client.post(page_of(account), FORM)
        account.delete()
        answer = client.post(asked["Location"], {"password": PASSWORD})
        assert answer["Location"] in {page_of(account), "/admin/"}


def test_a_code_confirms_as_well_and_another_way_is_offered(
    root: Agent, account: CarrierAccount, later: time_machine.travel
) -> None:
    add_app(root)
    client = sign_in("root")
    client.post("/sign-in/code/", {"code": code_now()})
    with later:
        asked = client.post(page_of(account), FORM)
        page = read_words(client.get(asked["Location"]))
        assert "Use a code" in page
        answer = client.post("/sign-in/confirm/code/", {"code": code_now()})
        assert answer["Location"] == "/admin/messaging/carrieraccount/"
    assert secrets_of(account)["auth_token"] == "a-new-secret"


def test_a_confirmation_of_another_session_counts_for_nothing(
    root: Agent, account: CarrierAccount, later: time_machine.travel
) -> None:
    client = sign_in("root")
    with later:
        sign_in("root")
        assert client.post(page_of(account), FORM)["Location"].startswith(ASKED)


def test_nobody_who_is_signed_out_reaches_the_pages_that_ask() -> None:
    for path in (ASKED, "/sign-in/confirm/code/", "/sign-in/confirm/passkey/"):
        assert Client().get(path)["Location"] == f"/sign-in/?next={path}"
        assert Client().post(path, {"password": PASSWORD}).status_code == 302


def test_a_page_that_only_shows_secrets_asks_too(root: Agent, later: time_machine.travel) -> None:
    add_app(root)
    client = sign_in("root")
    client.post("/sign-in/code/", {"code": code_now()})
    with later:
        asked = client.get("/account/two-step/codes/new/")
        assert asked["Location"] == f"{ASKED}?next=%2Faccount%2Ftwo-step%2Fcodes%2Fnew%2F"
