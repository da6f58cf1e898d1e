"""Web push: what is sent, to whom, and which addresses are never called."""

from __future__ import annotations

import base64
import json
import socket
import time
from typing import Any

import httpcore
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from django.core.management import call_command
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from config.vapid import is_vapid_key
from inboxes.actions import remove_member
from inboxes.models import Agent
from messaging import base64url
from messaging.models import PushSubscription
from messaging.notifications import push, webpush
from messaging.stream.notifying import mark_notifications_read
from tests.cast import Cast, client_of
from tests.inboxes.sign_in.people import add_app, code_now
from tests.messaging.attachments.media_host import NAMES, media_host
from tests.messaging.notifications.push_service import (
    Browser,
    FakeService,
    run_push_jobs,
    service,
    subscribe_browser,
)
from threads.actions import set_mute

__all__ = ["service"]

# The example of RFC 8291, section 5
WATERMELON = "When I grow up, I want to be a watermelon"
RFC_AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
RFC_RECEIVER = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
RFC_SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
RFC_SALT = "DGv6ra1nlYgDCS1FRnbzlw"
RFC_RESULT = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYW"
    "AmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgS"
    "xsj_Qulcy4a-fN"
)


def test_the_standards_example_is_reproduced_byte_by_byte() -> None:
    sender = ec.derive_private_key(
        int.from_bytes(base64url.decode(RFC_SENDER), "big"), ec.SECP256R1()
    )
    sealed = webpush.encrypt_message(
        WATERMELON.encode(),
        p256dh=RFC_RECEIVER,
        auth=RFC_AUTH,
        sender=sender,
        salt=base64url.decode(RFC_SALT),
    )
    assert base64url.encode(sealed) == RFC_RESULT


def test_a_push_goes_to_the_notified_and_only_the_browser_can_read_it(
    cast: Cast, service: FakeService
) -> None:
    browser = Browser()
    subscribe_browser(client_of(cast.ana), service.endpoint("ana"), browser)
    message = cast.text_in("The canary sings")
    job = ProcrastinateJob.objects.get(task_name="push_message")
    assert job.args == {"message_id": message.pk}
    run_push_jobs(message)
    ((name, headers, body),) = service.log
    assert name == "ana"
    assert b"canary" not in body
    assert browser.open(body)["body"] == "The canary sings"
    assert browser.open(body)["url"].startswith(f"/threads/{message.thread_id}/?at={message.pk}")
    assert (headers["Content-Encoding"], headers["TTL"]) == ("aes128gcm", "86400")


def test_each_push_is_encrypted_with_a_new_key_and_salt(cast: Cast, service: FakeService) -> None:
    browser = Browser()
    subscribe_browser(client_of(cast.ana), service.endpoint("ana"), browser)
    message = cast.text_in("Twice")
    run_push_jobs(message)
    run_push_jobs(message)
    first, second = (body for _, _, body in service.log)
    assert first[:86] != second[:86]
    assert first[:16] != second[:16]


def test_the_signature_names_only_this_push_service(cast: Cast, settings: Settings) -> None:
    header = webpush.authorization_header("https://push.example.com/abc")
    token, key = header.removeprefix("vapid t=").split(", k=")
    head, claims, signature = token.split(".")
    assert json.loads(base64url.decode(head)) == {"typ": "JWT", "alg": "ES256"}
    said = json.loads(base64url.decode(claims))
    assert said["aud"] == "https://push.example.com"
    assert said["sub"] == settings.VAPID_SUBJECT
    raw = base64url.decode(signature)
    halves = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), base64url.decode(key))
    point.verify(
        encode_dss_signature(*halves), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256())
    )
    assert key == webpush.application_server_key()


def test_no_job_is_made_where_nobody_notified_has_a_browser(
    cast: Cast, service: FakeService
) -> None:
    subscribe_browser(client_of(cast.ana), service.endpoint("ana"), Browser())
    thread = cast.answer(cast.thread(), "Mine").thread
    set_mute(thread=thread, agent=cast.ana, is_muted=True)
    ProcrastinateJob.objects.filter(task_name="push_message").delete()
    cast.text_in("Muted")
    assert not ProcrastinateJob.objects.filter(task_name="push_message").exists()


