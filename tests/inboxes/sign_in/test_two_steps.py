"""The second step at sign-in, and who has to have one."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from inboxes.models import Agent, SignInSettings
from inboxes.sign_in import demand
from inboxes.sign_in.middleware import GIVING, SETTING_UP
from tests.inboxes.sign_in.people import (
    add_app,
    add_recovery_codes,
    code_now,
    create_agent,
    sign_in,
)
from tests.markup import read_words

pytestmark = pytest.mark.django_db

CODE_PAGE = "/sign-in/code/"
SET_UP_PAGE = "/account/two-step/"


@pytest.fixture
def mia() -> Agent:
    return create_agent("mia")


@pytest.fixture
def root() -> Agent:
    return create_agent("root", is_administrator=True)


def demand_of(settings: Settings, who: str) -> None:
    settings.TWO_STEP_SIGN_IN = who


def lands_on(client: Client, path: str = "/settings/") -> str:
    """Return the address at which a page is shown, without its query."""
    answer = client.get(path, follow=True)
    return str(answer.redirect_chain[-1][0]).partition("?")[0] if answer.redirect_chain else path


def test_whoever_has_an_authenticator_app_is_asked_for_its_code(mia: Agent) -> None:
    add_app(mia)
    client = sign_in("mia")
    assert client.get("/settings/")["Location"] == "/sign-in/?next=/settings/"
    assert lands_on(client, "/sign-in/") == CODE_PAGE
    code = code_now()
    answer = client.post(CODE_PAGE, {"code": f"{code[:3]} {code[3:]}"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert lands_on(client) == "/settings/"


def test_a_sign_in_leads_on_to_the_page_that_was_wanted_after_the_code_too(mia: Agent) -> None:
    add_app(mia)
    client = Client()
    form = {"username": "mia", "password": "long-enough-words", "next": "/notifications/"}
    client.post("/sign-in/", form)
    assert client.post(CODE_PAGE, {"code": code_now()})["Location"] == "/notifications/"


@pytest.mark.parametrize("wanted", ["https://evil.test/", "//evil.test/", "settings", ""])
def test_a_sign_in_leads_to_no_other_site(mia: Agent, wanted: str) -> None:
    form = {"username": "mia", "password": "long-enough-words", "next": wanted}
    assert Client().post("/sign-in/", form)["Location"] == "/"


def test_a_wrong_code_is_said_in_plain_words(mia: Agent) -> None:
    add_app(mia)
    client = sign_in("mia")
    for wrong in ("000000", "abcdefgh", "0" * 5000, "١٢٣٤٥٦"):
        page = read_words(client.post(CODE_PAGE, {"code": wrong}))
        assert "That code isn't right." in page
    assert "Second step" in read_words(client.post(CODE_PAGE, {"code": ""}))
    assert lands_on(client) == CODE_PAGE


def test_a_recovery_code_works_once(mia: Agent) -> None:
    add_app(mia)
    code = add_recovery_codes(mia)[0]
    client = sign_in("mia")
    assert client.post(CODE_PAGE, {"code": code}).status_code == 302
    again = sign_in("mia")
    assert again.post(CODE_PAGE, {"code": code}).status_code == 200


def test_a_code_of_the_app_works_once(mia: Agent) -> None:
    add_app(mia)
    code = code_now()
    assert sign_in("mia").post(CODE_PAGE, {"code": code}).status_code == 302
    assert sign_in("mia").post(CODE_PAGE, {"code": code}).status_code == 200


def test_one_can_sign_in_as_somebody_else_instead_of_giving_a_code(mia: Agent) -> None:
    add_app(mia)
    client = sign_in("mia")
    client.post("/sign-out/")
    assert client.get("/sign-in/").status_code == 200


@pytest.mark.parametrize(
    ("setting", "switch", "demanded"),
    [
        ("nobody", None, "nobody"),
        ("nobody", "nobody", "nobody"),
        ("nobody", "administrators", "administrators"),
        ("nobody", "everybody", "everybody"),
        ("administrators", None, "administrators"),
        ("administrators", "nobody", "administrators"),
        ("administrators", "everybody", "everybody"),
        ("everybody", "nobody", "everybody"),
        ("everybody", "administrators", "everybody"),
    ],
)
def test_the_switch_asks_for_more_than_the_setting_and_never_for_less(
    settings: Settings, mia: Agent, root: Agent, setting: str, switch: str | None, demanded: str
) -> None:
    demand_of(settings, setting)
    if switch:
        SignInSettings.objects.create(two_step=switch)
    assert demand.demanded_two_step() == demanded
    assert demand.is_demanded_of(mia) == (demanded == "everybody")
    assert demand.is_demanded_of(root) == (demanded != "nobody")
    assert lands_on(sign_in("mia")) == (SET_UP_PAGE if demanded == "everybody" else "/settings/")
    assert lands_on(sign_in("root")) == ("/settings/" if demanded == "nobody" else SET_UP_PAGE)


@pytest.mark.parametrize("path", ["/", "/settings/", "/admin/", "/notifications/", "/nowhere/"])
def test_whoever_has_to_set_up_a_second_step_reaches_nothing_else(
    settings: Settings, root: Agent, path: str
) -> None:
    demand_of(settings, "administrators")
    client = sign_in("root")
    if path != "/nowhere/":
        assert client.get(path)["Location"] == f"{SET_UP_PAGE}?next={path.replace('/', '%2F')}"
    assert client.get(path, headers={"HX-Request": "true"}).status_code in {302, 404}
    assert client.post("/settings/", {"has_sound": "on"}).status_code == 302
    root.refresh_from_db()
    assert not root.has_sound
    assert client.get(SET_UP_PAGE).status_code == 200
    assert client.get("/account/two-step/app/").status_code == 200
    assert client.post("/sign-out/").status_code == 302


def test_machines_are_not_asked_for_a_second_step(settings: Settings, root: Agent) -> None:
    demand_of(settings, "everybody")
    client = sign_in("root")
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert client.post("/webhooks/twilio/nobody/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_setting_up_an_app_right_after_the_sign_in_opens_everything(
    settings: Settings, root: Agent
) -> None:
    demand_of(settings, "administrators")
    client = sign_in("root")
    key = client.session.session_key
    client.get("/account/two-step/app/")
    secret = client.session["mfa.totp.secret"]
    client.post("/account/two-step/app/", {"code": code_now(secret=secret)})
    assert Authenticator.objects.filter(user=root, type="totp").exists()
    assert client.get("/admin/").status_code == 200
    assert client.session.session_key != key


def test_a_session_from_before_is_asked_for_the_second_factor_alone(
    settings: Settings, root: Agent
) -> None:
    demand_of(settings, "nobody")
    client = sign_in("root")
    demand_of(settings, "administrators")
    add_app(root)
    key = client.session.session_key
    asked = client.get("/admin/inboxes/inbox/")
    assert asked["Location"] == "/sign-in/confirm/code/?next=%2Fadmin%2Finboxes%2Finbox%2F"
    page = read_words(client.get(asked["Location"]))
    assert "You’re signed in as <bdi>Root</bdi>." in page
    assert 'name="password"' not in page
    assert "Use your password" not in page
    assert lands_on(client, "/account/two-step/app/") == "/sign-in/confirm/code/"
    refused = client.post(asked["Location"], {"code": "000000"})
    assert refused.status_code == 200
    answer = client.post(asked["Location"], {"code": code_now()})
    assert answer["Location"] == "/admin/inboxes/inbox/"
    assert client.get("/admin/inboxes/inbox/").status_code == 200
    assert client.session.session_key != key


def test_recovery_codes_alone_are_asked_for_and_then_an_app_is_set_up(
    settings: Settings, root: Agent
) -> None:
    code = add_recovery_codes(root)[0]
    demand_of(settings, "nobody")
    from_before = Client()
    from_before.force_login(root)
    demand_of(settings, "administrators")
    assert lands_on(from_before, "/account/two-step/app/") == "/sign-in/confirm/code/"
    client = sign_in("root")
    assert "Enter one of your recovery codes." in read_words(client.get(CODE_PAGE))
    client.post(CODE_PAGE, {"code": code})
    assert lands_on(client, "/admin/") == SET_UP_PAGE
    client.get("/account/two-step/app/")
    secret = client.session["mfa.totp.secret"]
    client.post("/account/two-step/app/", {"code": code_now(secret=secret)})
    assert Authenticator.objects.filter(user=root, type="totp").exists()


def test_recovery_codes_that_are_all_used_lock_nobody_out(settings: Settings, root: Agent) -> None:
    demand_of(settings, "administrators")
    add_recovery_codes(root)
    Authenticator.objects.update(data={"used_mask": 0, "migrated_codes": []})
    assert lands_on(sign_in("root"), "/admin/") == SET_UP_PAGE


def test_the_list_of_agents_tells_second_steps_from_recovery_codes_alone(
    mia: Agent, root: Agent
) -> None:
    add_recovery_codes(mia)
    client = Client()
    client.force_login(root)
    for has_app in (False, True):
        page = read_words(client.get("/admin/inboxes/agent/?q=mia"))
        assert (">On</span>" in page) == has_app
        assert demand.has_second_factor(mia) == has_app
        if not has_app:
            add_app(mia)


@pytest.mark.parametrize("name", sorted(GIVING | SETTING_UP))
def test_every_page_that_stays_open_is_there(name: str) -> None:
    assert reverse(name)


def test_a_second_factor_given_for_somebody_else_counts_for_nobody(
    settings: Settings, root: Agent, mia: Agent
) -> None:
    demand_of(settings, "everybody")
    add_app(mia)
    client = sign_in("mia")
    client.post(CODE_PAGE, {"code": code_now()})
    assert client.get("/settings/").status_code == 200
    given = dict(client.session)
    assert demand.gave_second_factor(mia, given)
    assert not demand.gave_second_factor(root, given)
    client.force_login(root)
    assert lands_on(client) == SET_UP_PAGE


def test_the_last_factor_of_somebody_who_needs_one_cannot_be_removed(
    settings: Settings, root: Agent
) -> None:
    demand_of(settings, "administrators")
    add_app(root)
    client = sign_in("root")
    client.post(CODE_PAGE, {"code": code_now()})
    client.post("/account/two-step/app/remove/")
    assert Authenticator.objects.filter(user=root, type="totp").exists()


def test_agents_who_need_no_second_step_pay_no_query_for_the_question(
    mia: Agent, django_assert_num_queries: Any
) -> None:
    agent = demand.with_demand(Agent.objects.filter(pk=mia.pk)).get()
    with django_assert_num_queries(0):
        assert demand.lacking(agent, {}) is None
