"""Signing in a phone by a code, as the two browsers see it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from inboxes.models import Agent, PhoneSignIn
from inboxes.phone_sign_in.actions import token_of
from messaging.your_account.qr_codes import draw_qr_code
from tests.markup import read_words
from tests.messaging.your_account.people import (
    IPHONE,
    browser,
    is_signed_in,
    make_agent,
    set_up_app,
    sign_in,
)

pytestmark = pytest.mark.django_db
# What was set up counts as given once it is committed.
AS_COMMITTED = pytest.mark.django_db(transaction=True)
DESKTOP = "/account/new-phone/"


@pytest.fixture(autouse=True)
def nobody_is_asked(settings: Settings) -> None:
    settings.TWO_STEP_SIGN_IN = "nobody"


@pytest.fixture
def mia() -> Agent:
    return make_agent()


@pytest.fixture
def desktop(mia: Agent) -> Client:
    return sign_in()


@pytest.fixture
def phone() -> Client:
    return browser(IPHONE, "198.51.100.7")


def show_code(desktop: Client) -> str:
    """Show a code on the desktop; return the path of its link."""
    desktop.post(DESKTOP)
    return f"{DESKTOP}{token_of(PhoneSignIn.objects.get())}/"


def words_on(page: str) -> str:
    found: list[str] = re.findall(r'same-words">([^<]+)<', page)
    assert len(found) == 1
    return found[0]


def confirm(desktop: Client) -> None:
    page = read_words(desktop.get(DESKTOP))
    [sign_in_id] = re.findall(r'name="sign_in" value="([^"]+)"', page)
    desktop.post(f"{DESKTOP}confirm/", {"sign_in": sign_in_id})


def sign_in_phone(desktop: Client, phone: Client) -> None:
    link = show_code(desktop)
    phone.post(link)
    confirm(desktop)
    phone.post(f"{link}finish/")


@pytest.fixture
def ten_minutes_later() -> Iterator[None]:
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        yield


def test_a_phone_gets_a_session_of_its_own(
    mia: Agent, desktop: Client, phone: Client, settings: Settings
) -> None:
    link = show_code(desktop)
    assert draw_qr_code(f"{settings.PUBLIC_URL}{link}") in read_words(desktop.get(DESKTOP))
    assert "Mia Lang" in read_words(phone.get(link))
    shown = words_on(read_words(phone.post(link, follow=True)))
    page = read_words(desktop.get(DESKTOP))
    assert words_on(page) == shown
    assert "Safari on iPhone" in page
    assert "198.51.100.7" in page
    confirm(desktop)
    before = phone.session.session_key
    assert phone.post(f"{link}finish/")["Location"] == "/"
    assert is_signed_in(phone)
    assert phone.session.session_key != before
    assert phone.session.session_key != desktop.session.session_key
    account = " ".join(read_words(desktop.get("/account/")).split())
    assert "by QR code" in account
    assert "Your phone is signed in" in read_words(desktop.get(DESKTOP))


def test_the_pages_follow_each_other_without_a_reload(desktop: Client, phone: Client) -> None:
    htmx = {"HX-Request": "true"}
    link = show_code(desktop)
    assert desktop.get(f"{DESKTOP}?state=offered", headers=htmx).status_code == 204
    phone.post(link)
    assert "Is this your phone?" in read_words(
        desktop.get(f"{DESKTOP}?state=offered", headers=htmx)
    )
    assert phone.get(f"{link}?state=claimed", headers=htmx).status_code == 204
    confirm(desktop)
    assert "Signing in" in read_words(phone.get(f"{link}?state=claimed", headers=htmx))
    assert phone.post(f"{link}finish/", headers=htmx)["HX-Redirect"] == "/"
    page = desktop.get(f"{DESKTOP}?state=confirmed", headers=htmx)
    assert "Your phone is signed in" in read_words(page)
    assert "every 2s" not in read_words(page)


def test_opening_the_link_alone_changes_nothing(desktop: Client, phone: Client) -> None:
    link = show_code(desktop)
    for _ in range(3):
        phone.get(link)
    assert PhoneSignIn.objects.get().state == "offered"
    assert not is_signed_in(phone)


def test_no_other_site_can_press_the_button(desktop: Client) -> None:
    link = show_code(desktop)
    victim = Client(enforce_csrf_checks=True)
    victim.get(link)
    assert victim.post(link).status_code == 403
    assert PhoneSignIn.objects.get().state == "offered"


def test_nobody_is_moved_from_their_account_to_another(desktop: Client) -> None:
    make_agent("eve", "Eve Stone")
    link, eve = show_code(desktop), sign_in(username="eve")
    for answer in (eve.get(link), eve.post(link)):
        assert answer.status_code == 409
        assert "You're signed in here already" in read_words(answer)
    assert PhoneSignIn.objects.get().state == "offered"
    assert "Eve Stone" in read_words(eve.get("/account/"))


def test_only_the_phone_that_pressed_the_button_comes_in(desktop: Client, phone: Client) -> None:
    link, other = show_code(desktop), browser(IPHONE)
    phone.post(link)
    assert other.post(link).status_code == 404
    confirm(desktop)
    assert other.post(f"{link}finish/").status_code == 404
    assert not is_signed_in(other)
    phone.post(f"{link}finish/")
    assert is_signed_in(phone)


def test_a_phone_that_is_too_early_goes_on_waiting(desktop: Client, phone: Client) -> None:
    link = show_code(desktop)
    phone.post(link)
    assert phone.post(f"{link}finish/")["Location"] == link
    assert not is_signed_in(phone)


def test_a_used_link_is_void(desktop: Client, phone: Client) -> None:
    link = show_code(desktop)
    phone.post(link)
    confirm(desktop)
    phone.post(f"{link}finish/")
    phone.post("/sign-out/")
    assert phone.get(link).status_code == 404
    assert phone.post(f"{link}finish/").status_code == 404
    assert not is_signed_in(phone)


def test_no_ends_it(desktop: Client, phone: Client) -> None:
    link = show_code(desktop)
    phone.post(link)
    desktop.post(f"{DESKTOP}refuse/")
    answer = phone.post(f"{link}finish/")
    assert answer.status_code == 404
    assert "isn't valid any more" in read_words(answer)
    assert not is_signed_in(phone)


def test_another_agent_cannot_confirm_it(desktop: Client, phone: Client) -> None:
    make_agent("eve", "Eve")
    link, eve = show_code(desktop), sign_in(username="eve")
    phone.post(link)
    sign_in_id = PhoneSignIn.objects.get().pk
    eve.post(f"{DESKTOP}confirm/", {"sign_in": sign_in_id})
    sign_in().post(f"{DESKTOP}confirm/", {"sign_in": sign_in_id})
    assert PhoneSignIn.objects.get().state == "claimed"


def test_the_link_ends_when_the_desktop_signs_out(desktop: Client, phone: Client) -> None:
    link = show_code(desktop)
    phone.post(link)
    confirm(desktop)
    desktop.post("/sign-out/")
    assert phone.post(f"{link}finish/").status_code == 404
    assert not is_signed_in(phone)


@pytest.mark.usefixtures("ten_minutes_later")
def test_a_session_that_is_not_fresh_is_asked_first(mia: Agent) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=10)):
        desktop = sign_in()
    answer = desktop.post(DESKTOP)
    assert answer["Location"].startswith("/sign-in/confirm/")
    assert not PhoneSignIn.objects.exists()
    desktop.post(answer["Location"], {"password": "long-enough-words"})
    assert PhoneSignIn.objects.exists()


def test_an_expired_code_is_said_to_be_so_on_both_screens(desktop: Client, phone: Client) -> None:
    link = show_code(desktop)
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert "The code has run out" in read_words(desktop.get(DESKTOP))
        assert phone.get(link).status_code == 404


@AS_COMMITTED
def test_two_steps_on_the_desktop_count_on_the_phone(
    desktop: Client, phone: Client, settings: Settings
) -> None:
    set_up_app(desktop)
    settings.TWO_STEP_SIGN_IN = "everybody"
    sign_in_phone(desktop, phone)
    assert is_signed_in(phone)


def test_two_steps_of_company_sign_in_count_on_the_phone(
    desktop: Client, phone: Client, settings: Settings
) -> None:
    session = desktop.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "socialaccount", "at": time.time()}]
    session.save()
    settings.TWO_STEP_SIGN_IN, settings.OIDC_TWO_STEPS = "everybody", True
    sign_in_phone(desktop, phone)
    assert is_signed_in(phone)
    records = phone.session[AUTHENTICATION_METHODS_SESSION_KEY]
    assert [record["at"] for record in records] == [0, 0]


def test_a_desktop_with_a_password_alone_vouches_for_no_second_step(
    mia: Agent, desktop: Client, phone: Client
) -> None:
    set_up_app(sign_in())
    link = show_code(desktop)
    phone.post(link)
    confirm(desktop)
    assert phone.post(f"{link}finish/")["Location"] == "/sign-in/code/"
    assert not is_signed_in(phone)


def test_a_phone_has_confirmed_nothing_lately(desktop: Client, phone: Client) -> None:
    sign_in_phone(desktop, phone)
    answer = phone.get("/account/passkeys/add/")
    assert answer["Location"].startswith("/sign-in/confirm/")


def test_guessing_links_is_stopped(settings: Settings) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 3
    guesser = browser()
    answers = [guesser.get(f"{DESKTOP}{'0' * 63}{n}/").status_code for n in range(4)]
    assert answers == [404, 404, 404, 429]


def test_guesses_at_links_lock_out_nobody_who_has_a_code(
    desktop: Client, phone: Client, settings: Settings
) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 3
    for number in range(4):
        browser().get(f"{DESKTOP}{'0' * 63}{number}/")
    assert phone.get(show_code(desktop)).status_code == 200


def test_codes_are_not_made_without_end(desktop: Client) -> None:
    for _ in range(10):
        desktop.post(DESKTOP)
    last = PhoneSignIn.objects.get()
    answer = desktop.post(DESKTOP, follow=True)
    assert "That were many codes." in read_words(answer)
    assert PhoneSignIn.objects.get() == last