def test_a_message_that_was_read_meanwhile_is_not_pushed(cast: Cast, service: FakeService) -> None:
    subscribe_browser(client_of(cast.ana), service.endpoint("ana"), Browser())
    message = cast.text_in("Hello")
    mark_notifications_read(agent=cast.ana)
    run_push_jobs(message)
    assert service.log == []


@pytest.mark.parametrize("end", ["signed out", "removed", "deactivated", "new password"])
def test_a_browser_gets_nothing_after_its_session_ended(
    cast: Cast, service: FakeService, end: str
) -> None:
    client = client_of(cast.ben)
    subscribe_browser(client, service.endpoint("ben"), Browser())
    message = cast.text_in("Hello")
    if end == "signed out":
        client.post("/sign-out/")
    elif end == "removed":
        remove_member(inbox=cast.front_desk, agent=cast.ben, changed_by=None)
    elif end == "deactivated":
        Agent.objects.filter(pk=cast.ben.pk).update(is_active=False)
    else:
        cast.ben.set_password("another one")
        cast.ben.save()
    run_push_jobs(message)
    assert service.log == []


def test_a_browser_that_lacks_the_demanded_second_step_gets_nothing_until_it_is_given(
    cast: Cast, service: FakeService, settings: Settings
) -> None:
    client, passed = client_of(cast.ben), client_of(cast.ben)
    add_app(cast.ben)
    settings.TWO_STEP_SIGN_IN = "nobody"
    for name, browser in (("asked", client), ("passed", passed)):
        subscribe_browser(browser, service.endpoint(name), Browser())
    passed.post("/sign-in/confirm/code/", {"code": code_now()})
    settings.TWO_STEP_SIGN_IN = "everybody"
    run_push_jobs(cast.text_in("Hello"))
    assert [name for name, _, _ in service.log] == ["passed"]


def test_all_browsers_of_an_agent_are_looked_up_at_once(
    cast: Cast, settings: Settings, service: FakeService, django_assert_num_queries: Any
) -> None:
    settings.TWO_STEP_SIGN_IN = "nobody"
    for name in ("first", "second", "third"):
        subscribe_browser(client_of(cast.ben), service.endpoint(name), Browser())
    with django_assert_num_queries(3):
        assert len(push.reachable_subscriptions(cast.ben.pk)) == 3


@pytest.mark.parametrize(
    ("status", "is_kept"), [(404, False), (410, False), (500, True), (429, True)]
)
def test_a_browser_that_is_gone_is_deleted_and_the_others_are_called(
    cast: Cast, service: FakeService, status: int, is_kept: bool
) -> None:
    client = client_of(cast.ana)
    for name in ("first", "second"):
        subscribe_browser(client, service.endpoint(name), Browser())
    service.answers["first"] = status
    run_push_jobs(cast.text_in("Hello"))
    assert sorted(name for name, _, _ in service.log) == ["first", "second"]
    assert PushSubscription.objects.filter(endpoint=service.endpoint("first")).exists() == is_kept
    assert PushSubscription.objects.filter(endpoint=service.endpoint("second")).exists()


def test_a_service_that_cannot_be_reached_delays_no_other(
    cast: Cast, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(cast.ana)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        subscribe_browser(client, f"http://127.0.0.1:{closed.getsockname()[1]}/x", Browser())
        subscribe_browser(client, service.endpoint("second"), Browser())
        run_push_jobs(cast.text_in("The canary sings"))
    assert [name for name, _, _ in service.log] == ["second"]
    assert "canary" not in caplog.text


def test_the_test_goes_to_the_agents_own_browsers(cast: Cast, service: FakeService) -> None:
    browser, client = Browser(), client_of(cast.ana)
    subscribe_browser(client, service.endpoint("ana"), browser)
    subscribe_browser(client_of(cast.ben), service.endpoint("ben"), Browser())
    client.post("/settings/test/")
    job = ProcrastinateJob.objects.get(task_name="push_test")
    assert job.args == {"agent_id": cast.ana.pk}
    push.push_test(cast.ana.pk, is_ending=lambda: False)
    ((name, _, body),) = service.log
    assert (name, browser.open(body)["tag"]) == ("ana", "test")


# What is never called


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://localhost/x",
        "https://push.example.com:8443/x",
        "https://somebody@push.example.com/x",
        "https://push.example.com:port/x",
        "ftp://push.example.com/x",
        "https://\uff41.\uff42/",
        "https://bücher.example/x",
        "https://0177.0.0.1/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://push.0x7f000001/",
        "https://push..example.com/x",
        "https://-push.example.com/x",
        f"https://{'a' * 64}.example.com/x",
        f"https://{'a.' * 130}com/x",
        "https://push_1.example.com/x",
        "https://[v1.a]/x",
        "https://push.example.com\\@10.0.0.1/x",
        "",
        "x" * 2000,
    ],
)
def test_an_endpoint_is_https_at_a_public_name(cast: Cast, endpoint: str) -> None:
    client = client_of(cast.ana)
    answer = client.post("/settings/push/", {"endpoint": endpoint, **Browser().form_fields})
    assert answer.status_code == 422
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(
    "host",
    [
        "fcm.googleapis.com",
        "updates.push.services.mozilla.com",
        "web.push.apple.com",
        "wns2-par02p.notify.windows.com",
        "push.xn--bcher-kva.example",
    ],
)
def test_the_browser_makers_services_are_accepted(cast: Cast, host: str) -> None:
    subscribe_browser(
        client_of(cast.ana), f"https://{host}/wpush/v2/gAAA:b-_=?token=x%2F", Browser()
    )
    assert PushSubscription.objects.get().service == host


