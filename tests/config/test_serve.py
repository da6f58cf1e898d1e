"""`manage.py serve` as a process: starting it, its answers, and what it survives."""

import http.client
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.databases import own_database
from tests.stack import (
    ROOT,
    Stack,
    environment_for,
    free_port,
    running_stack,
    start_stack,
    wait_for_words,
)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack("config_serve", PARTYLINE_DEMO="0") as stack:
        yield stack


def run_serve(environment: dict[str, str]) -> tuple[int, str]:
    """Run it until it ends. Returns its exit code and what it wrote on stderr."""
    done = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr


def get_status(stack: Stack, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_it_prints_its_address_and_answers(stack: Stack) -> None:
    assert f"Partyline is at {stack.url}/" in stack.log
    assert get_status(stack, "/healthz") == 200
    assert get_status(stack, "/readyz") == 200


def test_it_loads_the_public_holidays_before_a_text_needs_them(stack: Stack) -> None:
    wait_for_words("the public holidays of 0 regions are loaded", stack.log_path)


def test_pages_have_the_security_policy_and_hashed_files(stack: Stack) -> None:
    with urllib.request.urlopen(f"{stack.url}/sign-in/", timeout=10) as answer:
        page = answer.read().decode()
        policy = answer.headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["script-src"] == directives["style-src"] == "'self'"
    assert directives["object-src"] == directives["base-uri"] == "'none'"
    assert _style_sheet_path(page).count(".") > 1  # the name contains a hash
    assert get_status(stack, _style_sheet_path(page)) == 200


def _style_sheet_path(page: str) -> str:
    start = page.index("/static/css/")
    return page[start : page.index('"', start)]


def test_a_static_file_is_immutable_and_compressed(stack: Stack) -> None:
    with httpx.Client(base_url=stack.url, trust_env=False) as browser:
        path = _style_sheet_path(browser.get("/sign-in/").text)
        sheet = browser.get(path)
        assert sheet.headers["Content-Encoding"] == "gzip"
        assert "immutable" in sheet.headers["Cache-Control"]
        assert sheet.headers["X-Content-Type-Options"] == "nosniff"
        assert sheet.headers["Referrer-Policy"] == "same-origin"
        assert sheet.headers["Content-Type"].startswith("text/css")
        # Joined out of others: a browser asks once.
        assert "@import" not in sheet.text
        assert ":root" in sheet.text
        again = browser.get(path, headers={"If-None-Match": sheet.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        plain = browser.get(path, headers={"Accept-Encoding": "identity"})
        assert plain.text == sheet.text
        assert "Content-Encoding" not in plain.headers
        part = browser.get(path, headers={"Range": "bytes=0-9", "Accept-Encoding": "identity"})
        assert (part.status_code, part.text) == (206, sheet.text[:10])
        head = browser.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert browser.post(path).status_code == 405
        for nothing in ("/static/css/none.css", "/static/../manage.py", "/static/css/"):
            assert browser.get(nothing).status_code == 404


def test_a_second_process_on_the_same_database_is_refused(stack: Stack) -> None:
    code, words = run_serve({**stack.environment, "PORT": str(free_port())})
    assert code == 3
    assert words.startswith("CommandError: Another Partyline process already serves this database")


def test_the_error_for_a_taken_port_suggests_another(stack: Stack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, words = run_serve({**stack.environment, "PORT": str(port)})
    assert code == 2
    assert f"Port {port} on 127.0.0.1 is in use" in words
    assert "PORT=" in words


@pytest.mark.parametrize(
    "origin",
    ["https://127.0.0.1:{port}", "http://127.0.0.1:1", "http://evil.example", "http://a:b", None],
)
def test_a_socket_from_any_other_origin_is_refused(stack: Stack, origin: str | None) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(
            f"ws://127.0.0.1:{stack.port}/live/",
            additional_headers={"Origin": origin.format(port=stack.port)} if origin else {},
        ),
    ):
        pass
    # Daphne itself answers 400 to an origin that is no address at all.
    assert refused.value.response.status_code in {400, 403}
    assert "Traceback" not in stack.log


def test_pool_worker_and_lock_reconnect_after_their_sessions_are_cut(stack: Stack) -> None:
    """A restart of the database has the same effect."""
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        deadline = time.monotonic() + 15
        while get_status(stack, "/readyz") != 200 or not has_lock_and_worker(connection):
            assert time.monotonic() < deadline, stack.log
            time.sleep(0.2)


def has_lock_and_worker(connection: psycopg.Connection[tuple[int]]) -> bool:
    row = connection.execute(
        "SELECT (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted),"
        " (SELECT count(*) FROM procrastinate_workers"
        "  WHERE last_heartbeat > now() - interval '7 seconds')"
    ).fetchone()
    return row is not None and min(row) > 0


def test_readyz_answers_503_until_the_migrations_are_applied(tmp_path: Path) -> None:
    with own_database("config_bare") as database:
        environment = environment_for(database, tmp_path / "var", PARTYLINE_DEMO="0")
        stack = start_stack(environment, "runserver", "--noreload", environment["PORT"])
        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    assert get_status(stack, "/healthz") == 200
                    break
                except OSError:
                    assert time.monotonic() < deadline, stack.log
                    time.sleep(0.1)
            assert get_status(stack, "/readyz") == 503
        finally:
            stack.stop()
