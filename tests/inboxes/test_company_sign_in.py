"""Company sign-in through a real OpenID provider."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from inboxes.models import Agent
from tests.markup import read_words
from tests.openid_provider.company import Company, running_company

pytestmark = pytest.mark.django_db
PUBLIC_URL = "http://testserver"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with running_company(tmp_path_factory.mktemp("company"), PUBLIC_URL) as company:
        yield company


@pytest.fixture
def company(provider: Company, settings: Any) -> Iterator[Company]:
    settings.PUBLIC_URL = PUBLIC_URL
    settings.ALLOWED_HOSTS = ["testserver"]
    for name, value in provider.settings.items():
        setattr(settings, name, value)
    yield provider
    provider.tell_the_truth()


@pytest.fixture
def ana(db: None) -> Agent:
    return Agent.objects.create_user("ana", display_name="Ana Ruiz", email="ana.ruiz@example.com")


def leave(client: Client, next_url: str = "/") -> str:
    """Press the button and return the address where the page leads."""
    answer = client.post("/sign-in/company/", {"next": next_url})
    assert answer.status_code == 200, read_words(answer)
    return str(answer.headers["Refresh"].removeprefix("0; url="))


def sign_in(client: Client, company: Company, username: str = "ana.ruiz", **form: str) -> Any:
    back = company.sign_in(leave(client, **form), username)
    return client.get(back.removeprefix(PUBLIC_URL))


def signed_in(client: Client) -> Agent | None:
    key = client.session.get("_auth_user_id")
    return Agent.objects.get(pk=key) if key else None


def test_the_button_stands_on_the_sign_in_page_where_a_provider_is_set_up(
    company: Company, settings: Any
) -> None:
    Agent.objects.create(username="first", display_name="First", is_staff=True)
    assert "Example Ltd" in read_words(Client().get("/sign-in/"))
    settings.OIDC_ISSUER = ""
    assert "Example Ltd" not in read_words(Client().get("/sign-in/"))


def test_without_a_provider_its_pages_do_not_exist(settings: Any, db: None) -> None:
    settings.OIDC_ISSUER = ""
    assert Client().post("/sign-in/company/").status_code == 404
    assert Client().get("/sign-in/company/callback/").status_code == 404


def test_somebody_whose_address_the_company_confirms_is_signed_in(
    company: Company, ana: Agent
) -> None:
    client = Client()
    answer = sign_in(client, company, next_url="/notifications/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/notifications/")
    assert signed_in(client) == ana


def test_the_session_gets_a_new_key_and_keeps_nothing_secret(company: Company, ana: Agent) -> None:
    client = Client()
    leave(client)
    before = client.session.session_key
    sign_in(client, company)
    assert client.session.session_key != before
    assert "access_token" not in str(dict(client.session))


def test_the_company_s_id_counts_once_it_is_known_whatever_the_addresses_become(
    company: Company, ana: Agent
) -> None:
    sign_in(Client(), company)
    Agent.objects.filter(pk=ana.pk).update(email="ana@elsewhere.example")
    company.claim("userinfo.json", email="ruiz@example.com")
    client = Client()
    sign_in(client, company)
    assert signed_in(client) == ana
    assert SocialAccount.objects.count() == 1


def test_an_address_that_was_given_to_somebody_else_lets_nobody_in(
    company: Company, ana: Agent
) -> None:
    sign_in(Client(), company)
    company.claim("userinfo.json", email="ana.ruiz@example.com", email_verified=True)
    client = Client()
    answer = sign_in(client, company, "stranger")
    assert "Ana Ruiz signs in with another account of Example Ltd." in read_words(answer)
    assert signed_in(client) is None


@pytest.mark.parametrize(
    ("username", "sentence"),
    [
        ("stranger", "Nobody here has the address stranger@example.com. Ask an administrator."),
        ("cho.park", "Example Ltd doesn't confirm an e-mail address of yours"),
        ("nobody", "Example Ltd doesn't confirm an e-mail address of yours"),
    ],
)
def test_whoever_cannot_be_told_is_not_let_in_and_no_agent_is_made(
    company: Company, ana: Agent, username: str, sentence: str
) -> None:
    Agent.objects.create_user("cho", display_name="Cho Park", email="cho.park@example.com")
    client = Client()
    answer = sign_in(client, company, username)
    assert answer.status_code == 403
    assert sentence in read_words(answer)
    assert signed_in(client) is None
    assert not SocialAccount.objects.exists()
    assert Agent.objects.count() == 2


def test_an_address_that_looks_alike_is_not_taken_for_somebody_s(
    company: Company, ana: Agent
) -> None:
    company.claim("userinfo.json", email="ana.ru\u0131z@example.com", email_verified=True)
    client = Client()
    assert "Nobody here has the address" in read_words(sign_in(client, company))
    assert signed_in(client) is None


def test_an_address_of_two_people_lets_neither_in(company: Company, ana: Agent) -> None:
    Agent.objects.create_user("ana2", display_name="Ana Two", email="ANA.RUIZ@example.com")
    client = Client()
    assert "More than one person here" in read_words(sign_in(client, company))
    assert signed_in(client) is None


def test_somebody_who_was_deactivated_is_not_let_in(company: Company, ana: Agent) -> None:
    sign_in(Client(), company)
    Agent.objects.filter(pk=ana.pk).update(is_active=False)
    client = Client()
    sign_in(client, company)
    assert signed_in(client) is None


WRONG = "The answer of Example Ltd can't be trusted."
CLOCKS = "The clocks of Example Ltd and of this server differ."


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"aud": "another client"}, WRONG),
        ({"aud": ["partyline", "another"], "azp": "another"}, WRONG),
        ({"iss": "https://id.example.net"}, WRONG),
        ({"nonce": "of another request"}, WRONG),
        ({"nonce": None}, WRONG),
        ({"sub": "somebody-else"}, WRONG),
        ({"exp": None}, WRONG),
        ({"exp": "-36300"}, CLOCKS),
        ({"iat": "+300"}, CLOCKS),
        ({"nbf": 4_000_000_000}, CLOCKS),
    ],
    ids=str,
)
def test_a_token_that_was_not_made_for_this_sign_in_lets_nobody_in(
    company: Company, ana: Agent, claims: dict[str, Any], sentence: str
) -> None:
    company.claim(**claims)
    client = Client()
    answer = sign_in(client, company)
    assert sentence in read_words(answer)
    assert signed_in(client) is None


@pytest.mark.parametrize("seconds", ["+50", "-50"])
def test_clocks_may_differ_by_less_than_a_minute(
    company: Company, ana: Agent, seconds: str
) -> None:
    company.claim(iat=seconds)
    client = Client()
    sign_in(client, company)
    assert signed_in(client) == ana


def test_user_info_about_somebody_else_is_not_believed(company: Company, ana: Agent) -> None:
    company.claim("userinfo.json", sub="somebody-else")
    client = Client()
    assert WRONG in read_words(sign_in(client, company))
    assert signed_in(client) is None


def test_a_token_of_another_key_is_not_believed(
    company: Company, ana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "inboxes.company.provider.CompanyOAuth2Adapter._fetch_keys", lambda _: {"keys": []}
    )
    client = Client()
    assert WRONG in read_words(sign_in(client, company))
    assert signed_in(client) is None


def test_an_answer_is_taken_once_and_in_its_own_browser(company: Company, ana: Agent) -> None:
    started, other = Client(), Client()
    back = company.sign_in(leave(started), "ana.ruiz").removeprefix(PUBLIC_URL)
    assert "was started in another browser" in read_words(other.get(back))
    assert started.get(back).status_code == 302
    assert "was started in another browser" in read_words(started.get(back))
    assert signed_in(other) is None


def test_a_forged_answer_signs_nobody_in(company: Company, ana: Agent) -> None:
    client = Client()
    [state] = parse_qs(urlsplit(leave(client)).query)["state"]
    answer = client.get("/sign-in/company/callback/", {"state": state, "code": "guessed"})
    assert "Example Ltd didn't accept the request." in read_words(answer)
    assert signed_in(client) is None


def test_whoever_turns_back_at_the_company_is_told_so(company: Company) -> None:
    client = Client()
    [state] = parse_qs(urlsplit(leave(client)).query)["state"]
    turned_back = {"state": state, "error": "access_denied"}
    answer = client.get("/sign-in/company/callback/", turned_back)
    assert "You weren't signed in at Example Ltd." in read_words(answer)


def test_a_link_alone_starts_no_sign_in(company: Company) -> None:
    answer = Client().get("/sign-in/company/?next=/notifications/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in/")


def test_nobody_is_led_to_another_site_afterwards(company: Company, ana: Agent) -> None:
    answer = sign_in(Client(), company, next_url="https://evil.example/")
    assert answer.headers["Location"] == "/"


def test_a_company_that_is_away_is_named_and_the_password_offered(
    company: Company, settings: Any
) -> None:
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    answer = Client().post("/sign-in/company/")
    assert answer.status_code == 503
    assert "Example Ltd can't be reached right now." in read_words(answer)


def test_signing_out_here_leads_on_to_the_company_which_leads_back(
    company: Company, ana: Agent
) -> None:
    client = Client()
    sign_in(client, company)
    answer = client.post("/sign-out/")
    assert signed_in(client) is None
    address = urlsplit(answer.headers["Refresh"].removeprefix("0; url="))
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{company.url}/logout/"
    query = parse_qs(address.query)
    assert query["post_logout_redirect_uri"] == [f"{PUBLIC_URL}/sign-in/"]
    assert query["id_token_hint"][0].count(".") == 2


def test_somebody_who_signed_in_with_a_password_is_not_led_to_the_company(
    company: Company, ana: Agent
) -> None:
    client = Client()
    client.force_login(ana)
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"


def test_nothing_of_a_sign_in_is_logged(
    company: Company, ana: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    company.claim(nonce="wrong")
    with caplog.at_level(logging.DEBUG):
        sign_in(Client(), company)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("inboxes")]
    assert said == ["company sign-in refused: of the provider's token, it answers another request"]
    assert "ana.ruiz" not in "".join(said)


def test_an_administrator_unlinks_somebody_whose_company_account_is_gone(
    company: Company, ana: Agent
) -> None:
    sign_in(Client(), company)
    admin = Client()
    admin.force_login(Agent.objects.create_superuser("root", display_name="Root"))
    order = {"action": "unlink_company_sign_in", "_selected_action": [ana.pk]}
    answer = admin.post("/admin/inboxes/agent/", order, follow=True)
    assert "Company sign-in unlinked: Ana Ruiz." in read_words(answer)
    company.claim("userinfo.json", email="ana.ruiz@example.com", email_verified=True)
    client = Client()
    sign_in(client, company, "stranger")
    assert signed_in(client) == ana


@pytest.mark.parametrize("counts", [True, False])
def test_two_steps_at_the_company_count_where_the_settings_say_so(
    company: Company, ana: Agent, settings: Any, counts: bool
) -> None:
    settings.TWO_STEP_SIGN_IN = "everybody"
    settings.OIDC_TWO_STEPS = counts
    client = Client()
    sign_in(client, company)
    answer = client.get("/notifications/")
    assert answer.status_code == (200 if counts else 302)
    assert counts or answer.headers["Location"].startswith("/account/two-step/")


def test_a_hundred_starts_from_one_address_do_not_all_reach_the_company(
    company: Company, settings: Any
) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 3
    client = Client()
    answers = [client.post("/sign-in/company/").status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]


@pytest.mark.parametrize("value", ["\0", "\ud800", "x" * 10_000, "../", "<b>"], ids=repr)
def test_nonsense_in_an_answer_is_refused_in_words(company: Company, value: str) -> None:
    query = urlencode({"state": value, "code": value}, errors="surrogatepass")
    answer = Client().get(f"/sign-in/company/callback/?{query}")
    assert answer.status_code == 403
    assert "was started in another browser" in read_words(answer)
