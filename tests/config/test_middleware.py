"""Middleware, health checks and the request handler."""

import gzip
import logging
from unittest.mock import patch

import psycopg
import pytest
from asgiref.sync import iscoroutinefunction
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from config.handler import get_application
from config.logs import RedactingFormatter
from config.middleware import UnavailableDatabaseMiddleware
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def get_response(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


@pytest.mark.parametrize("path", ["/", "/no/such/page/", "/admin/"])
def test_no_answer_to_a_signed_in_agent_may_be_stored(client: Client, path: str) -> None:
    client.force_login(get_user_model().objects.create(username="ana", display_name="Ana Ruiz"))
    assert client.get(path).headers["Cache-Control"] == "private, no-store"


def test_a_redirect_to_the_sign_in_page_may_not_be_stored_either(
    client: Client, cast: Cast
) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response.headers["Cache-Control"] == "private, no-store"


def test_answers_to_everybody_may_be_stored(client: Client) -> None:
    assert "private, no-store" not in client.get("/no/such/page/").headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    ("path", "is_refused"),
    [
        ("/webhooks/x/", True),
        ("/webhooks//x", True),
        ("/Webhooks/X/", True),
        ("/webhooks-of-mine/", False),
    ],
)
def test_a_webhook_without_a_database_gets_503(path: str, is_refused: bool) -> None:
    middleware = UnavailableDatabaseMiddleware(get_response)
    request = RequestFactory().post(path)
    response = middleware.process_exception(request, OperationalError("no"))
    assert (response is not None) is is_refused
    assert response is None or response.status_code == 503
    assert middleware.process_exception(request, ValueError("no")) is None


def test_readyz_answers_503_without_a_database(client: Client) -> None:
    with patch("config.health.MigrationExecutor", side_effect=OperationalError("gone")):
        assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/webhooks/twilio/", "//webhooks//Twilio//", "/media/"])
def test_logs_leave_out_the_secret_parts_of_an_address_in_every_spelling(path: str) -> None:
    record = logging.makeLogRecord({"msg": f'"GET {path}a-token/?Body=words HTTP/1.1" 200'})
    text = RedactingFormatter("%(message)s").format(record)
    assert "a-token" not in text
    assert "words" not in text
    assert text.endswith(' HTTP/1.1" 200')


def test_logs_leave_out_the_rows_that_a_database_error_quotes() -> None:
    formatter = RedactingFormatter("%(message)s")
    error = psycopg.IntegrityError(
        'null value in column "x"\nDETAIL:  Failing row contains (7, my secret\n text).'
    )
    record = logging.makeLogRecord({"msg": "oh", "exc_info": (type(error), error, None)})
    text = formatter.format(record)
    assert "null value" in text
    assert "secret" not in text


def test_ten_wrong_passwords_lock_out_that_name_at_that_address(client: Client) -> None:
    ana = get_user_model().objects.create_user(
        "ana", display_name="Ana Ruiz", password="a long enough password"
    )
    for _ in range(10):
        client.post("/sign-in/", {"username": "ana", "password": "wrong"})
    right = {"username": ana.get_username(), "password": "a long enough password"}
    assert client.post("/sign-in/", right).status_code in {403, 429}
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    assert elsewhere.post("/sign-in/", right).status_code == 302


def test_pages_are_compressed_for_browsers_that_accept_it(client: Client, cast: Cast) -> None:
    packed = client.get("/sign-in/", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert b"Sign in" in gzip.decompress(packed.content)
    assert len(packed.content) < len(client.get("/sign-in/").content) / 2
    other = client.get("/healthz", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in other.headers


def test_a_request_changes_threads_once() -> None:
    """Each middleware that Django runs on the event loop would change threads twice."""
    assert not iscoroutinefunction(vars(get_application())["_middleware_chain"])
