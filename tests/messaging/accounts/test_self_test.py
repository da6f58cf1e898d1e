"""An account's self-test tells an administrator what is wrong, in words that say what to do."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.signing import TimestampSigner
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from messaging.accounts import probes, self_test, spellings
from messaging.accounts.self_test import run_self_test
from messaging.models import CarrierAccount, Message, Rejection, Webhook
from tests.cast import SECRETS, Cast, client_of
from tests.far_end_client import FarEnd, far_end
from tests.messaging.carriers.fixtures import FIXTURES
from tests.proxy import Headers, Proxy, Request, proxy
from tests.proxy import _Handler as proxy_handler

__all__ = ["far_end", "proxy"]

LOOPBACK = ip_address("127.0.0.1")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(
    live_server: LiveServer, far_end: FarEnd, proxy: Proxy, cast: Cast, settings: Settings
) -> CarrierAccount:
    """Return an account reached through the proxy, which is set up well; its carrier is the far
    end."""
    proxy.target = live_server.url
    settings.PUBLIC_URL = proxy.url
    settings.TWILIO_API_URL = far_end.url
    return cast.account


def findings_by_title(account: CarrierAccount) -> dict[str, tuple[str, str]]:
    """Run the self-test; return level and sentence by title, without the missing https."""
    findings: dict[str, tuple[str, str]] = {
        one.title: (one.level, one.words) for one in run_self_test(account)
    }
    findings.pop("Encryption", None)
    return findings


def failed_sentences(account: CarrierAccount) -> str:
    """Return the sentences of the failed steps."""
    return " ".join(
        words for level, words in findings_by_title(account).values() if level == "bad"
    )


def test_all_is_well_and_nothing_is_stored_or_counted(account: CarrierAccount) -> None:
    findings = findings_by_title(account)
    assert {title: level for title, (level, _) in findings.items()} == {
        "Secrets": "good",
        "Our public address": "good",
        "Proxy": "good",
        "Signature": "good",
        "Other spellings of the address": "good",
        "Twilio's API": "good",
        "Clock": "good",
    }
    assert "Far End Ltd, AC000" in findings["Twilio's API"][1]
    assert not Webhook.objects.exists()
    assert not Message.objects.exists()
    account.refresh_from_db()
    assert account.rejected_count == 0
    assert account.self_tested_at is not None


def test_it_is_run_by_a_button_and_its_result_is_kept(account: CarrierAccount, cast: Cast) -> None:
    admin = client_of(cast.admin)
    change = reverse("admin:messaging_carrieraccount_change", args=[account.pk])
    page = admin.get(change).content.decode()
    address = reverse("admin:messaging_carrieraccount_self_test", args=[account.pk])
    assert f'action="{address}"' in page
    assert "Not tested yet" in page
    assert "hasn't been tested yet" in admin.get(address).content.decode()
    told = admin.post(address, follow=True).content.decode()
    assert told.count("OK: ") == 7
    assert "Warning: Encryption" in told
    assert admin.get(address).content.decode().count("OK: ") == 7, "a visit tests nothing"
    assert "No problems" in admin.get(change).content.decode()
    assert SECRETS["auth_token"] not in told


def test_only_administrators_may_run_it_and_only_by_post(
    account: CarrierAccount, cast: Cast, proxy: Proxy
) -> None:
    address = reverse("admin:messaging_carrieraccount_self_test", args=[account.pk])
    assert client_of(cast.ana).post(address).status_code == 403
    assert Client().post(address)["Location"].startswith("/sign-in/")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.admin)
    assert strict.post(address).status_code == 403
    assert client_of(cast.admin).get(address).status_code == 200
    missing = reverse("admin:messaging_carrieraccount_self_test", args=[account.pk + 999])
    assert client_of(cast.admin).post(missing).status_code == 404
    assert proxy.calls == 0


def test_a_spelling_that_the_proxy_redirects_or_changes_is_named(
    account: CarrierAccount, proxy: Proxy
) -> None:
    title = "Other spellings of the address"
    level, words = findings_by_title(account)[title]
    assert level == "good"
    for spelling in ("without its last slash", "with a slash doubled", "for receipts", "by GET"):
        assert spelling in words
    assert "enter the address exactly as it is shown here" in words

    def merge_slashes(path: str, headers: Headers, body: bytes) -> Request:
        return path.replace("//", "/"), headers, body

    proxy.change = merge_slashes
    level, words = findings_by_title(account)[title]
    assert level == "doubt"
    assert "with a slash doubled: the proxy changes the path" in words
    assert "without its last slash" not in words


def test_a_carriers_name_in_the_host_stays_as_it_is(cast: Cast, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://twilio.example.com"
    found = {one.words: one.url for one in spellings.list_spellings(cast.account)}
    assert found["with the carrier in capitals"] == (
        f"https://twilio.example.com/webhooks/Twilio/{cast.account.token}/"
    )


def test_a_redirect_of_the_missing_slash_and_a_refused_get_are_named(
    account: CarrierAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answer as nginx does for a folder, and a firewall that knows POST alone."""
    passed_on = proxy_handler._pass_on

    def answer_some(handler: proxy_handler) -> None:
        if handler.command == "GET":
            handler._reply(405, {}, b"")
        elif not handler.path.endswith("/"):
            handler._reply(301, {"Location": f"{handler.path}/"}, b"")
        else:
            passed_on(handler)

    monkeypatch.setattr(proxy_handler, "_pass_on", answer_some)
    level, words = findings_by_title(account)["Other spellings of the address"]
    assert level == "doubt"
    assert "without its last slash: it is redirected, which carriers do not follow" in words
    assert "by GET: something in front of Partyline answers 405" in words
    assert "with a slash doubled" not in words
    account.refresh_from_db()
    assert account.rejected_count == 0


