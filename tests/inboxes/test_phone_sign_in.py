"""A phone is signed in by a code that an open session shows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from inboxes.models import Agent, PhoneSignIn
from inboxes.phone_sign_in.actions import (
    NotOpen,
    claim_phone_sign_in,
    confirm_phone_sign_in,
    find_offer,
    offer_phone_sign_in,
    refuse_phone_sign_in,
    token_of,
    use_phone_sign_in,
)
from tests.cast import client_of

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=2, seconds=1)


@pytest.fixture
def mia() -> Agent:
    return Agent.objects.create_user("mia", password="long-enough-words", display_name="Mia")


@pytest.fixture
def desktop(mia: Agent) -> Client:
    return client_of(mia)


@pytest.fixture
def offer(mia: Agent, desktop: Client) -> PhoneSignIn:
    return offer_phone_sign_in(agent=mia, session_key=str(desktop.session.session_key))


def claim(offer: PhoneSignIn) -> str:
    """Open the link on a phone; return the secret that only the phone has."""
    claimed = claim_phone_sign_in(token=token_of(offer), user_agent="Phone", address="192.0.2.1")
    return claimed.secret


def confirm(offer: PhoneSignIn) -> None:
    confirm_phone_sign_in(sign_in_id=offer.pk, session_key=offer.session_key)


def use(offer: PhoneSignIn, secret: str) -> PhoneSignIn:
    return use_phone_sign_in(token=token_of(offer), secret=secret)


def test_a_phone_comes_in_after_both_have_said_yes(mia: Agent, offer: PhoneSignIn) -> None:
    secret = claim(offer)
    confirm(offer)
    assert use(offer, secret).agent == mia


def test_neither_the_link_nor_the_phones_secret_is_stored(offer: PhoneSignIn) -> None:
    secret = claim(offer)
    [row] = PhoneSignIn.objects.values()
    assert not {token_of(offer), secret} & {str(value) for value in row.values()}


def test_nothing_happens_before_the_person_has_compared(offer: PhoneSignIn) -> None:
    secret = claim(offer)
    with pytest.raises(NotOpen):
        use(offer, secret)


def test_what_no_phone_has_opened_cannot_be_confirmed(offer: PhoneSignIn) -> None:
    with pytest.raises(NotOpen):
        confirm(offer)


def test_a_second_phone_gets_nothing(offer: PhoneSignIn) -> None:
    claim(offer)
    with pytest.raises(NotOpen):
        claim(offer)


@pytest.mark.parametrize("secret", ["", "guessed", "\udcff"])
def test_the_secret_of_another_phone_gets_nothing(offer: PhoneSignIn, secret: str) -> None:
    claim(offer)
    confirm(offer)
    with pytest.raises(NotOpen):
        use(offer, secret)


def test_a_link_signs_in_once(offer: PhoneSignIn) -> None:
    secret = claim(offer)
    confirm(offer)
    use(offer, secret)
    with pytest.raises(NotOpen):
        use(offer, secret)
    with pytest.raises(NotOpen):
        claim(offer)
    with pytest.raises(NotOpen):
        confirm(offer)


@pytest.mark.parametrize("steps_before", [0, 1, 2])
def test_each_step_has_two_minutes(offer: PhoneSignIn, steps_before: int) -> None:
    secret = claim(offer) if steps_before else ""
    if steps_before > 1:
        confirm(offer)
    steps: list[Callable[[], object]] = [
        lambda: claim(offer),
        lambda: confirm(offer),
        lambda: use(offer, secret),
    ]
    with time_machine.travel(timezone.now() + LATER), pytest.raises(NotOpen):
        steps[steps_before]()


@pytest.mark.parametrize("token", ["", "guessed", "0" * 64, "\0", "\udcff"])
def test_a_guessed_link_opens_nothing(offer: PhoneSignIn, token: str) -> None:
    with pytest.raises(NotOpen):
        find_offer(token)


def test_another_session_of_the_same_person_cannot_confirm(offer: PhoneSignIn, mia: Agent) -> None:
    claim(offer)
    other = str(client_of(mia).session.session_key)
    with pytest.raises(NotOpen):
        confirm_phone_sign_in(sign_in_id=offer.pk, session_key=other)


def test_a_new_code_ends_the_one_before(mia: Agent, offer: PhoneSignIn) -> None:
    newer = offer_phone_sign_in(agent=mia, session_key=offer.session_key)
    with pytest.raises(NotOpen):
        find_offer(token_of(offer))
    assert find_offer(token_of(newer)) == newer


def test_no_means_no(offer: PhoneSignIn) -> None:
    secret = claim(offer)
    refuse_phone_sign_in(session_key=offer.session_key)
    with pytest.raises(NotOpen):
        confirm(offer)
    with pytest.raises(NotOpen):
        use(offer, secret)


@pytest.mark.parametrize("ending", ["signed out", "new password", "deactivated"])
def test_the_link_ends_with_the_session_that_shows_it(
    mia: Agent, desktop: Client, offer: PhoneSignIn, ending: str
) -> None:
    secret = claim(offer)
    confirm(offer)
    if ending == "signed out":
        desktop.post("/sign-out/")
    elif ending == "new password":
        mia.set_password("other-words-entirely")
        mia.save()
    else:
        Agent.objects.update(is_active=False)
    with pytest.raises(NotOpen):
        find_offer(token_of(offer))
    with pytest.raises(NotOpen):
        use(offer, secret)


@pytest.mark.django_db(transaction=True)
def test_of_two_phones_at_the_same_moment_one_gets_the_link(
    mia: Agent, offer: PhoneSignIn
) -> None:
    def try_to_claim(_: int) -> bool:
        try:
            claim(offer)
        except NotOpen:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as phones:
        assert sorted(phones.map(try_to_claim, range(4))) == [False, False, False, True]