def test_the_connection_goes_to_the_address_that_was_checked_and_tls_proves_the_name() -> None:
    with media_host() as host:
        host.answers["/x"] = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
        network = host.network({NAMES[0]: ["127.0.0.1"], "push.example.com": ["127.0.0.1"]}, bool)
        keys, end = Browser().form_fields, time.monotonic() + 5
        right = PushSubscription(endpoint=f"https://{NAMES[0]}:{host.port}/x", **keys)
        assert webpush.post_message(right, b"{}", end=end, network=network) == 201
        wrong = PushSubscription(endpoint=f"https://push.example.com:{host.port}/x", **keys)
        with pytest.raises(httpcore.ConnectError, match="match"):
            webpush.post_message(wrong, b"{}", end=end, network=network)
    [(path, headers)] = host.requests
    assert (path, headers["host"].split(":")[0]) == ("/x", NAMES[0])


@pytest.mark.parametrize(
    "wrong", [{"p256dh": "AAAA"}, {"p256dh": "#"}, {"auth": "AAAA"}, {"auth": "é"}, {"auth": ""}]
)
def test_invalid_keys_are_refused(cast: Cast, service: FakeService, wrong: dict[str, str]) -> None:
    client = client_of(cast.ana)
    data = {"endpoint": service.endpoint("x"), **Browser().form_fields, **wrong}
    assert client.post("/settings/push/", data).status_code == 422


def test_a_browser_that_changes_hands_is_called_only_for_the_new_agent(
    cast: Cast, service: FakeService
) -> None:
    for agent in (cast.ana, cast.ben):
        subscribe_browser(client_of(agent), service.endpoint("shared"), Browser())
    assert PushSubscription.objects.get().agent == cast.ben


def test_agents_remove_only_their_own_browsers(cast: Cast, service: FakeService) -> None:
    subscribe_browser(client_of(cast.ana), service.endpoint("ana"), Browser())
    pk = PushSubscription.objects.get().pk
    assert client_of(cast.ben).post(f"/settings/push/{pk}/remove/").status_code == 404
    assert PushSubscription.objects.exists()
    assert client_of(cast.ana).post(f"/settings/push/{pk}/remove/").status_code == 302
    assert not PushSubscription.objects.exists()


# Keys and the worker's file


def test_the_command_prints_a_key_that_the_setting_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("make_vapid_keys")
    name, key = capsys.readouterr().out.strip().split("=", 1)
    assert name == "VAPID_PRIVATE_KEY"
    assert is_vapid_key(key)
    assert len(base64.urlsafe_b64decode(key + "=")) == 32


@pytest.mark.parametrize("key", ["", "AAAA", "#", "A" * 43, "_" * 43, "é"])
def test_an_invalid_vapid_key_is_refused(key: str) -> None:
    assert not is_vapid_key(key)


def test_the_service_worker_comes_from_the_root(client: Client, db: None) -> None:
    answer = client.get("/service-worker.js")
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Service-Worker-Allowed"] == "/"
    assert b"notificationclick" in answer.content
    assert client.post("/service-worker.js").status_code == 405
