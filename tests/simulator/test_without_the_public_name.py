"""The simulator works where the installation can't call its own public name."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import psycopg
import pytest
from PIL import Image

from tests.databases import migrated_database, own_database
from tests.stack import Stack, environment_for, start_stack, stop_stack, wait_until_ready

# No name below "invalid" leads anywhere (RFC 6761).
NAME = "texts.invalid"
PUBLIC_URL = f"https://{NAME}"
ADA = {"display_name": "Ada", "username": "ada", "password": "Quercitron-password"}
SECONDS = 20.0
Files = dict[str, tuple[str, bytes, str]]


class Proxy(httpx.HTTPTransport):
    """Stand between a browser and the web process, as Caddy does with https."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self.port)
        headers = {**request.headers, "X-Forwarded-Proto": "https"}
        return super().handle_request(
            httpx.Request(request.method, url, headers=headers, stream=request.stream)
        )


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with own_database("without_the_public_name", migrated_database()) as database:
        stack = start_stack(
            environment_for(
                database,
                tmp_path / "data",
                PARTYLINE_DEMO="0",
                PUBLIC_URL=PUBLIC_URL,
                ALLOWED_HOSTS="",
                TWO_STEP_SIGN_IN="nobody",
            )
        )
        try:
            wait_until_ready(stack)
            yield stack
        finally:
            stop_stack(stack)


def post(
    browser: httpx.Client, path: str, form: dict[str, str], files: Files | None = None
) -> None:
    browser.get("/setup/")
    token = browser.cookies["__Host-csrftoken"]
    answer = browser.post(
        path,
        data=form | {"csrfmiddlewaretoken": token},
        files=files,
        headers={"Origin": PUBLIC_URL},
    )
    assert answer.status_code == 302, answer.text


def fetch_row(stack: Stack, question: str) -> tuple[int, ...]:
    """Return the first row of an answer, once there is one."""
    end = time.monotonic() + SECONDS
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        while True:
            row = connection.execute(question.encode()).fetchone()
            if row is not None:
                return row
            assert time.monotonic() < end, stack.log
            time.sleep(0.05)


def test_the_first_text_and_its_answer_arrive_with_their_pictures(stack: Stack) -> None:
    address = re.search(r"/setup/\?key=\S+", stack.log)
    assert address
    with httpx.Client(
        base_url=PUBLIC_URL, transport=Proxy(stack.port), trust_env=False, timeout=20
    ) as browser:
        browser.get(address[0])
        browser.get("/setup/administrator/")  # which makes the cookie for forms
        post(browser, "/setup/administrator/", ADA)
        post(browser, "/setup/simulator/", {})
        number, inbox = fetch_row(stack, "SELECT id, inbox_id FROM messaging_number")
        name = f"inbox-{inbox}"
        post(browser, "/setup/inbox/", {f"{name}-name": "Front Desk", f"{name}-joins": "on"})
        picture = BytesIO()
        Image.new("RGB", (8, 8)).save(picture, "PNG")
        form = {"sender": "+12025550177", "number": str(number), "text": "Is it ready?"}
        files = {"pictures": ("a.png", picture.getvalue(), "image/png")}
        post(browser, "/simulator/send/", form, files)
        fetch_row(stack, "SELECT 1 FROM messaging_attachment WHERE state = 'ready'")
        (thread,) = fetch_row(stack, "SELECT thread_id FROM messaging_message")
        answer = {"body": "Yes, come by!", "form_key": str(uuid.uuid4())}
        again = {"files": files["pictures"]}
        post(browser, f"/threads/{thread}/messages/", answer, again)
        fetch_row(stack, "SELECT 1 FROM messaging_message WHERE state = 'delivered'")
        assert "Yes, come by!" in browser.get("/simulator/").text
    outgoing = "SELECT 1 FROM simulator_file f JOIN simulator_text t ON t.id = f.text_id"
    fetch_row(stack, f"{outgoing} WHERE t.recipient = '+12025550177'")
