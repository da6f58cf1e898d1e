"""Before something dangerous, somebody who is signed in confirms that it is them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from inboxes.models import Agent, OneTimeLink, SignInSettings
from messaging.models import CarrierAccount
from tests.inboxes.sign_in.people import PASSWORD, add_app, code_now, create_agent, sign_in
from tests.markup import read_words

pytestmark = pytest.mark.django_db

ASKED = "/sign-in/confirm/"
INVITE = "/admin/inboxes/onetimelink/add/"
TO_CHANGE = "To change a carrier account's secrets, confirm that it’s you."
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
        page = read_words(client.get(asked["Location"]))
        assert "Confirm it’s you" in page
        assert TO_CHANGE in page
        wrong = client.post(asked["Location"], {"password": "wrong"})
        assert "That isn't your password." in read_words(wrong)
        assert secrets_of(account)["auth_token"] == "the-old-secret"
        answer = client.post(asked["Location"], {"password": PASSWORD})
        assert answer["Location"] == "/admin/messaging/carrieraccount/"
        assert secrets_of(account)["auth_token"] == "a-new-secret"
        again = client.post(page_of(account), FORM | {"credential_auth_token": "a-newer-secret"})
        assert again["Location"] == "/admin/messaging/carrieraccount/"


def invitation(name: str) -> dict[str, str]:
    return {"people": name, "is_administrator": "on"}


def invited() -> set[str]:
    return set(OneTimeLink.objects.values_list("name", flat=True))


def test_each_tab_confirms_what_it_shows_itself(
    root: Agent, account: CarrierAccount, later: time_machine.travel
) -> None:
    client = sign_in("root")
    with later:
        first = client.post(page_of(account), FORM)["Location"]
        second = client.post(INVITE, invitation("Eva"))["Location"]
        third = client.post(INVITE, invitation("Gil"))["Location"]
        assert TO_CHANGE in read_words(client.get(first))
        to_invite = "To invite an administrator, confirm that it’s you."
        assert to_invite in read_words(client.get(second))
        client.post(first, {"password": PASSWORD})
        assert secrets_of(account)["auth_token"] == "a-new-secret"
        assert invited() == set()
        client.post(third, {"password": PASSWORD})
        assert invited() == {"Gil"}
        client.post(second, {"password": PASSWORD})
        assert invited() == {"Gil", "Eva"}


def test_what_waits_longer_than_five_minutes_is_not_done(root: Agent) -> None:
    client, start = sign_in("root"), timezone.now()
    with time_machine.travel(start + timedelta(minutes=10)):
        asked = client.post(INVITE, invitation("Planted"))["Location"]
    with time_machine.travel(start + timedelta(minutes=16)):
        assert "To invite" not in read_words(client.get(asked))
        answer = client.post(asked, {"password": PASSWORD}, follow=True)
        assert answer.redirect_chain == [(INVITE, 302)]
        assert "You didn't confirm it within five minutes" in read_words(answer)
    assert invited() == set()


def test_a_page_that_asks_for_something_else_does_nothing_that_waits(
    root: Agent, later: time_machine.travel
) -> None:
    client = sign_in("root")
    with later:
        asked = client.post(INVITE, invitation("Planted"))["Location"]
        mark = asked.partition("%23")[2]
        for other in ("", "?next=/account/", f"?next={INVITE}", f"?next=/account/%23{mark}"):
            client.post(f"{ASKED}{other}", {"password": PASSWORD})
    assert invited() == set()


def test_few_forms_wait_at_once(root: Agent, later: time_machine.travel) -> None:
    client = sign_in("root")
    with later:
        asked = [client.post(INVITE, invitation(f"N{n}"))["Location"] for n in range(6)]
        for one in asked:
            client.post(one, {"password": PASSWORD})
    assert invited() == {"N1", "N2", "N3", "N4", "N5"}


@pytest.mark.parametrize("path", [ASKED, f"{ASKED}?next=/settings/", f"{ASKED}?next=//x/%23deed-"])
def test_where_nothing_is_known_the_page_asks_in_general(root: Agent, path: str) -> None:
    page = read_words(sign_in("root").get(path))
    assert "Enter the password of" in page
    assert "confirm that" not in page


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
        page = client.get(asked["Location"]).text
        assert "Use a code" in page
        code_page = asked["Location"].replace(ASKED, f"{ASKED}code/")
        assert escape(code_page) in page
        assert TO_CHANGE in read_words(client.get(code_page))
        answer = client.post(code_page, {"code": code_now()})
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
        assert "To make new recovery codes, confirm" in read_words(client.get(asked["Location"]))