def cut_path(path: str, headers: Headers, body: bytes) -> Request:
    return path.rstrip("/") + "/behind/", headers, body


def strip_unknown(path: str, headers: Headers, body: bytes) -> Request:
    return path, {name: headers[name] for name in headers if not name.startswith("x-")}, body


def strip_signature(path: str, headers: Headers, body: bytes) -> Request:
    return path, {name: headers[name] for name in headers if "signature" not in name}, body


def rewrite_body(path: str, headers: Headers, body: bytes) -> Request:
    return path, headers, body + b"&added=1"


def test_what_a_proxy_spoils_is_named(account: CarrierAccount, proxy: Proxy) -> None:
    for change, words in [
        (cut_path, "/webhooks/twilio/"),
        (strip_signature, "removes the header x-twilio-signature"),
        (strip_unknown, "without the header x-partyline-self-test"),
        (rewrite_body, "changes the body"),
    ]:
        proxy.change = change
        assert words in failed_sentences(account)


def test_what_a_proxy_strips_is_named_too_where_logins_are_asked_for(
    account: CarrierAccount, proxy: Proxy
) -> None:
    fixture = FIXTURES["bandwidth"]
    account.carrier = fixture.name
    account.set_credentials(dict(fixture.credentials))
    account.save()
    proxy.change = lambda path, headers, body: (path, {"host": headers["host"]}, body)
    assert "without the header x-partyline-self-test" in failed_sentences(account)


def test_another_host_header_is_no_fault_and_is_told(
    account: CarrierAccount, proxy: Proxy
) -> None:
    proxy.change = lambda path, headers, body: (path, headers | {"host": "localhost:1"}, body)
    level, words = findings_by_title(account)["Proxy"]
    assert (level, "host localhost:1" in words) == ("doubt", True)
    proxy.change = lambda path, headers, body: (path, headers | {"host": "elsewhere"}, body)
    level, words = findings_by_title(account)["Proxy"]
    assert (level, "ALLOWED_HOSTS" in words) == ("doubt", True)


def test_who_answers_in_our_place_is_told_and_redirects_are_not_followed(
    account: CarrierAccount, proxy: Proxy
) -> None:
    answers: list[tuple[int, Headers, bytes, str]] = [
        (308, {"Location": "https://elsewhere/x"}, b"", "It redirects to https://elsewhere."),
        (308, {"Location": f"{proxy.url}/x"}, b"", "It redirects to itself"),
        (302, {"Location": "http://[::1/"}, b"", "an invalid address"),
        (302, {"Location": "http://a:b"}, b"", "an invalid address"),
        (302, {}, b"", "without saying where to"),
        (401, {}, b"", "asks for a login"),
        (404, {}, b"", "changes the path"),
        (502, {}, b"", "can't reach Partyline"),
        (200, {}, b"<h1>It works!</h1>", "Another program answers there (200)"),
        (200, {}, b'{"path": 1}', "Another program answers there (200)"),
        (200, {}, b"[" * 1_000_000, "Another program answers there (200)"),
    ]
    for calls, (status, headers, body, words) in enumerate(answers, 1):
        proxy.answer = status, headers, body
        assert words in failed_sentences(account)
        assert proxy.calls == calls


