"""Pages of failures promise only what is so, and give the text of a form back."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from django.db import OperationalError
from django.test import Client

from tests.cast import Cast, client_of
from tests.markup import read_words

ORIGIN = {"origin": "http://testserver"}
START = "messaging.conversations.views.start"
WORDS = "Your <car> is ready"

failing = pytest.mark.parametrize(
    ("failure", "status", "title", "promise"),
    [
        (RuntimeError, 500, "Something went wrong", "No messages were lost."),
        (OperationalError, 503, "Back in a moment", "Nothing was lost"),
    ],
    ids=["a bug", "the database"],
)


def fail_with(monkeypatch: pytest.MonkeyPatch, name: str, failure: type[Exception]) -> None:
    def fail(*args: object, **options: object) -> NoReturn:
        raise failure("no")

    monkeypatch.setattr(name, fail)


def client_of_ana(cast: Cast) -> Client:
    client = client_of(cast.ana)
    client.raise_request_exception = False
    return client


def start(cast: Cast, client: Client, **headers: str) -> Any:
    form = {
        "inbox": cast.front_desk.pk,
        "to": "+13035550133",
        "body": WORDS,
        "form_key": "0c4ab05c-6a5c-4f43-9d0f-6d2c2f0a3f77",
    }
    return client.post("/start/", form, headers=headers)


@failing
def test_a_form_that_failed_gives_its_text_back_and_promises_nothing(
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    failure: type[Exception],
    status: int,
    title: str,
    promise: str,
) -> None:
    fail_with(monkeypatch, f"{START}.start_or_hold", failure)
    answer = start(cast, client_of_ana(cast), **ORIGIN)
    page = read_words(answer)
    assert answer.status_code == status
    assert title in page
    assert "This may not have been saved." in page
    assert f"{WORDS}</textarea>" in page
    assert " lost" not in page
    assert 'href="/"' not in page


@failing
def test_a_page_that_failed_can_be_tried_again(
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    failure: type[Exception],
    status: int,
    title: str,
    promise: str,
) -> None:
    fail_with(monkeypatch, f"{START}.inbox_choices_for", failure)
    answer = client_of_ana(cast).get("/start/")
    page = read_words(answer)
    assert answer.status_code == status
    assert title in page
    assert promise in page
    assert 'href="/"' in page
    assert "may not have been saved" not in page


def test_a_form_of_another_site_gets_no_words_of_its_own_on_our_page(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, f"{START}.start_or_hold", RuntimeError)
    page = read_words(start(cast, client_of_ana(cast), origin="https://evil.test"))
    assert "This may not have been saved." in page
    assert WORDS not in page
