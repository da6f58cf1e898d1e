"""Logs contain no personal data and no secrets, at any level."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import psycopg
import pytest
from websockets.sync.client import connect

from config.logs import RedactingFormatter
from tests.stack import Stack, running_stack

WORD = "Xylocanary"
NUMBER = "2025550143"
PASSWORD = "Quercitron-password"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack("config_logs", LOG_LEVEL="DEBUG", DJANGO_DEBUG="1") as stack:
        yield stack


def sign_in(client: httpx.Client, password: str) -> int:
    token = client.get("/sign-in/").cookies.get("csrftoken") or client.cookies["csrftoken"]
    form = {"username": "ana", "password": password, "csrfmiddlewaretoken": token}
    return client.post("/sign-in/", data=form).status_code


def receive_live(stack: Stack, client: httpx.Client, thread: int) -> None:
    """Open a page's socket, send one more text, and read frames until it arrives."""
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    look = quote(json.dumps({"list": None, "thread": thread, "seqs": {}}))
    with connect(
        f"ws://127.0.0.1:{stack.port}/live/?look={look}",
        additional_headers={"Origin": stack.url, "Cookie": cookies},
        proxy=None,
    ) as socket:
        socket.recv(timeout=10)
        text_in(client, stack, f"{WORD} again")
        while f"{WORD} again" not in json.loads(socket.recv(timeout=10)).get("rows", ""):
            pass


def text_in(client: httpx.Client, stack: Stack, body: str) -> None:
    with psycopg.connect(stack.database_url) as connection:
        row = connection.execute(
            "SELECT number.id FROM messaging_number AS number"
            " JOIN inboxes_membership AS member ON member.inbox_id = number.inbox_id"
            " JOIN inboxes_agent AS agent ON agent.id = member.agent_id"
            " WHERE agent.username = 'ana' ORDER BY 1 LIMIT 1"
        ).fetchone()
    assert row is not None
    form = {
        "sender": f"+1{NUMBER}",
        "number": row[0],
        "text": body,
        "csrfmiddlewaretoken": client.cookies["csrftoken"],
    }
    assert client.post("/simulator/send/", data=form).status_code == 302


def thread_of_the_number(stack: Stack) -> int:
    with psycopg.connect(stack.database_url) as connection:
        row = connection.execute(
            "SELECT thread.id FROM threads_thread AS thread"
            " JOIN threads_contact AS contact ON contact.id = thread.contact_id"
            " WHERE contact.address LIKE %s",
            [f"%{NUMBER}"],
        ).fetchone()
    assert row is not None
    return int(row[0])


def account_tokens(stack: Stack) -> list[str]:
    with psycopg.connect(stack.database_url) as connection:
        return [row[0] for row in connection.execute("SELECT token FROM messaging_carrieraccount")]


def test_no_text_number_password_or_token_is_logged_at_any_level(stack: Stack) -> None:
    with httpx.Client(base_url=stack.url, trust_env=False, timeout=20) as client:
        assert sign_in(client, PASSWORD) == 200
        assert sign_in(client, "partyline") == 302
        text_in(client, stack, WORD)
        thread = thread_of_the_number(stack)
        page = client.get(f"/threads/{thread}/")
        assert WORD in page.text
        receive_live(stack, client, thread)
        for path in (
            f"/search/?q={WORD}",
            f"/inboxes/1/?q={WORD}",
            f"/start/to/?to=%2B1{NUMBER}",
            f"/start/?inbox={WORD}",
            f"/?after={WORD}",
            "/media/Xylocanary-signed/a.jpg",
            f"/account/new-phone/{WORD}/",
            f"/invitation/{WORD}/",
            f"/invitation/%20{WORD}/",
            f"/e-mails/stop/{WORD}/",
            *(f"/webhooks/simulator/{token}/" for token in account_tokens(stack)),
            *(f"/WebHooks/%22simulator%22/%20{token}" for token in account_tokens(stack)),
            *(f"/webhooks/{token}" for token in account_tokens(stack)),
        ):
            client.get(path)
        token = client.cookies["csrftoken"]
        form = {"csrfmiddlewaretoken": token, "body": f"{WORD} reply", "form_key": WORD}
        client.post(f"/threads/{thread}/messages/", data=form)
        client.post(f"/threads/{thread}/draft/", data={**form, "csrfmiddlewaretoken": WORD})
        client.post("/password-reset/", data={"csrfmiddlewaretoken": token, "login": WORD})
        secrets = [client.cookies["sessionid"], token, *account_tokens(stack)]
        masked = re.findall(r'csrfmiddlewaretoken" value="(\w{64})"', page.text)
    assert masked
    stack.stop()
    for what in (WORD, NUMBER, PASSWORD, *secrets, *masked):
        assert what not in stack.log
    assert stack.log.count("\n") > 3


