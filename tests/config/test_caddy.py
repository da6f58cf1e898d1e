"""The short way to https: deploy/caddy/Caddyfile in a real Caddy, in front of a real `serve`."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.config.test_nginx import running_upstream
from tests.databases import migrated_database, own_database
from tests.far_end import twilio_signature
from tests.faults.sites import FORM, csrf_token, write_cast
from tests.stack import ROOT, environment_for, free_port, start_stack, stop_stack, wait_until_ready

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Https:
    """Partyline behind Caddy.

    `echo` and `away` are the same site before a server that echoes, and before none.
    """

    url: str
    echo: str
    away: str
    http: str
    trust: ssl.SSLContext
    database: str
    log: Path
    cast: dict[str, Any]

    def browser(self, **options: Any) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, verify=self.trust, trust_env=False, timeout=40, **options
        )

    def signed_in(self) -> httpx.Client:
        return self.browser(cookies=self.cast["cookies"], headers={"Origin": self.url})

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(question.encode()).fetchall()


def write_site(folder: Path, https: int, http: int, upstreams: dict[int, int]) -> Path:
    """Write the Caddyfile with ports of our own, and certificates by Caddy's own authority."""
    head, _, site = (
        (ROOT / "deploy/caddy/Caddyfile").read_text().partition("\ntexts.example.com {\n")
    )
    assert head.count("{\n\tlog {") == 1
    ports = f"\tadmin off\n\tskip_install_trust\n\thttps_port {https}\n\thttp_port {http}\n"
    text = head.replace("{\n\tlog {", f"{{\n{ports}\tlog {{")
    for port, upstream in upstreams.items():
        body = site.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
        text += f"\nlocalhost:{port} {{\n\tbind 127.0.0.1\n\ttls internal\n{body}"
    path = folder / "Caddyfile"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def https() -> Iterator[Https]:
    port, echo, away, http, web, upstream, nobody = (free_port() for _ in range(7))
    url = f"https://localhost:{port}"
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="partyline-caddy-")))
        database = opened.enter_context(own_database("caddy", migrated_database()))
        opened.enter_context(running_upstream(upstream))
        environment = environment_for(
            database,
            folder / "data",
            PARTYLINE_DEMO="0",
            PUBLIC_URL=url,
            PORT=str(web),
            ALLOWED_HOSTS="",
        )
        log = folder / "log"
        command = ["caddy", "run", "--adapter", "caddyfile", "--config"]
        config = write_site(folder, port, http, {port: web, echo: upstream, away: nobody})
        with log.open("wb") as out:
            caddy = subprocess.Popen(
                [*command, str(config)],
                env={"HOME": str(folder), "XDG_DATA_HOME": str(folder), "PATH": "/usr/bin"},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        opened.callback(caddy.wait, 10)
        opened.callback(caddy.terminate)
        stack = start_stack(environment)
        opened.callback(stop_stack, stack)
        cast = write_cast(environment, 1, 0)
        wait_until_ready(stack)
        authority = folder / "caddy/pki/authorities/local/root.crt"
        wait_for_certificates(log, authority)
        yield Https(
            url=url,
            echo=f"https://localhost:{echo}",
            away=f"https://localhost:{away}",
            http=f"http://localhost:{http}",
            trust=ssl.create_default_context(cafile=authority),
            database=database,
            log=log,
            cast=cast,
        )


def wait_for_certificates(log: Path, authority: Path) -> None:
    end = time.monotonic() + 20
    while "certificate obtained" not in log.read_text() or not authority.exists():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)


def test_the_file_is_as_caddy_itself_would_write_it() -> None:
    """`caddy fmt` prints the file as it should be."""
    path = ROOT / "deploy/caddy/Caddyfile"
    done = subprocess.run(["caddy", "fmt", path], capture_output=True, text=True, check=True)
    assert done.stdout == path.read_text()
    assert shutil.which("caddy")


