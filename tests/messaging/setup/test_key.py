"""Only who has the printed address can set up an installation, and only once."""

from __future__ import annotations

import logging
import stat
import threading
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth import BACKEND_SESSION_KEY
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connections
from django.http.response import HttpResponseBase
from django.test import Client

from config.logs import RedactingFormatter
from config.management.plain import PlainCommand
from inboxes.models import Agent
from inboxes.sign_in.backends import SIGN_IN_BACKEND
from messaging.models import FirstStart
from messaging.setup import announcing, key, link_file
from tests.cast import client_of
from tests.markup import read_words
from tests.messaging.setup.conftest import ADA, open_with_key, the_key

PAGES = [
    "/setup/",
    "/setup/administrator/",
    "/setup/two-step/",
    "/setup/two-step/codes/",
    "/setup/carrier/",
    "/setup/carrier/twilio/",
    "/setup/simulator/",
    "/setup/numbers/",
    "/setup/numbers/look/",
    "/setup/numbers/by-hand/",
    "/setup/inbox/",
    "/setup/colleagues/",
    "/setup/colleagues/1/take-back/",
    "/setup/done/",
]


def setup_link() -> str:
    out = StringIO()
    call_command("setup_link", stdout=out)
    return out.getvalue()


def seen(response: HttpResponseBase) -> tuple[int, bytes]:
    assert not response.streaming
    return response.status_code, response.content  # type: ignore[attr-defined]


def test_a_new_installation_prints_its_address_and_keeps_it_in_a_file_for_its_user_alone() -> None:
    lines = announcing.setup_lines()
    address = lines[1].strip()
    assert urlsplit(address).path == "/setup/"
    assert len(address.partition("?key=")[2]) >= 43  # 256 bits in base64
    path = link_file.link_path()
    assert path.read_text() == f"{address}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # Every process, and the command, say the same.
    assert announcing.setup_lines() == lines
    assert address in setup_link()


def test_the_key_itself_is_not_in_the_database() -> None:
    the_key_now = the_key()
    row = FirstStart.objects.get()
    assert the_key_now not in f"{row.encrypted_key} {row.key_hash}"


def test_a_key_that_cannot_be_decrypted_any_more_is_replaced(settings: Any) -> None:
    old = the_key()
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    assert the_key() != old
    assert Client().get("/setup/", {"key": old}).status_code == 404
    open_with_key()


def test_the_first_pages_say_that_it_is_not_set_up_and_tell_no_secret() -> None:
    address = key.setup_address()
    for path in ("/", "/sign-in/"):
        page = read_words(Client().get(path))
        assert "Not set up yet" in page
        assert address.partition("?key=")[2] not in page
    Agent.objects.create(username="ada", display_name="Ada", is_staff=True)
    assert "Not set up yet" not in read_words(Client().get("/sign-in/"))


@pytest.mark.parametrize("path", PAGES)
def test_without_the_key_no_page_of_the_set_up_exists(path: str) -> None:
    the_key()
    for agent in (None, Agent.objects.create(username="ana", display_name="Ana")):
        client = Client(enforce_csrf_checks=True)
        if agent is not None:
            client.force_login(agent, backend="django.contrib.auth.backends.ModelBackend")
        nothing = seen(client.get("/nothing-here/"))
        assert nothing[0] == 404
        for query in ("", "?key=", "?key=guessed", f"?key={'A' * 43}", "?key=%00", "?key=é"):
            assert seen(client.get(path + query)) == nothing
            assert seen(client.post(path + query, ADA)) == nothing
    assert not Agent.objects.filter(is_staff=True).exists()


@pytest.mark.parametrize("path", PAGES)
def test_with_the_key_only_the_first_step_is_open(path: str) -> None:
    client = open_with_key()
    answer = client.get(path)
    if path == "/setup/":
        assert answer["Location"] == "/setup/administrator/"
    else:
        assert answer.status_code == (200 if path == "/setup/administrator/" else 404)


def test_the_key_leaves_the_address_and_no_referer_tells_it() -> None:
    answer = Client().get("/setup/", {"key": the_key()})
    assert answer["Location"] == "/setup/"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "private, no-store"
    page = open_with_key().get("/setup/administrator/")
    assert page["Referrer-Policy"] == "strict-origin"
    assert the_key() not in read_words(page)


def test_a_session_from_before_gains_nothing() -> None:
    """Somebody who planted their session in this browser does not get in with it."""
    client = Client()
    session = client.session
    session["planted"] = "1"
    session.save()
    before = client.cookies["sessionid"].value
    open_with_key(client)
    assert client.cookies["sessionid"].value != before
    stranger = Client()
    stranger.cookies["sessionid"] = before
    assert stranger.get("/setup/administrator/").status_code == 404


def test_keys_cannot_be_guessed_without_end_and_nobody_sees_the_limit(settings: Any) -> None:
    right = the_key()
    client = Client()
    wrong = [seen(client.get("/setup/", {"key": f"guess-{guess}"})) for guess in range(10)]
    assert {status for status, _ in wrong} == {404}
    assert seen(client.get("/setup/", {"key": right})) == wrong[0]
    # Elsewhere it goes on.
    answer = Client(REMOTE_ADDR="198.51.100.7").get("/setup/", {"key": right})
    assert answer.status_code == 302


