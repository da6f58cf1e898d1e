"""The page *Your account*: the name, the password, and the sessions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from inboxes.models import Agent
from messaging.your_account.user_agents import name_browser
from tests.cast import client_of
from tests.markup import read_words
from tests.messaging.your_account.people import (
    FIREFOX,
    IPHONE,
    PASSWORD,
    browser,
    is_signed_in,
    make_agent,
    read_text,
    sign_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def mia() -> Agent:
    return make_agent()


def read_account(client: Client) -> str:
    return " ".join(read_words(client.get("/account/")).split())


def test_the_page_says_who_one_is_and_has_all_sections(mia: Agent) -> None:
    page = read_account(sign_in())
    for words in (
        "Mia Lang",
        "mia",
        "Name",
        "Password",
        "Two-step sign-in",
        "Passkeys",
        "Sessions",
    ):
        assert words in page
    assert "Administrator" not in page
    Agent.objects.update(is_staff=True)
    assert "Administrator" in read_account(client_of(Agent.objects.get()))


def test_a_new_name_is_saved_and_the_username_stays(mia: Agent) -> None:
    client = sign_in()
    answer = client.post(
        "/account/name/", {"display_name": "  Mia L. ", "username": "x"}, follow=True
    )
    assert "Name saved." in read_words(answer)
    mia.refresh_from_db()
    assert (mia.display_name, mia.username) == ("Mia L.", "mia")


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\0b"])
def test_a_name_that_cannot_be_is_refused_and_stays_in_its_field(mia: Agent, name: str) -> None:
    answer = sign_in().post("/account/name/", {"display_name": name})
    assert answer.status_code == 422
    assert "id_display_name_error" in read_words(answer)
    mia.refresh_from_db()
    assert mia.display_name == "Mia Lang"


def test_it_says_when_the_password_was_changed(mia: Agent) -> None:
    client = sign_in()
    assert "Password Changed today at" in read_text(client)
    Agent.objects.update(password_changed_at=None)
    assert "Password Nobody else can see it." in read_text(client)


def test_hashing_a_password_anew_is_no_change_of_it(mia: Agent, settings: Settings) -> None:
    before = mia.password_changed_at
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    mia.set_password(PASSWORD)
    mia.password_changed_at = before
    mia.save()
    settings.PASSWORD_HASHERS = [
        "inboxes.passwords.Argon2Hasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
    sign_in()
    mia.refresh_from_db()
    assert mia.password.startswith("argon2")
    assert mia.password_changed_at == before


def test_each_session_is_named_and_this_one_is_marked(mia: Agent) -> None:
    here = sign_in(browser(FIREFOX, "203.0.113.24"))
    sign_in(browser(IPHONE, "198.51.100.7"))
    page = read_account(here)
    this_one, other = page.index("Firefox on Linux"), page.index("Safari on iPhone")
    assert this_one < page.index("This one") < other
    assert "From 203.0.113.24" in page[this_one:other]
    assert "From 198.51.100.7" in page[other:]


def test_one_other_session_is_signed_out(mia: Agent) -> None:
    here, there, third = sign_in(), sign_in(browser(IPHONE)), sign_in()
    page = read_account(here)
    before_the_phones = page[page.index("Safari on iPhone") :]
    path = before_the_phones.partition('action="')[2].partition('"')[0]
    answer = here.post(path, follow=True)
    assert "Signed out there." in read_words(answer)
    assert [is_signed_in(one) for one in (here, there, third)] == [True, False, True]
    assert "Safari on iPhone" not in read_account(here)


def test_everywhere_else_is_signed_out_at_once(mia: Agent) -> None:
    here, there, third = sign_in(), sign_in(), client_of(mia)
    assert is_signed_in(third)
    here.post("/account/sessions/end-others/")
    assert [is_signed_in(one) for one in (here, there, third)] == [True, False, False]


def test_everywhere_else_includes_browsers_that_are_in_no_list(mia: Agent) -> None:
    here, old = sign_in(), sign_in(browser(IPHONE))
    UserSession.objects.filter(session_key=old.session.session_key).delete()
    assert "Safari on iPhone" not in read_account(here)
    here.post("/account/sessions/end-others/")
    assert not is_signed_in(old)


def test_nobody_signs_out_somebody_else(mia: Agent) -> None:
    make_agent("eve", "Eve")
    here, eve = sign_in(), sign_in(username="eve")
    page = read_account(eve)
    assert "end/" not in page
    key = mia.usersession_set.get().pk  # type: ignore[attr-defined]
    assert eve.post(f"/account/sessions/{key}/end/").status_code == 404
    assert eve.post("/account/sessions/999999/end/").status_code == 404
    eve.post("/account/sessions/end-others/")
    assert is_signed_in(here)


def test_sessions_that_are_over_are_not_listed(mia: Agent) -> None:
    here, there = sign_in(), sign_in(browser(IPHONE))
    there.post("/sign-out/")
    assert "Safari on iPhone" not in read_account(here)
    gone = sign_in(browser(IPHONE))
    session = gone.session
    session.set_expiry(timezone.now() - timedelta(minutes=1))
    session.save()
    assert "Safari on iPhone" not in read_account(here)


def test_the_old_address_of_the_password_leads_on(mia: Agent) -> None:
    assert sign_in().get("/settings/password/")["Location"] == "/account/password/"


@pytest.mark.parametrize(
    ("user_agent", "name", "is_handheld"),
    [
        (FIREFOX, "Firefox on Linux", False),
        (IPHONE, "Safari on iPhone", True),
        (
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
                " Chrome/120.0.0.0 Mobile Safari/537.36"
            ),
            "Chrome on Android",
            True,
        ),
        (
            (
                "Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
                " Gecko) CriOS/114.0 Mobile/15E148 Safari/604.1"
            ),
            "Chrome on iPad",
            True,
        ),
        (
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like"
                " Gecko) Version/17.0 Safari/605.1.15"
            ),
            "Safari on macOS",
            False,
        ),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
                " Chrome/120.0.0.0 Safari/537.36 Edg/120.0"
            ),
            "Edge on Windows",
            False,
        ),
        ("", "A browser", False),
        ("<script>alert(1)</script>", "A browser", False),
    ],
)
def test_browsers_have_the_names_that_people_know(
    user_agent: str, name: str, is_handheld: bool
) -> None:
    found = name_browser(user_agent)
    assert (found.name, found.is_handheld) == (name, is_handheld)