def test_a_proxy_that_does_not_say_https_is_told_what_to_say(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://texts.example.com"
    told = self_test._explain_redirect(httpx.URL("https://texts.example.com/webhooks/twilio/x/"))
    assert "nginx: `proxy_set_header X-Forwarded-Proto $scheme;`" in told
    for elsewhere in ("https://www.texts.example.com/", "http://texts.example.com/"):
        assert "Carriers don't follow" in self_test._explain_redirect(httpx.URL(elsewhere))


def test_an_address_that_nothing_listens_at_or_nobody_knows(
    account: CarrierAccount, settings: Settings
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    assert "Nothing listens at 127.0.0.1:9." in failed_sentences(account)
    settings.PUBLIC_URL = "http://no-such-host.invalid"
    assert "The name no-such-host.invalid can't be found." in failed_sentences(account)


def test_an_address_that_takes_the_call_and_says_nothing(
    account: CarrierAccount, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_test, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.PUBLIC_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "then doesn't answer" in failed_sentences(account)


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(LOOPBACK)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "proxy.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_a_certificate_that_nobody_trusts_and_tls_where_there_is_none(
    account: CarrierAccount, proxy: Proxy, settings: Settings, tmp_path: Path
) -> None:
    settings.PUBLIC_URL = f"https://127.0.0.1:{proxy.port}"
    assert "doesn't answer with TLS" in failed_sentences(account)
    proxy.speak_tls(self_signed(tmp_path))
    assert f"certificate of 127.0.0.1:{proxy.port} isn't valid: self-signed" in failed_sentences(
        account
    )


def test_a_secret_that_is_missing_or_cannot_be_read(
    account: CarrierAccount, settings: Settings
) -> None:
    account.set_credentials({"account_sid": SECRETS["account_sid"]})
    account.save()
    said = failed_sentences(account)
    assert "Not stored yet: Auth token." in said
    assert "A correctly signed request is refused: no auth token is stored" in said
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    said = failed_sentences(account)
    assert "can't be decrypted with FIELD_KEYS" in said
    assert "Twilio's API" not in findings_by_title(account), "there is nothing to ask with"


def test_what_the_carriers_api_says_is_told(
    account: CarrierAccount, far_end: FarEnd, settings: Settings
) -> None:
    for status, words in [(401, "doesn't accept the stored secrets"), (500, "can't be reached")]:
        far_end.answer_questions_with(status)
        level, said = findings_by_title(account)["Twilio's API"]
        assert (level, words in said) == ("bad", True)
    settings.TWILIO_API_URL = "http://127.0.0.1:9"
    assert "could not be reached (ConnectError)" in findings_by_title(account)["Twilio's API"][1]


def test_a_clock_that_is_off_is_told_by_how_much(
    account: CarrierAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = self_test._read_date
    for ahead, level, words in [
        (-600, "bad", "s behind Twilio's"),
        (60, "doubt", "s ahead of Twilio's"),
        (1, "good", "agrees"),
    ]:
        monkeypatch.setattr(self_test, "_read_date", lambda date, by=ahead: (real(date) or 0) - by)
        found_level, said = findings_by_title(account)["Clock"]
        assert (found_level, words in said) == (level, True)


def test_where_only_the_carrier_can_sign_that_is_said(account: CarrierAccount) -> None:
    fixture = FIXTURES["telnyx"]
    account.carrier = fixture.name
    account.set_credentials(dict(fixture.credentials))
    account.save()
    level, said = findings_by_title(account)["Signature"]
    assert (level, "Only Telnyx can sign" in said) == ("doubt", True)
    assert not Rejection.objects.exists()


def test_nobody_elses_mark_opens_anything(account: CarrierAccount) -> None:
    other = CarrierAccount(pk=account.pk + 1)
    forged = TimestampSigner(key="not-ours", salt="messaging.probes").sign(f"{account.pk}.x")
    for mark in ("", "x", forged, probes.make_token(other)):
        response = Client().post(
            account.webhook_path, b"{}", content_type="text/plain", headers={probes.HEADER: mark}
        )
        assert response.status_code == 403
    account.refresh_from_db()
    assert account.rejected_count == 4
    ours = Client().post(
        account.webhook_path,
        b"{}",
        content_type="text/plain",
        headers={probes.HEADER: probes.make_token(account)},
    )
    assert ours.json()["rejected"] == "the signature header is missing"
    account.refresh_from_db()
    assert account.rejected_count == 4
