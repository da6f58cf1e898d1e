"""Outside the demo the simulator is there for administrators, while an account of it is in use."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse

from inboxes.models import Agent
from messaging.attachments.storing import store_bytes
from messaging.carriers.simulator import signature
from messaging.models import CarrierAccount, Message, Number
from messaging.simulator.models import FarEnd, File, Text
from tests.cast import client_of
from tests.markup import read_words
from tests.simulator.conftest import SECRET

PAGES = [
    ("get", "/simulator/"),
    ("get", "/simulator/received/"),
    ("post", "/simulator/send/"),
    ("post", "/simulator/far-end/"),
]
MACHINES = [
    ("post", "/simulator/carrier/messages/"),
    ("get", f"/simulator/files/{uuid.UUID(int=1)}/"),
]


@pytest.fixture(autouse=True)
def _no_demo(settings: Any) -> None:
    settings.DEMO = False


@pytest.fixture
def admin(transactional_db: None) -> Agent:
    return Agent.objects.create(username="ada", display_name="Ada", is_staff=True)


@pytest.fixture
def ana(transactional_db: None) -> Agent:
    return Agent.objects.create(username="ana", display_name="Ana Ruiz")


def visible_response(response: HttpResponseBase) -> tuple[int, bytes]:
    assert not response.streaming
    return response.status_code, response.content  # type: ignore[attr-defined]


def careful(agent: Agent | None = None) -> Client:
    """Return a client that checks tokens of forms, as the real program does."""
    client = Client(enforce_csrf_checks=True)
    if agent is not None:
        client.force_login(agent, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(("deed", "path"), PAGES + MACHINES)
def test_without_an_account_of_it_the_simulator_does_not_exist(
    admin: Agent, ana: Agent, deed: str, path: str
) -> None:
    for agent in (None, ana, admin):
        client = careful(agent)
        nothing = visible_response(client.get("/nothing-here/"))
        assert nothing[0] == 404
        for method in (deed, "get", "post"):
            assert visible_response(getattr(client, method)(path)) == nothing


@pytest.mark.parametrize(("deed", "path"), PAGES + MACHINES)
def test_only_administrators_find_it(
    number: Number, ana: Agent, admin: Agent, deed: str, path: str
) -> None:
    for agent in (None, ana):
        client = careful(agent)
        nothing = visible_response(client.get("/nothing-here/"))
        for method in (deed, "get", "post"):
            assert visible_response(getattr(client, method)(path)) == nothing
    assert not Text.objects.exists()
    assert not FarEnd.objects.exists()
    assert "Front Desk" in read_words(client_of(admin).get("/simulator/"))


def test_it_is_gone_once_its_account_is_no_longer_in_use(number: Number, admin: Agent) -> None:
    client = client_of(admin)
    assert client.get("/simulator/").status_code == 200
    CarrierAccount.objects.update(is_active=False)
    assert client.get("/simulator/").status_code == 404


def test_an_administrator_who_is_deactivated_or_demoted_finds_it_no_more(
    number: Number, admin: Agent
) -> None:
    client = client_of(admin)
    Agent.objects.filter(pk=admin.pk).update(is_staff=False)
    assert client.get("/simulator/").status_code == 404


def test_its_far_end_answers_only_who_holds_an_accounts_secret(number: Number) -> None:
    body = json.dumps(
        {"from": number.address, "to": "+12025550177", "text": "Hi", "callback_url": ""}
    )
    told: dict[str, Any] = {"content_type": "application/json"}
    path = "/simulator/carrier/messages/"
    for bearer in ("", "Bearer ", "Bearer guessed", f"Basic {SECRET}"):
        headers = {"Authorization": bearer} if bearer else {}
        assert Client().post(path, body, headers=headers, **told).status_code == 404
    assert not Text.objects.exists()
    right = {"Authorization": f"Bearer {SECRET}"}
    assert Client().post(path, body, headers=right, **told).status_code == 201
    assert Text.objects.get().body == "Hi"


def test_a_file_on_its_way_is_for_the_account_and_for_administrators(
    number: Number, ana: Agent, admin: Agent
) -> None:
    file = File.objects.create(content_type="image/png", stored_name=store_bytes(b"picture"))
    path = f"/simulator/files/{file.token}/"
    assert Client().get(path).status_code == 404
    assert client_of(ana).get(path).status_code == 404
    assert client_of(admin).get(path).status_code == 200
    right = {"Authorization": f"Bearer {SECRET}"}
    assert Client().get(path, headers=right).status_code == 200


@pytest.mark.parametrize("secret", ["", "guessed", None])
def test_a_webhook_cannot_be_forged(number: Number, secret: str | None) -> None:
    path = number.account.webhook_path
    body = json.dumps(
        {"type": "message", "id": "1", "from": "+12025550177", "to": number.address, "text": "Hi"}
    ).encode()
    marks = {} if secret is None else {"X-Simulator-Signature": signature(secret, path, body)}
    answer = Client().post(path, body, content_type="application/json", headers=marks)
    assert answer.status_code == 403
    assert not Message.objects.exists()


def test_an_administrator_texts_from_the_handset_and_gets_the_answer(
    number: Number, admin: Agent, served: str
) -> None:
    client = client_of(admin)
    form = {"sender": "+12025550177", "number": number.pk, "text": "Is it there?"}
    assert client.post("/simulator/send/", form).status_code == 302
    assert Message.objects.get().body == "Is it there?"


def test_a_real_number_cannot_be_put_on_the_simulator(number: Number, admin: Agent) -> None:
    real = Number(address="+12024561111", account=number.account, inbox=number.inbox)
    with pytest.raises(ValidationError) as refused:
        real.clean()
    assert "made-up numbers" in str(refused.value)
    Number(address="+13035550199", account=number.account, inbox=number.inbox).clean()
    number.delete()
    page = reverse("admin:messaging_number_add")
    form = {"address": real.address, "account": number.account_id, "inbox": number.inbox_id}
    assert "made-up numbers" in read_words(client_of(admin).post(page, form))
    assert not Number.objects.exists()


def test_the_administration_offers_no_simulator_of_its_own(admin: Agent) -> None:
    page = reverse("admin:messaging_carrieraccount_add")
    assert 'value="simulator"' not in read_words(client_of(admin).get(page))
    form = {"carrier": "simulator", "name": "Mine"}
    assert client_of(admin).post(page, form).status_code == 200
    assert not CarrierAccount.objects.exists()