def test_the_sign_in_page_comes_by_https_with_cookies_for_this_host_only(https: Https) -> None:
    with https.browser() as browser:
        page = browser.get("/sign-in/")
        assert page.status_code == 200
        assert "__Host-csrftoken" in page.cookies
        assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_http_leads_to_https(https: Https) -> None:
    answer = httpx.get(f"{https.http}/threads/1/?q=a", trust_env=False)
    assert answer.status_code == 308
    assert answer.headers["Location"].startswith("https://localhost")
    assert answer.headers["Location"].endswith("/threads/1/?q=a")


def test_what_a_caller_claims_about_itself_is_not_passed_on(https: Https) -> None:
    lies = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Port": "many",
        "Daphne-Root-Path": "/x",
    }
    with https.browser(headers=lies) as browser:
        head = browser.get(f"{https.echo}/").text
        assert browser.get("/sign-in/").status_code == 200, "it believed us: http is redirected"
    lines = {
        name.lower(): value for name, _, value in (x.partition(": ") for x in head.split("\r\n"))
    }
    assert lines["x-forwarded-for"] == "127.0.0.1"
    assert lines["x-forwarded-proto"] == "https"
    assert lines["host"] == https.echo.removeprefix("https://")
    assert not {"x-forwarded-port", "daphne-root-path"} & set(lines)


def open_socket(https: Https, origin: str) -> ClientConnection:
    cookies = "; ".join(f"{name}={value}" for name, value in https.cast["cookies"].items())
    return connect(
        https.url.replace("https", "wss") + "/live/",
        origin=Origin(origin),
        ssl=https.trust,
        proxy=None,
        additional_headers={"Cookie": cookies},
    )


def test_a_page_connects_from_its_own_address_only(https: Https) -> None:
    with open_socket(https, https.url) as socket:
        assert socket.recv(timeout=20)
    with pytest.raises(InvalidStatus):
        open_socket(https, "https://localhost:1")


def test_a_webhook_arrives_with_its_signature_over_the_public_address(https: Https) -> None:
    fields = {"MessageSid": "SMcaddy", "From": "+13035550000", "To": https.cast["number"]}
    fields |= {"Body": "By https", "SmsStatus": "received", "NumMedia": "0"}
    path = https.cast["webhook_path"]
    signature = twilio_signature(https.cast["secret"], https.url + path, fields)
    with https.browser(headers={"X-Twilio-Signature": signature}) as carrier:
        answer = carrier.post(path, data=fields, headers={"Content-Type": FORM})
        assert answer.status_code == 200, answer.text
        assert carrier.post(path, data=fields | {"Body": "Changed"}).status_code == 403
    found = https.ask("SELECT body FROM messaging_message WHERE carrier_message_id = 'SMcaddy'")
    assert found == [("By https",)]


def test_a_file_of_20_mb_goes_through_and_25_mb_is_the_limit(https: Https) -> None:
    thread = https.cast["threads"][0][0]
    with https.signed_in() as browser:
        browser.get("/settings/").raise_for_status()
        form = {"csrfmiddlewaretoken": csrf_token(browser), "form_key": str(uuid.uuid4())}
        path = f"/threads/{thread}/attachments/"
        file = ("notes.txt", b"All of it. " * (20 * MEGABYTE // 11), "text/plain")
        answer = browser.post(path, data=form, files={"file": file})
        assert answer.status_code == 201, answer.text
        more = ("more.txt", b"x" * (25 * MEGABYTE + 1), "text/plain")
        assert browser.post(path, data=form, files={"file": more}).status_code == 413


def test_no_address_is_logged_not_even_while_partyline_is_away(https: Https) -> None:
    with https.browser() as carrier:
        assert carrier.post(f"{https.away}/webhooks/twilio/canary/?a=words").status_code == 502
        assert carrier.post(https.cast["webhook_path"]).status_code == 403
    text = https.log.read_text()
    assert "server running" in text
    assert "canary" not in text
    assert https.cast["webhook_path"] not in text