TOKEN = "Xylocanary_Quercitron-0123456789"


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/twilio/{}/",
        "//webhooks//twilio//{}",
        "/WEBHOOKS/Twilio/{}/attempt/",
        "/webhooks%2Ftwilio%2F{}",
        "/webhooks/%22twilio%22/{}/",
        '/webhooks/"twilio"/"{}"/',
        "/webhooks/signal wire/ {}/",
        "/webhooks/twilio./<{}>",
        "/webhooks/twilio/ /{}",
        "/webhooks/{}",
        "/webhooks/{}/",
        "/partyline/webhooks/twilio/{}/",
        "http://[::1]:8000/webhooks/twil_io/{}/",
        "texts.example.com/webhooks/twilio/{}/",
    ],
)
@pytest.mark.parametrize("line", ["Not Found: {}", '"POST {} HTTP/1.1" 404', "<Request '{}'>"])
def test_an_account_token_is_logged_in_no_spelling_of_the_address(path: str, line: str) -> None:
    record = logging.makeLogRecord({"msg": line.format(path.format(TOKEN))})
    text = RedactingFormatter("%(message)s").format(record)
    assert not re.search("xylo|querci|0123", text, re.IGNORECASE)
    assert line[:5] in text
    assert ("404" in text) == ("404" in line)


@pytest.mark.parametrize(
    "path",
    [
        "/invitation/{}/",
        "//invitation//{}",
        "/Invitation/ {}/",
        '/invitation/"{}"/',
        "/invitation/<{}>/",
        "https://texts.example.com/invitation/{}/",
        "/e-mails/stop/12:{}/",
        "/account/new-phone/{}/finish/",
    ],
)
@pytest.mark.parametrize("line", ["Not Found: {}", '"POST {} HTTP/1.1" 404', "<Request '{}'>"])
def test_a_link_that_lets_somebody_in_is_not_logged(path: str, line: str) -> None:
    record = logging.makeLogRecord({"msg": line.format(path.format(TOKEN))})
    text = RedactingFormatter("%(message)s").format(record)
    assert not re.search("xylo|querci|0123", text, re.IGNORECASE)
    assert line[:5] in text


def test_the_carrier_and_the_names_of_files_stay_in_the_log() -> None:
    for told, kept in (
        ("/webhooks/twilio/{}/ is away", "/webhooks/twilio/- is away"),
        ('File "/tmp/wt/webhooks/tests/stack.py", line 5', None),
        ("/srv/webhooks/texts/a_longer_name_than_an_accounts_token_has.py", None),
        ("webhooks/ingest.py", None),
    ):
        record = logging.makeLogRecord({"msg": told.format(TOKEN)})
        assert RedactingFormatter("%(message)s").format(record) == (kept or told)


def format_error(error: BaseException) -> str:
    """Return the log's text for an error that was raised and caught."""
    try:
        raise error
    except type(error):
        record = logging.makeLogRecord({"msg": "It failed", "exc_info": sys.exc_info()})
    return RedactingFormatter("%(message)s").format(record)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"invalid literal for int() with base 10: '{WORD}'"),
        KeyError(WORD),
        KeyError(f'it\'s "{WORD}"'),
        psycopg.DataError(f'invalid input syntax for type bigint: "{WORD} "x" {WORD}"'),
        RuntimeError(f"could not be sent to +1{NUMBER}"),
        ExceptionGroup("several", [ValueError(f"not '{WORD}'")]),
    ],
)
def test_an_error_is_logged_without_its_quotations(error: Exception) -> None:
    text = format_error(error)
    assert WORD not in text
    assert NUMBER not in text
    assert type(error).__name__ in text
    assert f'File "{__file__}"' in text


def test_names_of_constraints_stay_in_the_log() -> None:
    text = format_error(psycopg.IntegrityError('violates unique constraint "message_is_once"'))
    assert 'violates unique constraint "message_is_once"' in text