@pytest.mark.parametrize(
    "line", ["GET /setup/?key={}", "/setup/?a=1&KEY={} HTTP/1.1", "next=%2Fsetup%2F%3Fkey%3D{}"]
)
def test_no_log_line_tells_the_key(line: str) -> None:
    record = logging.makeLogRecord({"msg": line.format(the_key())})
    assert the_key() not in RedactingFormatter("%(message)s").format(record)


def test_the_administrator_is_made_and_the_key_opens_nothing_any_more() -> None:
    announcing.setup_lines()
    old = the_key()
    client = open_with_key()
    answer = client.post("/setup/administrator/", ADA)
    assert (answer.status_code, answer["Location"]) == (302, "/setup/two-step/")
    ada = Agent.objects.get()
    assert (ada.username, ada.display_name, ada.is_staff) == ("ada", "Ada Byron", True)
    assert ada.check_password(ADA["password"])
    assert client.get("/setup/").status_code == 302  # she goes on in her own session
    assert client.session[BACKEND_SESSION_KEY] == SIGN_IN_BACKEND
    assert FirstStart.objects.get().encrypted_key == ""
    with pytest.raises(key.AlreadySetUp):
        key.setup_address()
    late = Client()
    late.get("/setup/", {"key": old})
    assert late.post("/setup/administrator/", {**ADA, "username": "eve"}).status_code == 409
    assert late.get("/setup/carrier/").status_code == 404
    assert Agent.objects.count() == 1


def test_whoever_comes_second_is_told_to_sign_in() -> None:
    first, second = open_with_key(), open_with_key()
    assert second.get("/setup/administrator/").status_code == 200
    first.post("/setup/administrator/", ADA)
    for answer in (
        second.post("/setup/administrator/", {**ADA, "username": "eve"}),
        second.get("/setup/administrator/"),
        second.get("/setup/"),
    ):
        assert answer.status_code == 409
        assert "Sign in as an administrator" in read_words(answer)
    assert Agent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_becomes_administrator() -> None:
    browsers = [open_with_key(), open_with_key()]
    start = threading.Barrier(2)
    statuses = []

    def send(client: Client, username: str) -> None:
        start.wait()
        answer = client.post("/setup/administrator/", {**ADA, "username": username})
        statuses.append(answer.status_code)
        connections.close_all()

    threads = [
        threading.Thread(target=send, args=pair)
        for pair in zip(browsers, ("ada", "eve"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [302, 409]
    assert Agent.objects.filter(is_staff=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_administrator_of_the_shell_ends_it_too() -> None:
    announcing.setup_lines()
    client = open_with_key()
    call_command("createsuperuser", "--no-input", username="root", display_name="Root")
    assert not link_file.link_path().exists()
    assert client.post("/setup/administrator/", ADA).status_code == 409
    assert announcing.setup_lines() == []


def test_an_administrator_whom_no_signal_told_of_ends_it_by_signing_in() -> None:
    Agent.objects.bulk_create(
        [
            Agent(username=name, display_name=name.title(), is_staff=name == "ada")
            for name in ("ada", "ben")
        ]
    )
    for username, is_over in (("ben", False), ("ada", True)):
        client_of(Agent.objects.get(username=username))
        assert key.has_ended() is is_over
    Agent.objects.update(is_staff=False)
    assert not key.is_empty()


def test_the_command_says_who_set_it_up() -> None:
    open_with_key().post("/setup/administrator/", ADA)
    with pytest.raises(CommandError, match=r"already, by Ada Byron \(ada\) on 20") as refused:
        setup_link()
    assert refused.value.returncode == 1


def test_it_stays_set_up_when_the_last_administrator_is_demoted() -> None:
    old = the_key()
    open_with_key().post("/setup/administrator/", ADA)
    ada = Agent.objects.get()
    ada.is_staff = False
    ada.save()
    assert not key.is_empty()
    assert announcing.setup_lines() == []
    assert client_of(ada).get("/setup/").status_code == 404
    late = Client()
    late.get("/setup/", {"key": old})
    assert late.post("/setup/administrator/", ADA).status_code == 409


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"display_name": ""}, "This field is required"),
        ({"username": "a b"}, "without spaces"),
        ({"password": "short"}, "too short"),
        ({"username": "quercitron", "password": "quercitron1"}, "too similar"),
        ({"password": "password1"}, "too common"),
    ],
)
def test_what_cannot_be_taken_is_said_and_nothing_is_made(
    change: dict[str, str], words: str
) -> None:
    client = open_with_key()
    answer = client.post("/setup/administrator/", {**ADA, **change})
    page = read_words(answer)
    assert answer.status_code == 422
    assert words in page
    assert ADA["password"] not in page
    kept = {**ADA, **change}["username"]
    assert f'value="{kept}"' in page
    assert not Agent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_each_process_prints_the_address_and_starts_without_a_database_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = StringIO()
    PlainCommand(stdout=out).print_setup_lines()
    assert key.setup_address() in out.getvalue()

    def not_migrated() -> list[str]:
        raise ProgrammingError('relation "messaging_firststart" does not exist')

    monkeypatch.setattr(announcing, "setup_lines", not_migrated)
    later = StringIO()
    PlainCommand(stdout=later).print_setup_lines()
    assert later.getvalue() == ""
