"""Passkeys at sign-in: a right one is enough, and nothing else passes for one."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from pytest_django import Settings

from inboxes.models import Agent
from tests.inboxes.sign_in.passkey_device import PRESENT, Device
from tests.inboxes.sign_in.people import add_app, create_agent, sign_in
from tests.markup import read_words

pytestmark = pytest.mark.django_db

PAGE = "/sign-in/passkey/"
UNKNOWN = "That passkey isn't known here."


@pytest.fixture
def mia() -> Agent:
    return create_agent("mia")


@pytest.fixture
def phone(mia: Agent) -> Device:
    return Device(mia)


def ask(client: Client) -> dict[str, Any]:
    """Return what the server wants answered."""
    answer = client.get(PAGE, headers={"Accept": "application/json"})
    options: dict[str, Any] = answer.json()["request_options"]["publicKey"]
    return options


def give(client: Client, credential: str, **fields: str) -> Any:
    return client.post(PAGE, {"credential": credential, **fields}, follow=True)


def post(client: Client, credential: dict[str, Any]) -> int:
    return client.post(PAGE, {"credential": json.dumps(credential)}).status_code


def is_signed_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


def test_a_passkey_alone_signs_in_and_counts_as_two_steps(
    phone: Device, settings: Settings
) -> None:
    settings.TWO_STEP_SIGN_IN = "everybody"
    client = Client()
    options = ask(client)
    assert options["rpId"] == "localhost"
    assert options["userVerification"] == "required"
    answer = give(client, phone.answer(options["challenge"]), next="/notifications/")
    assert answer.redirect_chain[-1] == ("/notifications/", 302)
    assert is_signed_in(client)
    phone.row.refresh_from_db()
    assert phone.row.last_used_at is not None


def test_whoever_has_an_app_too_is_not_asked_for_its_code(mia: Agent, phone: Device) -> None:
    add_app(mia)
    client = Client()
    give(client, phone.answer(ask(client)["challenge"]))
    assert is_signed_in(client)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"site": "evil.test"}, id="of another site"),
        pytest.param({"origin": "https://evil.test"}, id="made on another site's page"),
        pytest.param({"origin": "https://a.localhost"}, id="made on a page of a subdomain"),
        pytest.param({"flags": PRESENT}, id="without a finger, a face or a PIN"),
        pytest.param({"handle": b"1"}, id="of somebody unknown"),
        pytest.param({"handle": b"\xff"}, id="of nobody"),
        pytest.param({"handle": b"z" * 60}, id="of a number that is too large"),
        pytest.param(
            {"signed_by": ec.generate_private_key(ec.SECP256R1())}, id="with another key"
        ),
    ],
)
def test_a_passkey_that_is_not_right_signs_nobody_in(phone: Device, wrong: dict[str, Any]) -> None:
    client = Client()
    answer = give(client, phone.answer(ask(client)["challenge"], **wrong), next="/settings/")
    assert answer.redirect_chain[-1] == ("/sign-in/?next=%2Fsettings%2F", 302)
    assert UNKNOWN in read_words(answer)
    assert not is_signed_in(client)


def test_an_answer_to_another_question_signs_nobody_in(phone: Device) -> None:
    client, other = Client(), Client()
    ask(client)
    assert UNKNOWN in read_words(give(client, phone.answer(ask(other)["challenge"])))
    assert not is_signed_in(client)


def test_an_answer_works_once(phone: Device) -> None:
    client = Client()
    answer = phone.answer(ask(client)["challenge"])
    give(client, answer)
    client.post("/sign-out/")
    assert UNKNOWN in read_words(give(client, answer))
    thief = Client()
    ask(thief)
    give(thief, answer)
    assert not is_signed_in(thief)


def test_a_passkey_that_was_removed_signs_nobody_in(phone: Device) -> None:
    client = Client()
    answer = phone.answer(ask(client)["challenge"])
    phone.row.delete()
    give(client, answer)
    assert not is_signed_in(client)


def test_a_passkey_of_somebody_who_left_signs_nobody_in(mia: Agent, phone: Device) -> None:
    Agent.objects.filter(pk=mia.pk).update(is_active=False)
    client = Client()
    answer = give(client, phone.answer(ask(client)["challenge"]))
    assert "You can't sign in any more. Ask an administrator." in read_words(answer)
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "nonsense",
    ["", "null", "[]", "{}", "1", '"x"', "{", '{"response": 1}', '{"response": {}}', "[[[[", "\0",
     '{"id": "x", "rawId": "x", "type": "public-key", "response": {"userHandle": 5}}'],
)  # fmt: skip
def test_what_is_no_passkey_at_all_is_refused_in_words(phone: Device, nonsense: str) -> None:
    client = Client()
    ask(client)
    answer = give(client, nonsense)
    assert answer.redirect_chain[-1] == ("/sign-in/", 302)
    assert 'role="alert"' in read_words(answer)


def test_parts_of_an_answer_may_be_anything(phone: Device, settings: Settings) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 1000
    client = Client()
    whole = json.loads(phone.answer(ask(client)["challenge"]))
    values: list[Any] = [None, 7, [], {}, "", "é", "AAAA"]
    for part, value in itertools.product(("rawId", "response"), values):
        assert post(client, whole | {part: value}) in {302, 429}
    for part, value in itertools.product(whole["response"], values):
        response = whole["response"] | {part: value}
        assert post(client, whole | {"response": response}) in {302, 429}
    assert not is_signed_in(client)


def test_a_passkey_is_a_second_step_after_the_password(mia: Agent, phone: Device) -> None:
    client = sign_in("mia")
    page = client.get("/sign-in/code/")
    assert "Use your passkey to go on." in read_words(page)
    assert 'name="code"' not in read_words(page)
    options = page.context["js_data"]["request_options"]["publicKey"]
    answer = client.post("/sign-in/code/", {"credential": phone.answer(options["challenge"])})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert is_signed_in(client)


def test_a_passkey_of_somebody_else_is_no_second_step(mia: Agent, phone: Device) -> None:
    theirs = Device(create_agent("eve"))
    client = sign_in("mia")
    page = client.get("/sign-in/code/")
    options = page.context["js_data"]["request_options"]["publicKey"]
    for handle in (None, phone.handle):
        credential = theirs.answer(options["challenge"], handle=handle)
        answer = client.post("/sign-in/code/", {"credential": credential})
        assert answer.status_code == 200
        assert UNKNOWN in read_words(answer)
    assert not is_signed_in(client)


def test_a_passkey_confirms_who_is_signed_in(mia: Agent) -> None:
    client = sign_in("mia")
    phone = Device(mia)
    page = client.get("/sign-in/confirm/passkey/?next=/settings/")
    options = page.context["js_data"]["request_options"]["publicKey"]
    form = {"credential": phone.answer(options["challenge"]), "next": "/settings/"}
    assert client.post("/sign-in/confirm/passkey/", form)["Location"] == "/settings/"
    refused = client.post("/sign-in/confirm/passkey/?next=/settings/", form, follow=True)
    assert UNKNOWN in read_words(refused)


def test_the_button_stands_there_once_somebody_has_a_passkey(mia: Agent) -> None:
    assert "Use a passkey" not in read_words(Client().get("/sign-in/"))
    Device(mia)
    assert "Use a passkey" in read_words(Client().get("/sign-in/"))


def test_many_wrong_passkeys_are_stopped(phone: Device, settings: Settings) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 3
    client = Client()
    answers = [client.post(PAGE, {"credential": '{"x": 1}'}).status_code for _ in range(4)]
    assert answers == [302, 302, 429, 429]
